//! How far the Eureka servers that this cluster replicates to know of what its clients did: replicated, so that a new
//! leader goes on where the last one stopped.

use std::collections::BTreeMap;

use super::{Outcome, Registry};

/// Most Eureka servers that a cluster replicates to.
pub const MAX_EUREKA_PEERS: usize = 16;

/// For each Eureka server by its URL (without credentials): up to which time of the log's clock, epoch milliseconds, all
/// changes by clients have reached it.
pub type PeerProgress = BTreeMap<Box<str>, i64>;

impl Registry {
    pub fn peer_progress(&self) -> &PeerProgress {
        &self.peer_progress
    }

    /// Has this take the place of what was known: servers that it does not name are forgotten.
    pub fn set_peer_progress(&mut self, progress: PeerProgress) -> Outcome {
        self.peer_progress = progress;
        while self.peer_progress.len() > MAX_EUREKA_PEERS {
            self.peer_progress.pop_last();
        }
        Outcome::Done
    }
}
