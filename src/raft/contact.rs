//! When this node last heard from a leader, and how far that leader had committed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Read by every request, written by every append; a torn pair of the two numbers harms nobody.
#[derive(Debug)]
pub struct Contact {
    start: Instant,
    heard_ms: AtomicU64,
    leader_commit: AtomicU64,
}

const NEVER: u64 = u64::MAX;

impl Default for Contact {
    fn default() -> Self {
        Self { start: Instant::now(), heard_ms: AtomicU64::new(NEVER), leader_commit: AtomicU64::new(0) }
    }
}

impl Contact {
    pub fn heard(&self, leader_commit: Option<u64>) {
        let now_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(NEVER - 1);
        self.heard_ms.store(now_ms, Ordering::Relaxed);
        self.leader_commit.fetch_max(leader_commit.unwrap_or(0), Ordering::Relaxed);
    }

    /// How long ago; since the start if never.
    pub fn silence(&self) -> Duration {
        match self.heard_ms.load(Ordering::Relaxed) {
            NEVER => self.start.elapsed(),
            heard_ms => self.start.elapsed().saturating_sub(Duration::from_millis(heard_ms)),
        }
    }

    pub fn ever_heard(&self) -> bool {
        self.heard_ms.load(Ordering::Relaxed) != NEVER
    }

    pub fn leader_commit(&self) -> u64 {
        self.leader_commit.load(Ordering::Relaxed)
    }
}
