//! What a cluster takes for a Eureka server: it remembers the batches it gets, and answers them as a test wants.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::harness::until;

type Answer = Box<dyn Fn(&[Value]) -> (u16, Value) + Send>;

pub struct EurekaServer {
    addr: SocketAddr,
    heard: Arc<Heard>,
    /// Ends it when it is dropped.
    _stop: oneshot::Sender<()>,
}

struct Heard {
    /// Of the batches that were answered 200, one after the other.
    items: Mutex<Vec<Value>>,
    answer: Mutex<Answer>,
}

impl EurekaServer {
    /// One that takes everything.
    pub fn start() -> Self {
        let heard = Arc::new(Heard { items: Mutex::default(), answer: Mutex::new(Box::new(all_taken)) });
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("an address");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let app = axum::Router::new()
            .route("/eureka/peerreplication/batch/", post(replicate))
            .with_state(heard.clone());
        thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                let serving = axum::serve(listener, app);
                tokio::select! {
                    served = serving => served.expect("it serves"),
                    _ = stopped => {}
                }
            });
        });
        Self { addr, heard, _stop: stop }
    }

    pub fn url(&self) -> String {
        format!("http://{}/eureka/", self.addr)
    }

    /// From now on batches are answered like this: a status, and the body of a 200.
    pub fn answer(&self, answer: impl Fn(&[Value]) -> (u16, Value) + Send + 'static) {
        *self.heard.answer.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(answer);
    }

    /// It cannot be asked for now.
    pub fn be_busy(&self) {
        self.answer(|_| (503, Value::Null));
    }

    pub fn take_all(&self) {
        self.answer(all_taken);
    }

    /// What it was told of an instance, in that order.
    pub fn told_of(&self, id: &str) -> Vec<Value> {
        let items = self.heard.items.lock().unwrap_or_else(PoisonError::into_inner);
        items.iter().filter(|item| item["id"] == id).cloned().collect()
    }

    /// The same, but only what was done to it.
    pub fn actions_of(&self, id: &str) -> Vec<String> {
        self.told_of(id).iter().map(|item| item["action"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Waits until it was told just this of an instance.
    pub fn until_told(&self, id: &str, actions: &[&str]) {
        until(&format!("a Eureka server is told {actions:?} of {id}"), || match self.actions_of(id) {
            told if told == actions => Ok(()),
            told => Err(format!("{told:?}")),
        });
    }
}

/// Each item is answered 200.
fn all_taken(items: &[Value]) -> (u16, Value) {
    answers(items, |_| json!({"statusCode": 200}))
}

/// An answer for each item.
pub fn answers(items: &[Value], one: impl Fn(&Value) -> Value) -> (u16, Value) {
    (200, json!({"responseList": items.iter().map(one).collect::<Vec<_>>()}))
}

async fn replicate(State(heard): State<Arc<Heard>>, body: Bytes) -> impl IntoResponse {
    let batch: Value = serde_json::from_slice(&body).expect("a batch of JSON");
    let items = batch["replicationList"].as_array().expect("a list").clone();
    let (status, answer) = heard.answer.lock().unwrap_or_else(PoisonError::into_inner)(&items);
    if status == 200 {
        heard.items.lock().unwrap_or_else(PoisonError::into_inner).extend(items);
    }
    (
        StatusCode::from_u16(status).expect("a status"),
        [("Content-Type", "application/json")],
        answer.to_string(),
    )
}
