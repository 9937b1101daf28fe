//! Clients that run beside a test.

use std::sync::atomic::{AtomicBool, Ordering};

/// Sets a flag when it goes, also by a panic, so that no client outlives the test's other part.
pub struct StopOnDrop<'a>(pub &'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
