//! The time that counts: behind the warm-up, until it is over or someone asks to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Asks everyone who holds a clone to send nothing more.
#[derive(Debug, Clone, Default)]
pub struct Halt(Arc<AtomicBool>);

impl Halt {
    pub fn call(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_called(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// For requests that were due within the window and came late, so that the last of them are not left out.
const LATE_GRACE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub struct Window {
    /// When the warm-up begins.
    pub start: Instant,
    /// When the warm-up is over.
    pub begin: Instant,
    pub end: Instant,
    halt: Halt,
}

impl Window {
    pub fn starting_now(warm_up: Duration, duration: Duration, halt: Halt) -> Self {
        let start = Instant::now();
        let begin = start + warm_up;
        Self { start, begin, end: begin + duration, halt }
    }

    pub fn counts(&self, moment: Instant) -> bool {
        (self.begin..self.end).contains(&moment)
    }

    /// Whether not even what was due within it is to be sent at this moment.
    pub fn is_past(&self, now: Instant) -> bool {
        now >= self.end + LATE_GRACE || self.is_halted()
    }

    /// Whether nothing new is to be sent at this moment.
    pub fn is_over(&self, now: Instant) -> bool {
        now >= self.end || self.is_halted()
    }

    pub fn is_halted(&self) -> bool {
        self.halt.is_called()
    }

    pub fn duration(&self) -> Duration {
        self.end - self.begin
    }
}
