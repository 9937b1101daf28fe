//! What came of the writes of many clients.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::latency::Latency;

/// Clones are the same tally.
#[derive(Clone)]
pub struct Tally(Arc<Mutex<Counts>>);

#[derive(Debug, Clone)]
pub struct Counts {
    /// Of writes that were acknowledged, from the first try on.
    pub latency: Latency,
    /// Tries that were followed by another at the next node.
    pub retried: u64,
    /// Writes that no node acknowledged.
    pub failed: Vec<String>,
    /// Longest time in which no write was acknowledged.
    pub longest_gap: Duration,
    since: Instant,
    last: Instant,
}

impl Counts {
    fn begin() -> Self {
        let now = Instant::now();
        Self {
            latency: Latency::default(),
            retried: 0,
            failed: Vec::new(),
            longest_gap: Duration::ZERO,
            since: now,
            last: now,
        }
    }

    pub fn per_second(&self) -> f64 {
        self.latency.count() as f64 / self.last.duration_since(self.since).as_secs_f64().max(1e-9)
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Counts::begin())))
    }
}

impl Tally {
    pub fn acknowledged(&self, sent: Instant) {
        let mut counts = self.counts();
        let now = Instant::now();
        counts.latency.record(now.duration_since(sent));
        counts.longest_gap = counts.longest_gap.max(now.saturating_duration_since(counts.last));
        counts.last = now;
    }

    pub fn retried(&self) {
        self.counts().retried += 1;
    }

    pub fn failed(&self, reason: String) {
        self.counts().failed.push(reason);
    }

    /// Everything until now; the next one begins here.
    pub fn take(&self) -> Counts {
        let mut counts = self.counts();
        let now = Instant::now();
        counts.longest_gap = counts.longest_gap.max(now.saturating_duration_since(counts.last));
        std::mem::replace(&mut counts, Counts::begin())
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
