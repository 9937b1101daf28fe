//! When this node last heard from a leader, or as one from a quorum, and how far that leader had committed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Read by every request, written by every append; a torn pair of the two numbers harms nobody.
#[derive(Debug)]
pub struct Contact {
    start: Instant,
    heard_ms: AtomicU64,
    /// As leader, from a quorum; 0 if never.
    led_ms: AtomicU64,
    leader_commit: AtomicU64,
    caught_up: AtomicBool,
}

const NEVER: u64 = u64::MAX;

impl Default for Contact {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            heard_ms: AtomicU64::new(NEVER),
            led_ms: AtomicU64::new(0),
            leader_commit: AtomicU64::new(0),
            caught_up: AtomicBool::new(false),
        }
    }
}

impl Contact {
    /// A leader was in touch; it had committed as far as `leader_commit`, this node applied as far
    /// as `applied`.
    pub fn heard(&self, leader_commit: u64, applied: u64) {
        // What the leader had committed when it was last in touch is fair to ask for.
        if self.has_heard() && applied >= self.leader_commit() {
            self.caught_up.store(true, Ordering::Relaxed);
        }
        self.heard_ms.store(self.now_ms(), Ordering::Relaxed);
        self.leader_commit.fetch_max(leader_commit, Ordering::Relaxed);
    }

    /// This node leads, and a quorum was in touch that long ago. To be called now and then while it leads,
    /// so that its silence is not counted from before when it no longer does.
    pub fn led(&self, quorum_ago: Duration) {
        let ago_ms = u64::try_from(quorum_ago.as_millis()).unwrap_or(u64::MAX);
        self.led_ms.fetch_max(self.now_ms().saturating_sub(ago_ms), Ordering::Relaxed);
    }

    /// How long ago; since the start if never.
    pub fn silence(&self) -> Duration {
        let heard_ms = match self.heard_ms.load(Ordering::Relaxed) {
            NEVER => 0,
            heard_ms => heard_ms,
        };
        let last_ms = heard_ms.max(self.led_ms.load(Ordering::Relaxed));
        self.start.elapsed().saturating_sub(Duration::from_millis(last_ms))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }

    /// Whether a leader was ever in touch.
    pub fn has_heard(&self) -> bool {
        self.heard_ms.load(Ordering::Relaxed) != NEVER
    }

    /// Whether this node had everything that it knew to be committed, at one moment since the start.
    pub fn has_caught_up(&self) -> bool {
        self.caught_up.load(Ordering::Relaxed)
    }

    pub fn leader_commit(&self) -> u64 {
        self.leader_commit.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_former_leader_counts_its_silence_from_when_it_led() {
        let contact = Contact { start: Instant::now() - Duration::from_secs(60), ..Contact::default() };
        assert!(contact.silence() >= Duration::from_secs(60));
        contact.led(Duration::from_secs(10));
        let silence = contact.silence();
        assert!(silence >= Duration::from_secs(10) && silence < Duration::from_secs(60), "{silence:?}");
        contact.led(Duration::from_secs(20));
        assert!(contact.silence() < Duration::from_secs(20), "what is older does not count");
    }
}
