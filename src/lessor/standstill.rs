//! When the lease clock has to stand still, and telling so if it does for long.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::clock::millis;

/// Renewals that take longer than this may be given up by their clients, and then by this node.
const PROMPT: Duration = Duration::from_millis(300);
/// A standstill that an operator should know of.
const LONG: Duration = Duration::from_secs(1);

/// Why renewals may not get into the log although clients send them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    OutOfTouch,
    SlowWrites,
}

impl Hindrance {
    /// `undecided`: how long the writes at this node have been waiting for one to be decided.
    pub fn found(in_touch: bool, undecided: Duration) -> Option<Self> {
        match () {
            () if !in_touch => Some(Self::OutOfTouch),
            () if undecided > PROMPT => Some(Self::SlowWrites),
            () => None,
        }
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfTouch => "a quorum is out of touch",
            Self::SlowWrites => "writes take too long; look at the disks and the processors of the nodes",
        })
    }
}

/// Since when the lease clock stands still.
#[derive(Debug, Default)]
pub struct Standstill {
    since: Option<Instant>,
    told: bool,
}

impl Standstill {
    /// Takes what is so now; writes to the log when a standstill gets long, and when that is over.
    pub fn tell(&mut self, now: Instant, hindrance: Option<Hindrance>) {
        let Some(hindrance) = hindrance else {
            if let Self { since: Some(since), told: true } = self {
                let for_ms = millis(now - *since);
                tracing::warn!(for_ms, "leases run on; they stood still");
            }
            *self = Self::default();
            return;
        };
        let since = *self.since.get_or_insert(now);
        if !self.told && now - since >= LONG {
            self.told = true;
            tracing::warn!(reason = %hindrance, "leases stand still: none runs out for now");
        }
    }
}
