//! Who leads, waiting for it, and what the leader alone keeps doing.

use std::future::Future;
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::{Instant as _, RaftMetrics, ServerState};
use tokio::time::{Instant, MissedTickBehavior, timeout};

use super::consensus::Consensus;
use super::types::{NodeId, TypeConfig};
use crate::storage::Part;

/// How often is looked again at what nobody tells of: that this node's log has failed.
const LOOK: Duration = Duration::from_secs(1);

/// Who leads, as far as this node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leader {
    ThisNode,
    Other(NodeId),
    Unknown,
}

impl Consensus {
    pub fn leader(&self) -> Leader {
        self.leader_by(&self.raft.metrics().borrow_watched())
    }

    pub(super) fn leader_by(&self, metrics: &RaftMetrics<TypeConfig>) -> Leader {
        match metrics.running_state {
            Ok(()) => self.leader_of(metrics.state, metrics.current_leader),
            Err(_) => Leader::Unknown,
        }
    }

    fn leader_of(&self, state: ServerState, leader: Option<NodeId>) -> Leader {
        match leader {
            _ if self.log_failures.of(Part::Log).is_some() => Leader::Unknown,
            Some(id) if id == self.node_id() && state == ServerState::Leader => Leader::ThisNode,
            Some(id) if id != self.node_id() => Leader::Other(id),
            _ => Leader::Unknown,
        }
    }

    /// Returns once `is` holds of who leads. May be dropped at any time.
    pub async fn until_leader(&self, is: impl Fn(Leader) -> bool) {
        let mut changes = self.raft.server_metrics();
        loop {
            let leader = {
                let now = changes.borrow_and_update();
                self.leader_of(now.state, now.current_leader)
            };
            if is(leader) {
                return;
            }
            // Once Raft has stopped nothing changes any more.
            if let Ok(Err(_)) = timeout(LOOK, changes.changed()).await {
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// Has `work` done whenever this node leads, for as long as it does. Runs until it is dropped.
    pub async fn while_leading<F: Future<Output = ()>>(&self, work: impl Fn() -> F) {
        loop {
            self.until_leader(|leader| leader == Leader::ThisNode).await;
            tokio::select! {
                () = work() => {}
                () = self.until_leader(|leader| leader != Leader::ThisNode) => {}
            }
        }
    }

    /// As leader, lets the others know each `interval` that it is there, unless all have just answered something
    /// else. Runs until it is dropped.
    pub async fn keep_heartbeat(&self, interval: Duration) {
        self.while_leading(|| self.beat(interval)).await;
    }

    async fn beat(&self, interval: Duration) {
        let mut beats = tokio::time::interval(interval);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last_beat = None;
        loop {
            let now = beats.tick().await;
            if self.all_answered_other_than(last_beat, interval) {
                continue;
            }
            last_beat = Some(now);
            if self.raft.trigger().heartbeat().await.is_err() {
                // Raft has stopped, of which the next change of roles tells.
                return std::future::pending().await;
            }
        }
    }

    /// Whether each of the others has lately answered something that was sent to it, and not just the last heartbeat.
    fn all_answered_other_than(&self, last_beat: Option<Instant>, interval: Duration) -> bool {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let Some(sent) = &metrics.heartbeat else {
            return false;
        };
        let beat_age = last_beat.map(|beat| beat.elapsed());
        let mut others = sent.iter().filter(|(id, _)| **id != self.node_id());
        others
            .all(|(_, sent)| sent.as_ref().is_some_and(|sent| stands_in(sent.elapsed(), beat_age, interval)))
    }
}

/// Whether what was sent that long ago, and answered, makes a heartbeat superfluous: not so the last one itself, which
/// leaves soon after it is due.
fn stands_in(age: Duration, last_beat_age: Option<Duration>, interval: Duration) -> bool {
    let is_later = last_beat_age.is_none_or(|beat_age| age + interval / 5 < beat_age);
    is_later && age < interval + interval / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_since_the_last_heartbeat_stands_in_for_the_next() {
        const INTERVAL: Duration = Duration::from_millis(50);
        let stands_in = |age_ms, beat_age_ms: Option<u64>| {
            let ms = Duration::from_millis;
            super::stands_in(ms(age_ms), beat_age_ms.map(ms), INTERVAL)
        };
        assert!(stands_in(1, None));
        assert!(stands_in(74, None), "what comes every interval is enough, whenever it is looked");
        assert!(!stands_in(75, None));

        // Only the heartbeat of the last look has been answered, which left at once or somewhat later.
        assert!(!stands_in(50, Some(50)));
        assert!(!stands_in(41, Some(50)));
        assert!(stands_in(39, Some(50)));
        // Nothing since the heartbeat before the last look.
        assert!(!stands_in(100, Some(100)));
        assert!(stands_in(60, Some(100)));
    }
}
