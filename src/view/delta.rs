//! What changed lately, in the order it did.

use std::sync::Arc;

use imbl::OrdMap;

use super::fragment::{Fragmented, Fragments};
use crate::eureka::{Format, application_fragment};
use crate::registry::{AppName, Key, Registration};

/// The delta's entries by application, so that a change among many entries encodes only those of
/// its own application anew.
#[derive(Debug, Clone, Default)]
pub(super) struct Delta {
    groups: OrdMap<AppName, Arc<DeltaGroup>>,
    entries: usize,
}

/// The entries of one application. Never empty.
#[derive(Debug)]
pub(super) struct DeltaGroup {
    app: AppName,
    entries: OrdMap<u64, Arc<Registration>>,
    fragments: Fragments,
}

impl Delta {
    pub(super) fn add(&mut self, seq: u64, key: &Key, registration: &Arc<Registration>) {
        let group = self
            .groups
            .entry(key.app.clone())
            .or_insert_with(|| Arc::new(DeltaGroup::of(key.app.clone(), OrdMap::new())));
        if Arc::make_mut(group).entries.insert(seq, registration.clone()).is_none() {
            self.entries += 1;
        }
    }

    pub(super) fn drop_entry(&mut self, seq: u64, app: &AppName) {
        let Some(group) = self.groups.get_mut(app) else { return };
        let group = Arc::make_mut(group);
        if group.entries.remove(&seq).is_none() {
            return;
        }
        self.entries -= 1;
        if group.entries.is_empty() {
            self.groups.remove(app);
        }
    }

    /// The groups by the age of their first entry, oldest first.
    pub(super) fn groups(&self) -> Vec<&DeltaGroup> {
        let mut groups: Vec<&DeltaGroup> = self.groups.values().map(|group| &**group).collect();
        groups.sort_unstable_by_key(|group| group.entries.get_min().map(|(seq, _)| *seq));
        groups
    }

    pub(super) fn entry_count(&self) -> usize {
        self.entries
    }
}

impl DeltaGroup {
    fn of(app: AppName, entries: OrdMap<u64, Arc<Registration>>) -> Self {
        Self { app, entries, fragments: Fragments::default() }
    }
}

/// The same entries with nothing encoded, since a copy is made to be changed.
impl Clone for DeltaGroup {
    fn clone(&self) -> Self {
        Self::of(self.app.clone(), self.entries.clone())
    }
}

impl Fragmented for DeltaGroup {
    fn fragments(&self) -> &Fragments {
        &self.fragments
    }

    fn encode(&self, format: Format, out: &mut Vec<u8>) {
        let registrations = self.entries.values().map(|registration| &**registration);
        application_fragment(format, &self.app, registrations, out);
    }
}
