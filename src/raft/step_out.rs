//! How a node that can promise nothing any more takes no part in the cluster, and what waits for it gives up.

use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use tokio::time::Instant;

use super::consensus::Consensus;
use crate::storage::Part;

/// How often waiting code looks whether Raft has stopped.
const FAILURE_LOOK: Duration = Duration::from_millis(100);
/// And how often where Raft says at once that its role has changed.
const STEP_OUT_LOOK: Duration = Duration::from_secs(1);

impl Consensus {
    /// Why this node takes no part in the cluster until it is restarted, if so.
    pub fn failure(&self) -> Option<String> {
        self.log_failures.of(Part::Log).or_else(|| {
            let metrics = self.raft.metrics();
            let metrics = metrics.borrow_watched();
            metrics
                .running_state
                .as_ref()
                .err()
                .map(|fatal| format!("Raft has stopped on this node: {fatal}"))
        })
    }

    /// Why this part of what is on disk cannot be written, if so.
    pub fn disk_failure(&self, part: Part) -> Option<String> {
        let failures = if part == Part::Log { &self.log_failures } else { self.machine().failures() };
        failures.of(part)
    }

    /// Runs until this node can take part no more, and makes sure that it does not.
    pub async fn step_out(&self) {
        let mut log_failures = self.log_failures.watch();
        let mut roles = self.raft.server_metrics();
        let failure = loop {
            if let Some(failure) = self.failure() {
                break failure;
            }
            tokio::select! {
                _ = log_failures.changed() => {}
                Ok(()) = roles.changed() => {}
                () = tokio::time::sleep(STEP_OUT_LOOK) => {}
            }
        };
        // What is known here may still help. Writes are refused by themselves.
        tracing::error!(
            failure,
            "this node takes no part in the cluster, and serves reads only, until it is restarted"
        );
        self.shutdown().await;
    }

    /// Whether this node has applied what is at this index, in time.
    pub async fn reached(&self, index: u64, deadline: Instant) -> bool {
        let mut applied = self.machine().applied_index();
        while self.failure().is_none() && Instant::now() < deadline {
            let look = deadline.min(Instant::now() + FAILURE_LOOK);
            let reached = applied.wait_for(|applied| *applied >= index);
            if let Ok(reached) = tokio::time::timeout_at(look, reached).await {
                return reached.is_ok();
            }
        }
        false
    }
}
