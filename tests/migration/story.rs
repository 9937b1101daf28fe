//! What happened in a run, in order: what the test did, and what was wrong then.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Most lines kept; a run that goes wrong may find one fault after the other.
const MAX_LINES: usize = 400;

/// Most violations told when a run fails.
const MAX_TOLD: usize = 10;

/// A fault that is found again within this is still the same one.
const SAME_FAULT: Duration = Duration::from_secs(2);

pub struct Story {
    begun: Instant,
    lines: Mutex<Vec<Line>>,
}

struct Line {
    at: Duration,
    what: String,
    /// Of a violation: when it was found last, and how often.
    found: Option<(Duration, u32)>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:7.2} s  ", self.at.as_secs_f64())?;
        match self.found {
            None => f.write_str(&self.what),
            Some((_, 1)) => write!(f, "VIOLATED: {}", self.what),
            Some((last, times)) => {
                let last = last.as_secs_f64();
                write!(f, "VIOLATED: {} ({times} times until {last:.2} s)", self.what)
            }
        }
    }
}

impl Story {
    pub fn begin() -> Self {
        Self { begun: Instant::now(), lines: Mutex::default() }
    }

    /// Tells what the test does, or what it has come to know.
    pub fn tell(&self, what: &str) {
        self.add(what, None);
    }

    /// Tells of something that must not be.
    pub fn violated(&self, what: &str) {
        let now = self.begun.elapsed();
        let found_again = |line: &&mut Line| line.what == what && line.found.is_some();
        let mut lines = self.lines();
        if let Some((last, times)) =
            lines.iter_mut().rev().find(found_again).and_then(|line| line.found.as_mut())
            && now.saturating_sub(*last) < SAME_FAULT
        {
            (*last, *times) = (now, *times + 1);
            return;
        }
        drop(lines);
        self.add(what, Some((now, 1)));
    }

    /// What was violated, as far as it is told.
    pub fn violations(&self) -> Vec<String> {
        let lines = self.lines();
        lines.iter().filter(|line| line.found.is_some()).take(MAX_TOLD).map(Line::to_string).collect()
    }

    /// # Panics
    /// When there has been a violation.
    pub fn assert_kept(&self) {
        let violations = self.violations();
        assert!(violations.is_empty(), "the first of what must not be:\n{}", violations.join("\n"));
    }

    pub fn text(&self) -> String {
        self.lines().iter().map(|line| format!("{line}\n")).collect()
    }

    fn add(&self, what: &str, found: Option<(Duration, u32)>) {
        let at = self.begun.elapsed();
        let mut lines = self.lines();
        if lines.len() < MAX_LINES {
            lines.push(Line { at, what: what.to_owned(), found });
        }
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
