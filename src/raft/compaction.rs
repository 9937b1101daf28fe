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
}

/// What makes the log shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Of what a snapshot covers, up to this index.
    Purge(u64),
    /// Nothing comes of it while one is being made.
    Snapshot,
    Nothing,
}

/// First a snapshot that covers the log, and once that is there, the purge of what it covers: all of it, however much
/// was applied since. The next one is worth its while only then.
fn next_step(applied: u64, snapshot: u64, purged: u64) -> Step {
    if snapshot > purged {
        Step::Purge(snapshot)
    } else if applied > snapshot {
        Step::Snapshot
    } else {
        Step::Nothing
    }
}

impl Compaction {
    pub(super) fn new(
        raft: RaftHandle,
        log_bytes: Arc<dyn Fn() -> u64 + Send + Sync>,
        config: &Config,
    ) -> Self {
        Self { raft, log_bytes, max_bytes: config.snapshot_log_bytes }
    }

    /// Runs until it is dropped, or Raft stops.
    pub async fn run(self) {
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            if (self.log_bytes)() > self.max_bytes && self.shorten().await.is_err() {
                return;
            }
        }
    }

    async fn shorten(&self) -> Result<(), openraft::errors::Fatal<super::types::TypeConfig>> {
        let step = {
            let metrics = self.raft.metrics();
            let metrics = metrics.borrow_watched();
            let index = |log_id: &Option<_>| LogIdOptionExt::index(log_id).unwrap_or(0);
            next_step(index(&metrics.last_applied), index(&metrics.snapshot), index(&metrics.purged))
        };
        match step {
            Step::Purge(covered) => self.raft.trigger().purge_log(covered).await,
            Step::Snapshot => self.raft.trigger().snapshot().await,
            Step::Nothing => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_snapshot_shortens_the_log_however_long_it_takes_and_whatever_is_applied_meanwhile() {
        const CHECKS_TO_MAKE_ONE: u32 = 10;
        let (mut applied, mut snapshot, purged) = (1_000, 0, 0);
        let (mut begun, mut making) = (0, None);
        loop {
            match next_step(applied, snapshot, purged) {
                Step::Purge(covered) => break assert_eq!((covered, begun), (1_000, 1)),
                Step::Snapshot if making.is_none() => {
                    begun += 1;
                    making = Some((applied, CHECKS_TO_MAKE_ONE));
                }
                Step::Snapshot | Step::Nothing => {}
            }
            assert!(begun < 3, "one after the other, and nothing is purged");
            applied += 50;
            making = match making {
                Some((covered, 0)) => {
                    snapshot = covered;
                    None
                }
                Some((covered, left)) => Some((covered, left - 1)),
                None => None,
            };
        }
        assert_eq!(next_step(applied, snapshot, snapshot), Step::Snapshot, "the log may be too long again");
        assert_eq!(next_step(applied, applied, applied), Step::Nothing);
    }
}
