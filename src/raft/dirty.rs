//! What the stored state lacks: kept while commands are applied, handed over at each flush.

use std::collections::BTreeSet;

use foldhash::HashMap;

use crate::registry::{Change, Key, Registry};
use crate::storage::{InstanceUpdate, StateUpdate};

#[derive(Debug, Default)]
pub struct Dirty {
    instances: HashMap<Key, Part>,
    delta_added: BTreeSet<u64>,
    delta_dropped: BTreeSet<u64>,
    /// The whole state was replaced; only a whole one can follow.
    everything: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Lease,
    Whole,
    Gone,
}

impl Dirty {
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    pub fn is_everything(&self) -> bool {
        self.everything
    }

    pub fn note(&mut self, changes: &[Change]) {
        if self.everything {
            return;
        }
        for change in changes {
            match change {
                Change::Put { key, .. } => {
                    self.instances.insert(key.clone(), Part::Whole);
                }
                Change::Removed { key, .. } => {
                    self.instances.insert(key.clone(), Part::Gone);
                }
                Change::Renewed { key, .. } => {
                    self.instances.entry(key.clone()).or_insert(Part::Lease);
                }
                Change::DeltaAdded { seq, .. } => {
                    self.delta_added.insert(*seq);
                }
                Change::DeltaDropped { seq, .. } => {
                    // One that came and went between two flushes was never stored.
                    if !self.delta_added.remove(seq) {
                        self.delta_dropped.insert(*seq);
                    }
                }
                // In the header, which is stored each time.
                Change::SelfPreservation { .. } => {}
            }
        }
    }

    /// The records to store, as they are now. The header is the caller's to fill in.
    pub fn take(&mut self, registry: &Registry) -> StateUpdate {
        let taken = std::mem::take(self);
        let instances = taken.instances.into_iter().map(|(key, part)| {
            let registration = if part == Part::Gone { None } else { registry.get(&key) };
            match registration {
                None => InstanceUpdate::Removed(key),
                Some(registration) if part == Part::Lease => InstanceUpdate::Lease(key, registration.clone()),
                Some(registration) => InstanceUpdate::Document(key, registration.clone()),
            }
        });
        StateUpdate {
            instances: instances.collect(),
            delta_added: registry.delta().select(&taken.delta_added),
            delta_dropped: taken.delta_dropped.into_iter().collect(),
            ..StateUpdate::default()
        }
    }
}
