//! The wall clock, where one is needed at all: for the times that clients are shown.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What time it is. Clones are the same clock.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl WallClock {
    /// The clock of this machine.
    pub fn system() -> Self {
        Self::new(|| {
            let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
        })
    }

    /// A clock that shows what `epoch_ms` says, in milliseconds since 1970.
    pub fn new(epoch_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(epoch_ms))
    }

    /// Milliseconds since 1970. May go back at any time, as wall clocks do.
    pub fn epoch_ms(&self) -> i64 {
        (self.0)()
    }
}
