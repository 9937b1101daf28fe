//! A bare axum that answers what a node answered, and forgets what it is told. It runs in a process of its own, which is
//! this program again.

use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::ACCEPT_ENCODING;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::serve::ListenerExt;

use super::answers::{Answer, Answers};
use super::measure::Read;

const WORD: &str = "--replay";

pub struct Replay {
    pub addr: SocketAddr,
    pub threads: usize,
    pub answers: PathBuf,
}

/// What this process is to serve, if it is not to measure.
pub fn asked_for() -> Option<Replay> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [word, addr, threads, answers] = words.as_slice() else { return None };
    let replay = |addr, threads| Replay { addr, threads, answers: answers.into() };
    if word == WORD { Some(replay(addr.parse().ok()?, threads.parse().ok()?)) } else { None }
}

impl Replay {
    /// # Errors
    /// When this program is not there any more.
    pub fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(env::current_exe().context("this program")?);
        command.arg(WORD).arg(self.addr.to_string()).arg(self.threads.to_string()).arg(&self.answers);
        Ok(command)
    }

    /// Serves until it is killed.
    ///
    /// # Errors
    /// When it cannot.
    pub fn serve(&self) -> anyhow::Result<()> {
        let known = Arc::new(Known::load(&Answers::kept_in(self.answers.clone()))?);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(self.threads).enable_all().build()?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(self.addr).await?;
            let listener = listener.tap_io(|stream| {
                // Without it an answer may wait for a packet of the client's.
                let _ = stream.set_nodelay(true);
            });
            axum::serve(listener, router(known)).await
        })?;
        Ok(())
    }
}

struct Known {
    apps_gzip: Option<Answer>,
    apps_plain: Option<Answer>,
    delta: Option<Answer>,
    app: Option<Answer>,
    instance: Option<Answer>,
}

impl Known {
    fn load(answers: &Answers) -> anyhow::Result<Self> {
        Ok(Self {
            apps_gzip: answers.load(Read::AppsGzip)?,
            apps_plain: answers.load(Read::AppsPlain)?,
            delta: answers.load(Read::Delta)?,
            app: answers.load(Read::App)?,
            instance: answers.load(Read::Instance)?,
        })
    }
}

fn router(known: Arc<Known>) -> Router {
    Router::new()
        .route("/eureka/apps", get(apps))
        .route(
            "/eureka/apps/delta",
            get(|State(known): State<Arc<Known>>| async move { answer(&known.delta) }),
        )
        .route(
            "/eureka/apps/{app}",
            post(register).get(|State(known): State<Arc<Known>>| async move { answer(&known.app) }),
        )
        .route(
            "/eureka/apps/{app}/{id}",
            put(|| async { StatusCode::OK })
                .delete(|| async { StatusCode::OK })
                .get(|State(known): State<Arc<Known>>| async move { answer(&known.instance) }),
        )
        .with_state(known)
}

async fn register(_: Bytes) -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn apps(State(known): State<Arc<Known>>, headers: HeaderMap) -> Response {
    let gzip = headers.get(ACCEPT_ENCODING).is_some_and(|value| value == "gzip");
    answer(if gzip { &known.apps_gzip } else { &known.apps_plain })
}

fn answer(known: &Option<Answer>) -> Response {
    match known {
        Some(answer) => (answer.headers.clone(), answer.body.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
