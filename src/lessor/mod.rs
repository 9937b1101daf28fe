//! The leader's part in leases: it alone keeps deadlines, and proposes the expiry of those that
//! pass. Whether a lease really ends is decided in the log.

mod clock;
mod deadlines;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::command::Command;
use crate::propose::Proposer;
use crate::registry::{Change, Key, Registry};
use clock::LeaseClock;
use deadlines::Deadlines;

/// Leases in one expiry command: small enough to leave room for renewals beside it.
const LEASES_PER_COMMAND: usize = 1000;

/// Follows the registry's leases while this node leads.
pub struct Lessor {
    state: Mutex<State>,
}

struct State {
    leading: bool,
    clock: LeaseClock,
    deadlines: Deadlines,
}

impl Lessor {
    /// A lessor that is to be looked at every `tick`.
    pub fn new(tick: Duration) -> Self {
        let clock = LeaseClock::new(tick, Instant::now());
        Self { state: Mutex::new(State { leading: false, clock, deadlines: Deadlines::new(tick) }) }
    }

    /// Begins to keep deadlines: every lease has its whole duration from now. To be called while
    /// nothing is applied to the registry.
    pub fn lead(&self, registry: &Registry) {
        let mut state = self.state();
        state.leading = true;
        state.restart(registry);
    }

    /// Leaves the deadlines to another node.
    pub fn follow(&self) {
        let mut state = self.state();
        state.leading = false;
        state.deadlines.clear();
    }

    pub fn applied(&self, changes: &[Change]) {
        let mut state = self.state();
        if !state.leading {
            return;
        }
        let now_ms = state.clock.read_ms(Instant::now());
        for change in changes {
            match change {
                Change::Put { key, registration } => {
                    state.deadlines.renew(key, &registration.lease, now_ms);
                }
                Change::Renewed { key, lease } => state.deadlines.renew(key, lease, now_ms),
                Change::Removed { key } => state.deadlines.remove(key),
                Change::DeltaAdded { .. } | Change::DeltaDropped { .. } => {}
            }
        }
    }

    pub fn replaced(&self, registry: &Registry) {
        let mut state = self.state();
        if state.leading {
            state.restart(registry);
        }
    }

    /// Looks at the time: the leases that ran out, with the sequence each ran out at. While
    /// `in_touch` is false, clients may be unable to renew for reasons of ours, and time stands still.
    fn tick(&self, in_touch: bool) -> Vec<(Key, u64)> {
        let mut state = self.state();
        let now_ms = state.clock.tick(Instant::now(), in_touch);
        if state.leading { state.deadlines.due(now_ms) } else { Vec::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn restart(&mut self, registry: &Registry) {
        let now_ms = self.clock.read_ms(Instant::now());
        self.deadlines.clear();
        for (key, registration) in registry.registrations() {
            self.deadlines.renew(&key, &registration.lease, now_ms);
        }
    }
}

/// Proposes expiries as leases run out. Waits for each to be decided: while that takes long, the
/// lease clock stands still, as renewals take long then too. Runs until it is dropped.
pub async fn expire(lessor: &Lessor, proposer: &Proposer, tick: Duration, in_touch: impl Fn() -> bool) {
    let mut ticks = tokio::time::interval(tick);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let due = lessor.tick(in_touch());
        for leases in due.chunks(LEASES_PER_COMMAND) {
            let command = Command::Expire { leases: leases.to_vec() };
            match proposer.propose(&command).await {
                Ok(outcome) => tracing::info!(due = leases.len(), ?outcome, "leases ran out"),
                Err(error) => tracing::warn!(%error, due = leases.len(), "leases that ran out stay for now"),
            }
        }
    }
}
