//! Connections: so many and no more, by TLS or without, each with bounds on how long a request may take to arrive and
//! how large its head may be.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

use super::counted::Counted;
use super::gate::Gate;
use super::linger::Lingering;
use super::pace::Paced;
use super::routes::Site;
use crate::config::Config;
use crate::metrics::{Held, Metrics};
use crate::tls::ClientTls;

/// Request line and headers together, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// A client that takes nothing of its answer for so long does not want it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// After an error of `accept` (no file descriptors left, mostly), wait before the next.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);
/// A client that has not agreed on TLS by then is cut off.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// What every connection is served with.
struct Port {
    http: http1::Builder,
    tls: Option<ClientTls>,
    gate: Gate,
    site: Site,
    metrics: Arc<Metrics>,
}

/// What keeps clients apart from each other.
pub struct Guard {
    pub tls: Option<ClientTls>,
    pub gate: Gate,
}

/// Serves until `stop`, then finishes the requests that are under way.
pub async fn serve(
    site: Site,
    listener: TcpListener,
    config: &Config,
    guard: Guard,
    metrics: Arc<Metrics>,
    stop: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(config.request_header_timeout_ms))
        .max_buf_size(MAX_HEAD_BYTES);
    let port = Arc::new(Port { http, tls: guard.tls, gate: guard.gate, site, metrics });
    let places = Arc::new(Semaphore::new(config.max_connections));
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let (stream, from, place) = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (port, watcher) = (port.clone(), graceful.watcher());
        tokio::spawn(async move {
            port.connection(stream, from, watcher).await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

impl Port {
    async fn connection(self: &Arc<Self>, stream: TcpStream, from: SocketAddr, watcher: Watcher) {
        let Some(tls) = &self.tls else {
            return self.requests(stream, from, watcher).await;
        };
        let handshake = TlsAcceptor::from(tls.current()).accept(stream);
        match tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await {
            Ok(Ok(stream)) => self.requests(stream, from, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "a client did not agree on TLS"),
            Err(_) => tracing::debug!("a client did not agree on TLS in time"),
        }
    }

    async fn requests<S>(self: &Arc<Self>, stream: S, from: SocketAddr, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(|request| {
            let port = self.clone();
            async move { port.gate.pass(&port.site, request, from).await }
        });
        let service = Paced::new(Counted::new(service, self.metrics.clone()));
        let _open = Held::of(&self.metrics.http.connections);
        let mut stream = TimeoutStream::new(Lingering::new(stream));
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let connection = self.http.serve_connection(TokioIo::new(Box::pin(stream)), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit) {
    loop {
        // The semaphore is never closed; without a place there is nothing to do but wait.
        let Ok(place) = places.clone().acquire_owned().await else {
            std::future::pending::<()>().await;
            continue;
        };
        match listener.accept().await {
            Ok((stream, from)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "cannot set TCP_NODELAY");
                }
                return (stream, from, place);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}
