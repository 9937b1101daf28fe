//! Keeps the log short in bytes, where Raft itself counts only entries.

use std::sync::Arc;
use std::time::Duration;

use openraft::LogIdOptionExt;
use openraft::async_runtime::watch::WatchReceiver;

use super::consensus::RaftHandle;
use crate::config::Config;

/// Short beside the seconds in which a snapshot is made: at full load some megabytes of log come meanwhile.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

pub struct Compaction {
    raft: RaftHandle,
    log_bytes: Arc<dyn Fn() -> u64 + Send + Sync>,
    max_bytes: u64,
    /// The applied index that a snapshot was last asked for.
    asked_at: u64,
}

impl Compaction {
    pub(super) fn new(
        raft: RaftHandle,
        log_bytes: Arc<dyn Fn() -> u64 + Send + Sync>,
        config: &Config,
    ) -> Self {
        Self { raft, log_bytes, max_bytes: config.snapshot_log_bytes, asked_at: 0 }
    }

    /// Runs until it is dropped, or Raft stops.
    pub async fn run(mut self) {
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            if (self.log_bytes)() > self.max_bytes && self.shorten().await.is_err() {
                return;
            }
        }
    }

    /// First a snapshot that covers the log, and once that is there, the purge of what it covers.
    async fn shorten(&mut self) -> Result<(), openraft::errors::Fatal<super::types::TypeConfig>> {
        let (applied, snapshot, purged) = {
            let metrics = self.raft.metrics();
            let metrics = metrics.borrow_watched();
            let index = |log_id: &Option<_>| LogIdOptionExt::index(log_id).unwrap_or(0);
            (index(&metrics.last_applied), index(&metrics.snapshot), index(&metrics.purged))
        };
        if snapshot > purged && snapshot >= self.asked_at {
            return self.raft.trigger().purge_log(snapshot).await;
        }
        if applied > self.asked_at.max(snapshot) {
            self.asked_at = applied;
            return self.raft.trigger().snapshot().await;
        }
        Ok(())
    }
}
