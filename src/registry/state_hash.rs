//! A hash of the whole registry that costs what a change costs.
//!
//! The sum of a hash for each part (an instance, a delta entry, the clock): a change takes the old
//! part's hash away and adds the new one's. Equal states have equal hashes, whatever order they
//! were reached in; stored beside the state, it finds damage and stale records when that is loaded.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::delta::DeltaEntry;
use super::encoded_instance::EncodedInstance;
use super::lease::{Action, Keeper, Registration};
use super::name::Key;
use super::peer_progress::PeerProgress;
use super::self_preservation::{Scope, SelfPreservation};
use crate::format::Format;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StateHash(u64);

impl StateHash {
    pub fn value(self) -> u64 {
        self.0
    }

    pub(super) fn add(&mut self, part: u64) {
        self.0 = self.0.wrapping_add(part);
    }

    pub(super) fn remove(&mut self, part: u64) {
        self.0 = self.0.wrapping_sub(part);
    }
}

/// The hash of an instance under its key, by way of its document's ([`document_hash`]).
pub(super) fn registration_hash(document: u64, registration: &Registration) -> u64 {
    let lease = &registration.lease;
    let action = match registration.action {
        Action::Added => 1,
        Action::Modified => 2,
        Action::Deleted => 3,
    };
    let keeper = match lease.keeper {
        Keeper::Client => 0,
        Keeper::Peer => 1,
        Keeper::Import => 2,
        Keeper::Nobody => 3,
    };
    words_hash(
        document,
        [
            registration.status as u64 + 1,
            registration.overridden.map_or(0, |status| status as u64 + 1),
            registration.last_dirty_ms as u64,
            registration.last_updated_ms as u64,
            action | keeper << 8,
            lease.duration_ms,
            lease.registered_ms as u64,
            lease.renewed_ms as u64,
            lease.evicted_ms as u64,
            lease.service_up_ms as u64,
            lease.renew_seq,
        ],
    )
}

/// The hash of an entry of the delta; `deleted` is that of the instance it has the last of
/// ([`registration_hash`]), 0 if that is still in the registry.
pub(super) fn delta_entry_hash(seq: u64, entry: &DeltaEntry, deleted: u64) -> u64 {
    words_hash(key_hash(&entry.key), [seq, entry.at_ms as u64, deleted])
}

pub(super) fn self_preservation_hash(scope: &Scope, in_force: &SelfPreservation) -> u64 {
    let SelfPreservation { since_ms, silence } = in_force;
    // No application has the empty name.
    let app = scope.application().map_or("", |app| app.as_str());
    let words = [since_ms.cast_unsigned(), silence.silent.into(), silence.leases.into()];
    words_hash(xxh3_64(app.as_bytes()), words)
}

pub(super) fn clock_hash(now_ms: i64, sequence: u64) -> u64 {
    words_hash(0, [now_ms as u64, sequence])
}

/// Nothing for the first format: states were hashed before there was another.
pub(super) fn format_hash(format: Format) -> u64 {
    match format {
        Format::FIRST => 0,
        later => words_hash(1, [later.number().into()]),
    }
}

pub(super) fn peer_progress_hash(progress: &PeerProgress) -> u64 {
    let parts =
        progress.iter().map(|(url, at_ms)| words_hash(xxh3_64(url.as_bytes()), [at_ms.cast_unsigned()]));
    parts.fold(0, u64::wrapping_add)
}

fn key_hash(key: &Key) -> u64 {
    xxh3_64_with_seed(key.id.as_str().as_bytes(), xxh3_64(key.app.as_str().as_bytes()))
}

fn words_hash<const N: usize>(seed: u64, words: [u64; N]) -> u64 {
    let bytes = words.map(u64::to_le_bytes);
    xxh3_64_with_seed(bytes.as_flattened(), seed)
}

/// The hash of an instance's document and the key it is kept under.
pub(super) fn document_hash(key: &Key, instance: &EncodedInstance) -> u64 {
    xxh3_64_with_seed(instance.bytes(), key_hash(key))
}
