//! When a cluster takes writes again.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::client::{Call, Client};
use super::harness::Document;

/// From a failed attempt to the next. A node decides one batch after the other, so a pending
/// attempt is no later than another beside it would be.
const RETRY: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(60);

/// The first time that a register is acknowledged at one of these nodes, each of which is sent one
/// after the other from now on.
///
/// # Panics
/// When there is none within a minute.
pub fn first_register(runtime: &Runtime, addrs: &[SocketAddr], name: &str) -> Instant {
    let document = Document::new("PROBE", name);
    let mut nodes = JoinSet::new();
    for addr in addrs {
        nodes.spawn_on(acknowledged(Client::new(*addr), Call::register(&document)), runtime.handle());
    }
    runtime.block_on(async {
        let first = tokio::time::timeout(PATIENCE, nodes.join_next()).await;
        let first = first.unwrap_or_else(|_| panic!("no register was acknowledged within {PATIENCE:?}"));
        first.expect("at least one node").unwrap_or_else(|error| panic!("a client that registers: {error}"))
    })
}

/// Sends until it is answered with success; returns when that was.
pub async fn acknowledged(mut client: Client, call: Call) -> Instant {
    loop {
        match client.send(&call).await {
            Ok(answer) if answer.status == 200 || answer.status == 204 => return Instant::now(),
            Ok(answer) => assert_eq!(answer.status, 503, "{call:?} at {}", client.addr()),
            Err(_) => {}
        }
        tokio::time::sleep(RETRY).await;
    }
}
