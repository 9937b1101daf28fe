//! Bugs for the simulation to find out, so that it is known to. Only there with the feature
//! `planted-bugs`, which no other program can be built with, and only on threads that plant one.

use std::cell::Cell;
use std::sync::Arc;

use crate::command::Command;
use crate::message::StateHeader;
use crate::raft::Machine;
use crate::registry::{Key, LoadError, Registry, Snapshot};

#[cfg(not(tokio_unstable))]
compile_error!("the feature planted-bugs is for the simulation alone, which tests/sim/run.sh builds");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A lease ends whatever came in since that was decided.
    ExpiresRenewedLeases,
    /// A snapshot has no status overrides.
    SnapshotForgetsOverrides,
    /// A snapshot tells every lease as renewed once.
    SnapshotForgetsRenewals,
    /// Applying takes its time from the node's clock, not from the log.
    AppliesByOwnClock,
    /// A node answers 404 to the renewal of what it does not have itself.
    DeniesByOwnState,
    /// A linearizable read asks nobody.
    ReadsOwnStateAtOnce,
}

thread_local! {
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    static CLOCK_MS: Cell<i64> = const { Cell::new(0) };
}

/// From now on this thread's program has that bug, or none, and this is what its node's clock shows.
pub fn plant(bug: Option<Bug>, clock_ms: i64) {
    PLANTED.set(bug);
    CLOCK_MS.set(clock_ms);
}

pub fn is_planted(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// The time at which a batch is applied.
pub fn time_of(stamped_ms: i64) -> i64 {
    if is_planted(Bug::AppliesByOwnClock) { CLOCK_MS.get() } else { stamped_ms }
}

/// The command that is applied in place of one.
pub fn applied(command: Command, registry: &Registry) -> Command {
    match command {
        Command::Expire { leases } if is_planted(Bug::ExpiresRenewedLeases) => {
            let current = |key: &Key| registry.get(key).map_or(0, |held| held.lease.renew_seq);
            Command::Expire {
                leases: leases.into_iter().map(|(key, _)| (key.clone(), current(&key))).collect(),
            }
        }
        command => command,
    }
}

/// What a snapshot is written of in place of the state.
pub fn written((mut header, mut snapshot): (StateHeader, Snapshot)) -> (StateHeader, Snapshot) {
    for (_, registration) in &mut snapshot.registrations {
        if is_planted(Bug::SnapshotForgetsOverrides) {
            Arc::make_mut(registration).overridden = None;
        }
        if is_planted(Bug::SnapshotForgetsRenewals) {
            Arc::make_mut(registration).lease.renew_seq = 1;
        }
    }
    // Who forgets a field does not hash it either.
    if let Err(LoadError::HashMismatch { found, .. }) = Registry::from_snapshot(snapshot.clone()) {
        header.state_hash = found;
        snapshot.state_hash = found;
    }
    (header, snapshot)
}

/// Whether the node answers a renewal by itself.
pub fn denies(command: &Command, machine: &Machine) -> bool {
    let Command::Renew { key, .. } = command else {
        return false;
    };
    is_planted(Bug::DeniesByOwnState) && machine.with_registry(|registry| registry.get(key).is_none())
}
