//! The first election after a start.
//!
//! A follower whose leader falls silent waits for a while before it stands for election. A node that was just started
//! has heard from nobody, and its start took a while already: it asks the others soon whether they would vote for it
//! (Raft thesis, §9.6, PreVote), which they would not if they heard from a leader.

use std::time::Duration;

use openraft::ServerState;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::rt::AsyncRuntime;
use rand::RngExt;
use tokio::time::Instant;

use super::consensus::Consensus;
use super::runtime::Runtime;

impl Consensus {
    /// Asks a few times in the first election timeout, of `shortest` at least, after which Raft goes on as ever. Each
    /// time is a random one, lest all nodes stand at once.
    pub async fn stand_early(&self, shortest: Duration) {
        let (start, term) = (Instant::now(), self.status().term);
        loop {
            let pause = Runtime::thread_rng().random_range(shortest / 8..shortest / 2);
            tokio::time::sleep(pause).await;
            if start.elapsed() >= shortest || !self.is_idle_voter(term) {
                return;
            }
            if self.raft.trigger().elect(true).await.is_err() {
                return;
            }
        }
    }

    /// Whether this node may vote, and no election has begun since `term`, nor a leader been heard from.
    fn is_idle_voter(&self, term: u64) -> bool {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        metrics.state == ServerState::Follower
            && !self.contact.has_heard()
            && metrics.current_term == term
            && metrics.membership_config.membership().voter_ids().any(|id| id == self.node_id())
    }
}
