//! The state machine: pure and synchronous. It knows no clock but the log's, does no I/O, and gives
//! the same answer and the same state for the same commands, on every node and at every replay.

mod apply;
#[cfg(test)]
pub mod arbitrary;
mod change;
mod changing;
mod decode_error;
mod delta;
mod encoded_instance;
mod instance;
pub mod instance_message;
mod instances;
mod lease;
mod load;
mod name;
mod outcome;
mod peer_progress;
mod self_preservation;
mod state_hash;
mod status;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::format::Format;

pub use change::{Cause, Change};
pub use decode_error::DecodeError;
pub use delta::{DELTA_MAX_ENTRIES, DELTA_RETENTION_MS, Delta, DeltaEntry};
pub use encoded_instance::{EncodedInstance, Listed, Said, Vips};
pub use instance::*;
use instances::Instances;
pub use lease::{Action, Keeper, Lease, Registration};
pub use load::{LoadError, Snapshot};
pub use name::{AppName, InstanceId, Key, MAX_NAME_BYTES, NameError, check_name};
pub use outcome::{MAX_CONFLICT_BYTES, Outcome, bound_conflicts};
pub use peer_progress::{MAX_EUREKA_PEERS, PeerProgress};
pub use self_preservation::{Scope, SelfPreservation, Silence};
pub use state_hash::StateHash;
pub use status::{Origin, Status, effective_status};

/// Every instance, its lease, the recent changes, and which leases are kept beyond their duration.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    instances: Instances,
    delta: Delta,
    self_preservation: BTreeMap<Scope, SelfPreservation>,
    /// Up to where each Eureka server that is told of changes knows of them.
    peer_progress: PeerProgress,
    /// What the cluster writes.
    format: Format,
    /// The log's clock, epoch milliseconds. Never goes backwards.
    now_ms: i64,
    /// The source of everything that must be unique and ascending: lease and delta sequences.
    sequence: u64,
    hash: StateHash,
}

impl Registry {
    pub fn get(&self, key: &Key) -> Option<&Arc<Registration>> {
        self.instances.get(key).map(|held| &held.registration)
    }

    /// All instances in the order of their applications' names and their ids.
    pub fn registrations(&self) -> impl Iterator<Item = (Key, &Arc<Registration>)> {
        self.applications().flat_map(|(app, instances)| {
            instances.map(move |(id, registration)| (Key::new(app.clone(), id.clone()), registration))
        })
    }

    /// Those of them that come after a key, which need not be one of them.
    pub fn registrations_after(&self, key: &Key) -> impl Iterator<Item = (Key, &Arc<Registration>)> {
        self.instances.after(key).flat_map(|(app, instances)| {
            instances.map(move |(id, held)| (Key::new(app.clone(), id.clone()), &held.registration))
        })
    }

    /// The same, application by application.
    pub fn applications(
        &self,
    ) -> impl Iterator<Item = (&AppName, impl Iterator<Item = (&InstanceId, &Arc<Registration>)>)> {
        let applications = self.instances.applications();
        applications.map(|(app, instances)| (app, instances.map(|(id, held)| (id, &held.registration))))
    }

    pub fn delta(&self) -> &Delta {
        &self.delta
    }

    pub fn instance_count(&self) -> usize {
        self.instances.len()
    }

    /// The log's clock, epoch milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// The last sequence given out.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What the cluster writes.
    pub fn format(&self) -> Format {
        self.format
    }

    pub fn state_hash(&self) -> StateHash {
        let mut hash = self.hash;
        hash.add(state_hash::clock_hash(self.now_ms, self.sequence));
        hash.add(state_hash::format_hash(self.format));
        hash.add(state_hash::peer_progress_hash(&self.peer_progress));
        hash
    }
}
