//! What the load and the watch saw, for the test to judge.

use std::collections::BTreeMap;
use std::fmt;
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
    longest_wait: Longest,
    longest_delay: Longest,
}

/// The longest of some durations, and when it was over.
#[derive(Default)]
struct Longest(Mutex<(Duration, Duration)>);

impl Longest {
    fn take(&self, duration: Duration, now: Duration) {
        let mut longest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if duration > longest.0 {
            *longest = (duration, now);
        }
    }
}

impl fmt::Display for Longest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (duration, now) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "{} ms at {:.2} s", duration.as_millis(), now.as_secs_f32())
    }
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
            longest_wait: Longest::default(),
            longest_delay: Longest::default(),
        }
    }

    /// Something happened that never may.
    pub fn violated(&self, kind: Kind, what: &str) {
        let told = format!("{:.2} s: {what}", self.start.elapsed().as_secs_f32());
        self.violations().entry(kind).or_default().push(told);
    }

    /// A client got its lease renewed, having tried for so long.
    pub fn renewed(&self, waited: Duration) {
        self.longest_wait.take(waited, self.start.elapsed());
        self.renewals.fetch_add(1, Ordering::Relaxed);
    }

    pub fn read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    /// The load itself was held up for this long, by the machine it runs on.
    pub fn delayed(&self, delay: Duration) {
        self.longest_delay.take(delay, self.start.elapsed());
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
        panic!("{}, and there are{told}", self.waits());
    }

    /// What took longest: to tell a cluster that is slow from a machine that is.
    pub fn waits(&self) -> String {
        format!(
            "a client waited {} for its renewal, the load itself was held up {}",
            self.longest_wait, self.longest_delay
        )
    }

    fn violations(&self) -> MutexGuard<'_, BTreeMap<Kind, Vec<String>>> {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
