//! The recent changes that a client catches up from instead of fetching everything.
//!
//! Part of the replicated state, so that a client finds the same delta at whichever node it asks
//! next, also after a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    entries: BTreeMap<u64, DeltaEntry>,
    sequences: BTreeMap<Key, u64>,
}

impl Delta {
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (u64, &DeltaEntry)> {
        self.entries.iter().map(|(seq, entry)| (*seq, entry))
    }

    /// Those of the entries that are still here.
    pub fn select(&self, sequences: &BTreeSet<u64>) -> Vec<(u64, DeltaEntry)> {
        let entry = |seq: &u64| self.entries.get(seq).map(|entry| (*seq, entry.clone()));
        sequences.iter().filter_map(entry).collect()
    }

    /// Adds an entry; gives back the one it replaces.
    pub(super) fn add(&mut self, seq: u64, entry: DeltaEntry) -> Option<(u64, DeltaEntry)> {
        let former = self.sequences.insert(entry.key.clone(), seq);
        let replaced = former.and_then(|seq| self.entries.remove(&seq).map(|entry| (seq, entry)));
        self.entries.insert(seq, entry);
        replaced
    }

    /// Takes out the oldest entry if it happened before `horizon_ms` or there are too many.
    pub(super) fn pop_outdated(&mut self, horizon_ms: i64) -> Option<(u64, DeltaEntry)> {
        let (_, oldest) = self.entries.first_key_value()?;
        if oldest.at_ms >= horizon_ms && self.entries.len() <= DELTA_MAX_ENTRIES {
            return None;
        }
        let (seq, entry) = self.entries.pop_first()?;
        self.sequences.remove(&entry.key);
        Some((seq, entry))
    }
}
