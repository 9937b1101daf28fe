//! What the load and the watch saw, for the test to judge.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Violations of each kind that are told when a test fails; one fault can make thousands.
const TOLD: usize = 8;
/// How long a test that has failed goes on, for clients to find out what became of their leases.
const AFTERMATH: Duration = Duration::from_secs(2);

pub struct Record {
    start: Instant,
    violations: Mutex<BTreeMap<Kind, Vec<String>>>,
    renewals: AtomicU64,
    reads: AtomicU64,
    longest_delay_ms: AtomicU64,
}

/// Where a violation was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Renewal,
    Read,
    Operation,
}

impl Record {
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            violations: Mutex::default(),
            renewals: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            longest_delay_ms: AtomicU64::new(0),
        }
    }

    /// Something happened that never may.
    pub fn violated(&self, kind: Kind, what: &str) {
        let told = format!("{:.2} s: {what}", self.start.elapsed().as_secs_f32());
        self.violations().entry(kind).or_default().push(told);
    }

    pub fn renewed(&self) {
        self.renewals.fetch_add(1, Ordering::Relaxed);
    }

    pub fn read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    /// The load itself was held up for this long, by the machine it runs on.
    pub fn delayed(&self, delay: Duration) {
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.longest_delay_ms.fetch_max(delay_ms, Ordering::Relaxed);
    }

    pub fn renewals(&self) -> u64 {
        self.renewals.load(Ordering::Relaxed)
    }

    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// # Panics
    /// When there is a violation.
    pub fn assert_unviolated(&self) {
        if self.violations().is_empty() {
            return;
        }
        thread::sleep(AFTERMATH);
        let mut told = String::new();
        for (kind, violations) in self.violations().iter() {
            let first = violations[..violations.len().min(TOLD)].join("\n");
            told.push_str(&format!("\n{kind:?}: {} violations, the first:\n{first}", violations.len()));
        }
        let delay_ms = self.longest_delay_ms.load(Ordering::Relaxed);
        panic!("the load itself was held up for {delay_ms} ms at most, and there are{told}");
    }

    fn violations(&self) -> MutexGuard<'_, BTreeMap<Kind, Vec<String>>> {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
