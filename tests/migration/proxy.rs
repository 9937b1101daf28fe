//! An HTTP server that stands before others: a function decides what becomes of each request.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONNECTION, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{self, Handle, Runtime};
use tokio::time::timeout;

use super::harness::free_addr;

/// Longer than any client waits.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// A request, whole.
#[derive(Clone)]
pub struct Message {
    pub method: Method,
    /// With its query.
    pub path: String,
    headers: HeaderMap,
    pub body: Bytes,
}

pub struct Answer {
    pub status: StatusCode,
    headers: HeaderMap,
    pub body: Bytes,
}

/// Why a server gave no answer.
pub enum Unanswered {
    /// Nobody listens there: it does not know of the request.
    NotReached,
    /// It may have done what was asked.
    Broken(String),
}

impl Message {
    /// A request for JSON.
    pub fn get(path: &str) -> Self {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        Self { method: Method::GET, path: path.to_owned(), headers, body: Bytes::new() }
    }
}

/// Sends messages on, over connections that are kept.
#[derive(Clone)]
pub struct Forwarder(Client<HttpConnector, Full<Bytes>>);

impl Forwarder {
    pub fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    /// # Errors
    /// When the server does not answer.
    pub async fn send(&self, message: &Message, to: SocketAddr) -> Result<Answer, Unanswered> {
        let broken = |error: &dyn std::error::Error| Unanswered::Broken(error.to_string());
        let mut request = Request::new(Full::new(message.body.clone()));
        *request.method_mut() = message.method.clone();
        *request.uri_mut() =
            format!("http://{to}{}", message.path).parse().map_err(|error| broken(&error))?;
        *request.headers_mut() = message.headers.clone();
        let sent = timeout(ANSWER_LIMIT, self.0.request(request)).await.map_err(|error| broken(&error))?;
        let response = sent.map_err(|error| match error.is_connect() {
            true => Unanswered::NotReached,
            false => broken(&error),
        })?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| broken(&error))?.to_bytes();
        Ok(Answer { status: head.status, headers: of_the_message(head.headers), body })
    }
}

/// What proxies run on.
pub fn runtime() -> Runtime {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.unwrap_or_else(|error| panic!("a runtime: {error}"))
}

/// Listens until its runtime is shut down. A request for which `handle` has no answer has its
/// connection closed, as that of a server that dies.
pub fn open<H, F>(runtime: &Handle, handle: H) -> SocketAddr
where
    H: Fn(Message) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Option<Answer>> + Send + 'static,
{
    let addr = free_addr();
    let listener = runtime
        .block_on(TcpListener::bind(addr))
        .unwrap_or_else(|error| panic!("a proxy at {addr}: {error}"));
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, handle.clone()));
        }
    });
    addr
}

async fn serve<H, F>(stream: TcpStream, handle: H)
where
    H: Fn(Message) -> F,
    F: Future<Output = Option<Answer>>,
{
    let service = service_fn(async |request: Request<Incoming>| {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        let message = Message {
            method: head.method,
            path: head.uri.to_string(),
            headers: of_the_message(head.headers),
            body,
        };
        let answer = handle(message).await.ok_or("nobody answers")?;
        let mut response = Response::new(Full::new(answer.body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok::<_, String>(response)
    });
    // Ends with an error when the client breaks off, or when there is no answer.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Without those that are of the connection it came by.
fn of_the_message(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(CONNECTION);
    headers.remove(TRANSFER_ENCODING);
    headers
}
