//! A client on one keep-alive connection that is cheap to drive: it shares the machine with the
//! nodes it measures.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::harness::Document;

/// Beyond the longest that a node lets a client wait for a write.
const LIMIT: Duration = Duration::from_secs(5);

/// What is sent again and again, without a host.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: String,
    body: Bytes,
    compressed: bool,
}

impl Call {
    pub fn get(path: &str) -> Self {
        Self { method: Method::GET, path: path.to_owned(), body: Bytes::new(), compressed: false }
    }

    /// The same for a compressed answer.
    pub fn compressed(self) -> Self {
        Self { compressed: true, ..self }
    }

    pub fn post(path: &str, json: String) -> Self {
        Self { method: Method::POST, path: path.to_owned(), body: json.into(), compressed: false }
    }

    pub fn register(document: &Document) -> Self {
        Self::post(&document.app_path(), document.json())
    }

    pub fn renew(document: &Document) -> Self {
        Self { method: Method::PUT, path: document.path(), body: Bytes::new(), compressed: false }
    }

    pub fn cancel(document: &Document) -> Self {
        Self { method: Method::DELETE, path: document.path(), body: Bytes::new(), compressed: false }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A connection that is made when it is first needed, and again after it failed.
pub struct Client {
    addr: SocketAddr,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    pub fn new(addr: SocketAddr) -> Self {
        Self { addr, open: None }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// # Errors
    /// When there is no whole answer within five seconds; the connection is given up then.
    pub async fn send(&mut self, call: &Call) -> Result<Answer, String> {
        self.send_if_changed(call, None).await
    }

    /// [`Client::send`] with the `ETag` of what is known already.
    pub async fn send_if_changed(&mut self, call: &Call, known: Option<&str>) -> Result<Answer, String> {
        let mut sender = match self.open.take() {
            Some(sender) => sender,
            None => timeout(LIMIT, connect(self.addr)).await.map_err(|late| late.to_string())??,
        };
        let request = self.request(call, known)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
            Ok::<_, String>(Answer { status: head.status.as_u16(), headers: head.headers, body })
        };
        let answer = timeout(LIMIT, exchange).await.map_err(|late| late.to_string())??;
        // A node that stops says so with its last answer; then this fails, and so does the keeping.
        if sender.ready().await.is_ok() {
            self.open = Some(sender);
        }
        Ok(answer)
    }

    fn request(&self, call: &Call, known: Option<&str>) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(&call.path)
            .header("Host", self.addr.to_string())
            .header("Accept", "application/json")
            .header("Content-Type", "application/json");
        if call.compressed {
            request = request.header("Accept-Encoding", "gzip");
        }
        if let Some(known) = known {
            request = request.header("If-None-Match", known);
        }
        request.body(Full::new(call.body.clone())).map_err(|error| error.to_string())
    }
}

async fn connect(addr: SocketAddr) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect(addr).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    tokio::spawn(async move {
        // Whoever sends sees the error too.
        drop(connection.await);
    });
    Ok(sender)
}
