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
use std::ops::Bound;
use std::sync::Arc;

use crate::format::Format;

pub use change::{Cause, Change};
pub use decode_error::DecodeError;
pub use delta::{DELTA_MAX_ENTRIES, DELTA_RETENTION_MS, Delta, DeltaEntry};
pub use encoded_instance::{EncodedInstance, Listed, Said, Vips};
pub use instance::*;
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
    applications: BTreeMap<AppName, BTreeMap<InstanceId, Held>>,
    instance_count: usize,
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

#[derive(Debug, Clone)]
struct Held {
    registration: Arc<Registration>,
    document_hash: u64,
}

impl Held {
    fn hash(&self) -> u64 {
        state_hash::registration_hash(self.document_hash, &self.registration)
    }
}

impl Registry {
    pub fn get(&self, key: &Key) -> Option<&Arc<Registration>> {
        Some(&self.applications.get(&key.app)?.get(&key.id)?.registration)
    }

    /// All instances in the order of their applications' names and their ids.
    pub fn registrations(&self) -> impl Iterator<Item = (Key, &Arc<Registration>)> {
        self.applications().flat_map(|(app, instances)| {
            instances.map(move |(id, registration)| (Key::new(app.clone(), id.clone()), registration))
        })
    }

    /// Those of them that come after a key, which need not be one of them.
    pub fn registrations_after(&self, key: &Key) -> impl Iterator<Item = (Key, &Arc<Registration>)> {
        let after = (Bound::Excluded(&key.app), Bound::Unbounded);
        let others = self.applications.range::<AppName, _>(after);
        let others = others.map(|(app, instances)| (app, instances.range::<InstanceId, _>(..)));
        let after = (Bound::Excluded(&key.id), Bound::Unbounded);
        let same = self.applications.get_key_value(&key.app);
        let same = same.map(|(app, instances)| (app, instances.range::<InstanceId, _>(after)));
        same.into_iter().chain(others).flat_map(|(app, instances)| {
            instances.map(move |(id, held)| (Key::new(app.clone(), id.clone()), &held.registration))
        })
    }

    /// The same, application by application.
    pub fn applications(
        &self,
    ) -> impl Iterator<Item = (&AppName, impl Iterator<Item = (&InstanceId, &Arc<Registration>)>)> {
        self.applications
            .iter()
            .map(|(app, instances)| (app, instances.iter().map(|(id, held)| (id, &held.registration))))
    }

    pub fn delta(&self) -> &Delta {
        &self.delta
    }

    pub fn instance_count(&self) -> usize {
        self.instance_count
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
