//! Connections: so many and no more, each with bounds on how long a request may take to arrive and
//! how large its head may be.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

use super::counted::Counted;
use super::linger::Lingering;
use super::pace::Paced;
use crate::config::Config;
use crate::metrics::{Held, Metrics};

/// Request line and headers together, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// A client that takes nothing of its answer for so long does not want it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// After an error of `accept` (no file descriptors left, mostly), wait before the next.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Serves until `stop`, then finishes the requests that are under way.
pub async fn serve(
    router: Router,
    listener: TcpListener,
    config: &Config,
    metrics: Arc<Metrics>,
    stop: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(config.request_header_timeout_ms))
        .max_buf_size(MAX_HEAD_BYTES);
    let places = Arc::new(Semaphore::new(config.max_connections));
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, place) = accepted;
        let service = TowerToHyperService::new(router.clone());
        let service = Paced::new(Counted::new(service, metrics.clone()));
        let open = Held::of(&metrics.http.connections);
        let mut stream = TimeoutStream::new(Lingering::new(stream));
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let connection = graceful.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop((place, open));
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, tokio::sync::OwnedSemaphorePermit) {
    loop {
        // The semaphore is never closed; without a place there is nothing to do but wait.
        let Ok(place) = places.clone().acquire_owned().await else {
            std::future::pending::<()>().await;
            continue;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "cannot set TCP_NODELAY");
                }
                return (stream, place);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}
