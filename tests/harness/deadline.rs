//! Waiting for something to become true.

use std::thread;
use std::time::{Duration, Instant};

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How long anything may take that has no bound of its own: generous, for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Polls until the probe returns a value.
///
/// # Panics
/// After a minute, with what was awaited and why the last probe was not content.
pub fn until<T>(what: &str, probe: impl FnMut() -> Result<T, String>) -> T {
    until_within(PATIENCE, what, probe)
}

/// [`until`] with a limit of its own.
pub fn until_within<T>(limit: Duration, what: &str, mut probe: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match probe() {
            Ok(value) => return value,
            Err(reason) if start.elapsed() > limit => {
                panic!("not within {limit:?}: {what}; last seen: {reason}")
            }
            Err(_) => thread::sleep(POLL_INTERVAL),
        }
    }
}
