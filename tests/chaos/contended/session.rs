//! A client's connection to its node, which tells what was certainly not sent from what may have been.
//! Each request is sent once.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::Request;

const CONNECT_LIMIT: Duration = Duration::from_secs(1);

type Requests = SendRequest<Full<Bytes>>;

pub struct Session {
    addr: SocketAddr,
    open: Option<Requests>,
}

impl Session {
    pub fn new(addr: SocketAddr) -> Self {
        Self { addr, open: None }
    }

    /// Has a connection that nothing is known against; whether there is one.
    pub async fn connect(&mut self) -> bool {
        if let Some(requests) = &mut self.open
            && requests.ready().await.is_err()
        {
            self.open = None;
        }
        if self.open.is_none() {
            self.open = timeout(CONNECT_LIMIT, connection(self.addr)).await.ok().flatten();
        }
        self.open.is_some()
    }

    /// The status and the body that are answered to a request; `None` if there is no answer for so long,
    /// and nobody knows whether it came to anything.
    pub async fn exchange(&mut self, request: &Request, patience: Duration) -> Option<(u16, Bytes)> {
        // Without an answer the connection is of no more use: that to this request could come on it.
        let mut requests = self.open.take()?;
        let request = http(self.addr, request);
        let exchange = async {
            let response = requests.send_request(request).await.ok()?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.ok()?.to_bytes();
            Some((status, body))
        };
        let answer = timeout(patience, exchange).await.ok()??;
        self.open = Some(requests);
        Some(answer)
    }
}

async fn connection(addr: SocketAddr) -> Option<Requests> {
    let stream = TcpStream::connect(addr).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let (requests, connection) = handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    Some(requests)
}

fn http(addr: SocketAddr, request: &Request) -> hyper::Request<Full<Bytes>> {
    let mut builder = hyper::Request::builder().method(request.method()).uri(request.path());
    builder = builder.header(HOST, addr.to_string());
    for (name, value) in request.headers() {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(Bytes::copy_from_slice(request.content()))).expect("a request of the harness")
}
