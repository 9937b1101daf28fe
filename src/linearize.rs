//! Linearizable reads: this node answers from its own view, but not before that has everything that
//! was committed when the read began.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::raft::{Consensus, Leader, Peers};

/// How soon to look again for a leader that is not known or has no quorum.
const LEADER_RETRY: Duration = Duration::from_millis(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no leader with a quorum in time, or this node did not catch up with it")]
pub struct NoQuorum;

/// Waits for a view to be as new as a linearizable read wants it.
#[derive(Clone)]
pub struct Linearizer {
    consensus: Consensus,
    peers: Arc<Peers>,
    timeout: Duration,
}

impl Linearizer {
    pub fn new(consensus: Consensus, peers: Arc<Peers>, timeout: Duration) -> Self {
        Self { consensus, peers, timeout }
    }

    /// Returns once this node's view has everything that was committed before the call.
    ///
    /// # Errors
    /// [`NoQuorum`] if that is not so within the timeout, or this node takes no part in the cluster.
    pub async fn wait(&self) -> Result<(), NoQuorum> {
        #[cfg(feature = "planted-bugs")]
        if crate::planted::is_planted(crate::planted::Bug::ReadsOwnStateAtOnce) {
            return Ok(());
        }
        let deadline = Instant::now() + self.timeout;
        let index = loop {
            if let Some(index) = self.read_index(deadline).await {
                break index;
            }
            if Instant::now() + LEADER_RETRY >= deadline || self.consensus.failure().is_some() {
                return Err(NoQuorum);
            }
            tokio::time::sleep(LEADER_RETRY).await;
        };
        match self.consensus.reached(index, deadline).await {
            true => Ok(()),
            false => Err(NoQuorum),
        }
    }

    async fn read_index(&self, deadline: Instant) -> Option<u64> {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.consensus.leader() {
            Leader::ThisNode => tokio::time::timeout(left, self.consensus.read_index()).await.ok()?,
            Leader::Other(node) => self.peers.read_index(node, left).await,
            Leader::Unknown => None,
        }
    }
}
