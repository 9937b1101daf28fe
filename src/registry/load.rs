//! The whole registry taken out and put back: what snapshots and the stored state carry.

use std::sync::Arc;

use super::delta::DeltaEntry;
use super::instances::Held;
use super::lease::Registration;
use super::name::Key;
use super::state_hash::{delta_entry_hash, document_hash, registration_hash};
use super::{PeerProgress, Registry, Scope, SelfPreservation};
use crate::format::Format;

/// Everything the registry is made of, in the order of its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub now_ms: i64,
    pub sequence: u64,
    pub state_hash: u64,
    pub registrations: Vec<(Key, Arc<Registration>)>,
    pub delta: Vec<(u64, DeltaEntry)>,
    pub self_preservation: Vec<(Scope, SelfPreservation)>,
    pub peer_progress: PeerProgress,
    pub format: Format,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    #[error(
        "the records do not add up to the state they were stored with \
         (hash {found:016x}, stored {stored:016x}): some are damaged, missing or out of date"
    )]
    HashMismatch { stored: u64, found: u64 },
    #[error("the recent change {seq} names {key}, which is not in the registry")]
    DanglingDelta { seq: u64, key: Key },
}

impl Registry {
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            now_ms: self.now_ms,
            sequence: self.sequence,
            state_hash: self.state_hash().value(),
            registrations: self.registrations().map(|(key, held)| (key, held.clone())).collect(),
            delta: self.delta.entries().map(|(seq, entry)| (seq, entry.clone())).collect(),
            self_preservation: self.self_preservation.clone().into_iter().collect(),
            peer_progress: self.peer_progress.clone(),
            format: self.format,
        }
    }

    /// Puts a registry together again and makes sure that it is the one that was taken apart.
    ///
    /// # Errors
    /// [`LoadError`] if parts are missing, too many, or not as they were.
    pub fn from_snapshot(snapshot: Snapshot) -> Result<Self, LoadError> {
        let Snapshot { now_ms, sequence, format, peer_progress, .. } = snapshot;
        let mut registry = Registry { now_ms, sequence, format, peer_progress, ..Registry::default() };
        registry.put_all(snapshot.registrations);
        for (seq, entry) in snapshot.delta {
            if entry.deleted.is_none() && registry.get(&entry.key).is_none() {
                return Err(LoadError::DanglingDelta { seq, key: entry.key });
            }
            let deleted = entry
                .deleted
                .as_ref()
                .map_or(0, |last| registration_hash(document_hash(&entry.key, &last.instance), last));
            let hash = delta_entry_hash(seq, &entry, deleted);
            registry.hash.add(hash);
            registry.delta.add(seq, entry, hash);
        }
        for (scope, in_force) in snapshot.self_preservation {
            registry.put_self_preservation(scope, Some(in_force));
        }
        let found = registry.state_hash().value();
        if found != snapshot.state_hash {
            return Err(LoadError::HashMismatch { stored: snapshot.state_hash, found });
        }
        Ok(registry)
    }

    /// Into an empty registry.
    fn put_all(&mut self, registrations: Vec<(Key, Arc<Registration>)>) {
        let held = registrations.into_iter().map(|(key, registration)| {
            let held = Held::new(&key, registration);
            self.hash.add(held.hash());
            (key, held)
        });
        self.instances.put_all(held.collect());
    }
}
