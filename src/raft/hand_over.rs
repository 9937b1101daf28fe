//! Leadership goes to another node without an election time-out: the successor stands at once.

use std::time::Duration;

use super::consensus::Consensus;
use super::leading::Leader;
use super::types::NodeId;

impl Consensus {
    /// Has the follower that is furthest take over, before a stop; gives up after `patience`.
    pub async fn hand_over(&self, patience: Duration) {
        if self.leader() != Leader::ThisNode || !self.knows_leader() {
            return;
        }
        let status = self.status();
        let others =
            status.matched.into_iter().filter(|(id, _)| *id != self.node_id() && status.voters.contains(id));
        let Some((successor, _)) = others.max_by_key(|(_, index)| *index) else {
            return;
        };
        tracing::info!(successor, "handing leadership over before the stop");
        if let Err(reason) = self.transfer_to(successor, patience).await {
            tracing::warn!(successor, "{reason}");
        }
    }

    /// Has a follower take over; returns when another node leads.
    ///
    /// # Errors
    /// Why none does, in words; after `patience` at the latest.
    pub(super) async fn transfer_to(&self, successor: NodeId, patience: Duration) -> Result<(), String> {
        if let Err(error) = self.raft.trigger().transfer_leader(successor).await {
            return Err(format!("cannot hand leadership over: {error}"));
        }
        let handed_over = self.until_leader(|leader| matches!(leader, Leader::Other(_)));
        let handed_over = tokio::time::timeout(patience, handed_over).await;
        handed_over.map_err(|_| "the successor did not take over in time; an election will follow".to_owned())
    }
}
