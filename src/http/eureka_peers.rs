//! What is told of the Eureka servers that this cluster replicates to.

use std::time::Duration;

use serde_json::{Value, json};

use super::Facade;
use crate::eureka_peers::{Counted, PeerStatus};
use crate::metrics::EurekaPeer;
use crate::registry::PeerProgress;

/// For `/api/cluster`.
pub fn told(facade: &Facade) -> Value {
    let progress = facade.consensus.machine().with_registry(|registry| registry.peer_progress().clone());
    let statuses = facade.told.eureka_peers.statuses().into_iter();
    statuses.map(|peer| peer_told(&progress, peer)).collect()
}

fn peer_told(progress: &PeerProgress, peer: PeerStatus) -> Value {
    let (last_error, last_error_age) = peer.last_error.unzip();
    let Counted { batches, items, refused, failed, adopted } = peer.counted;
    json!({
        "url": peer.url,
        "told_up_to_ms": progress.get(peer.url.as_str()),
        "told_from_here": peer.is_told_from_here,
        "reachable": peer.is_reachable,
        "queue": peer.queue,
        "lag_ms": millis(peer.lag),
        "last_error": last_error,
        "last_error_age_ms": last_error_age.map(millis),
        "batches": batches,
        "items": items,
        "refused": refused,
        "failed": failed,
        "adopted": adopted,
    })
}

/// For `/metrics`.
pub fn figures(facade: &Facade) -> Vec<EurekaPeer> {
    let figures = |peer: PeerStatus| {
        let Counted { batches, items, refused, failed, adopted } = peer.counted;
        EurekaPeer {
            url: peer.url,
            is_told_from_here: peer.is_told_from_here,
            is_reachable: peer.is_reachable,
            queue: peer.queue,
            lag_seconds: peer.lag.as_secs_f64(),
            batches,
            items,
            refused,
            failed,
            adopted,
        }
    };
    facade.told.eureka_peers.statuses().into_iter().map(figures).collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
