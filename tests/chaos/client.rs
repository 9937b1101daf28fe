//! An HTTP client as Eureka's clients are: connections stay open, each request has a limit, and what
//! fails is asked of the next node at once.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::ETAG;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::harness::Request;

/// Connections kept open to a node while no request is on them.
const IDLE_CONNECTIONS: usize = 64;

#[derive(Clone)]
pub struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    limit: Duration,
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub etag: Option<String>,
    pub body: Bytes,
}

impl Client {
    /// A client that waits this long for a whole answer.
    pub fn new(limit: Duration) -> Self {
        let mut pool = Pool::builder(TokioExecutor::new());
        Self { pool: pool.pool_max_idle_per_host(IDLE_CONNECTIONS).build_http(), limit }
    }

    /// # Errors
    /// Why there is no answer: the connection failed, or the limit passed.
    pub async fn send(&self, addr: SocketAddr, request: &Request) -> Result<Answer, String> {
        let mut builder = hyper::Request::builder()
            .method(request.method())
            .uri(format!("http://{addr}{}", request.path()));
        for (name, value) in request.headers() {
            builder = builder.header(name, value);
        }
        let body = Full::new(Bytes::copy_from_slice(request.content()));
        let request = builder.body(body).map_err(|error| error.to_string())?;
        let exchange = async {
            let response = self.pool.request(request).await.map_err(|error| error.to_string())?;
            let (head, body) = response.into_parts();
            let etag = head.headers.get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
            let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
            Ok(Answer { status: head.status.as_u16(), etag, body })
        };
        tokio::time::timeout(self.limit, exchange)
            .await
            .unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }

    /// Tries each node once, beginning at the place `at`, until one gives an answer that is not a
    /// 5xx; `at` is then its place.
    ///
    /// # Errors
    /// What each node said or failed with.
    pub async fn send_to_any(
        &self,
        addrs: &[SocketAddr],
        at: &mut usize,
        request: &Request,
    ) -> Result<Answer, String> {
        let mut failures = Vec::new();
        for _ in addrs {
            let addr = addrs[*at % addrs.len()];
            match self.send(addr, request).await {
                Ok(answer) if answer.status < 500 => return Ok(answer),
                Ok(answer) => failures.push(format!("{addr}: {}", answer.status)),
                Err(error) => failures.push(format!("{addr}: {error}")),
            }
            *at = (*at + 1) % addrs.len();
        }
        Err(failures.join("; "))
    }
}
