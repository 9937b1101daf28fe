//! The recent changes that a client catches up from instead of fetching everything.
//!
//! Part of the replicated state, so that a client finds the same delta at whichever node it asks
//! next, also after a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::HashMap;

use super::lease::Registration;
use super::name::Key;

/// How long a change stays in the delta, milliseconds of the log's clock
/// (`retentionTimeInMSInDeltaQueue` of Eureka's server).
pub const DELTA_RETENTION_MS: i64 = 180_000;

/// Most changes kept. A client that needs more than these sees its hash differ and fetches the
/// whole registry, which is then the smaller answer.
pub const DELTA_MAX_ENTRIES: usize = 20_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeltaEntry {
    pub at_ms: i64,
    pub key: Key,
    /// The last of an instance that is gone; `None` while it is in the registry, which then has
    /// its current form.
    pub deleted: Option<Arc<Registration>>,
}

/// Changes in the order they happened, the latest of each instance only.
#[derive(Debug, Clone, Default)]
pub struct Delta {
    entries: BTreeMap<u64, Hashed>,
    /// Only ever asked for single keys: it has no order that could differ between nodes.
    sequences: HashMap<Key, u64>,
}

/// An entry with its part of the state hash, which is needed once more when it is dropped.
#[derive(Debug, Clone)]
struct Hashed {
    entry: DeltaEntry,
    hash: u64,
}

/// What is needed of an entry that is in the delta no more.
#[derive(Debug)]
pub(super) struct Dropped {
    pub(super) seq: u64,
    pub(super) key: Key,
    pub(super) hash: u64,
}

impl Delta {
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (u64, &DeltaEntry)> {
        self.entries.iter().map(|(seq, hashed)| (*seq, &hashed.entry))
    }

    /// Those of the entries that are still here.
    pub fn select(&self, sequences: &BTreeSet<u64>) -> Vec<(u64, DeltaEntry)> {
        let entry = |seq: &u64| self.entries.get(seq).map(|hashed| (*seq, hashed.entry.clone()));
        sequences.iter().filter_map(entry).collect()
    }

    /// Adds an entry with its part of the state hash; gives back the one it replaces.
    pub(super) fn add(&mut self, seq: u64, entry: DeltaEntry, hash: u64) -> Option<Dropped> {
        let former = self.sequences.insert(entry.key.clone(), seq);
        let replaced = former.and_then(|seq| self.entries.remove(&seq).map(|hashed| hashed.dropped(seq)));
        self.entries.insert(seq, Hashed { entry, hash });
        replaced
    }

    /// Takes out the oldest entry if it happened before `horizon_ms` or there are too many.
    pub(super) fn pop_outdated(&mut self, horizon_ms: i64) -> Option<Dropped> {
        let too_many = self.entries.len() > DELTA_MAX_ENTRIES;
        let oldest = self.entries.first_entry()?;
        if oldest.get().entry.at_ms >= horizon_ms && !too_many {
            return None;
        }
        let (seq, hashed) = oldest.remove_entry();
        self.sequences.remove(&hashed.entry.key);
        Some(hashed.dropped(seq))
    }
}

impl Hashed {
    fn dropped(self, seq: u64) -> Dropped {
        Dropped { seq, key: self.entry.key, hash: self.hash }
    }
}
