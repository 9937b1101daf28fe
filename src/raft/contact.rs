//! When this node last heard from a leader, and how far that leader had committed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Read by every request, written by every append; a torn pair of the two numbers harms nobody.
#[derive(Debug)]
pub struct Contact {
    start: Instant,
    heard_ms: AtomicU64,
    leader_commit: AtomicU64,
    caught_up: AtomicBool,
}

const NEVER: u64 = u64::MAX;

impl Default for Contact {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            heard_ms: AtomicU64::new(NEVER),
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
        if self.heard_ms.load(Ordering::Relaxed) != NEVER && applied >= self.leader_commit() {
            self.caught_up.store(true, Ordering::Relaxed);
        }
        let now_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(NEVER - 1);
        self.heard_ms.store(now_ms, Ordering::Relaxed);
        self.leader_commit.fetch_max(leader_commit, Ordering::Relaxed);
    }

    /// How long ago; since the start if never.
    pub fn silence(&self) -> Duration {
        match self.heard_ms.load(Ordering::Relaxed) {
            NEVER => self.start.elapsed(),
            heard_ms => self.start.elapsed().saturating_sub(Duration::from_millis(heard_ms)),
        }
    }

    /// Whether this node had everything that it knew to be committed, at one moment since the start.
    pub fn has_caught_up(&self) -> bool {
        self.caught_up.load(Ordering::Relaxed)
    }

    pub fn leader_commit(&self) -> u64 {
        self.leader_commit.load(Ordering::Relaxed)
    }
}
