//! What every command comes down to: an instance is put, touched or removed. The hash, the delta and those who follow
//! the registry are told.

use std::sync::Arc;

use super::delta::{DELTA_RETENTION_MS, DeltaEntry, Dropped};
use super::instances::Held;
use super::lease::{Action, Keeper, Registration};
use super::name::Key;
use super::state_hash::{StateHash, delta_entry_hash};
use super::{Cause, Change, Registry};

/// A renewal, and what it is part of.
#[derive(Clone, Copy)]
pub(super) struct Touch {
    pub cause: Cause,
    /// `None`: who it was.
    pub keeper: Option<Keeper>,
    /// Whether a reader could tell.
    pub visible: bool,
}

/// An instance in its place, and what moves with it.
pub(super) struct Found<'r> {
    held: &'r mut Held,
    hash: &'r mut StateHash,
    sequence: &'r mut u64,
    now_ms: i64,
}

impl<'r> Found<'r> {
    pub(super) fn registration(&self) -> &Registration {
        &self.held.registration
    }

    /// Renews the lease and changes what goes with it. Nobody is told of it yet: see [`Registry::touched`].
    pub(super) fn touch(
        self,
        Touch { keeper, visible, .. }: Touch,
        change: impl FnOnce(&mut Registration),
    ) -> &'r Arc<Registration> {
        let Found { held, hash, sequence, now_ms } = self;
        *sequence += 1;
        hash.remove(held.hash());
        let registration = Arc::make_mut(&mut held.registration);
        registration.lease.renewed_ms = now_ms;
        registration.lease.renew_seq = *sequence;
        registration.lease.keeper = keeper.unwrap_or(registration.lease.keeper);
        change(registration);
        if visible {
            registration.action = Action::Modified;
        }
        hash.add(held.hash());
        &held.registration
    }
}

impl Registry {
    pub(super) fn put(
        &mut self,
        key: Key,
        registration: Arc<Registration>,
        cause: Cause,
        changes: &mut Vec<Change>,
    ) {
        let held = Held::new(&key, registration.clone());
        self.hash.add(held.hash());
        let (key, former) = self.instances.put(key, held);
        if let Some(former) = former {
            self.hash.remove(former.hash());
        }
        changes.push(Change::Put { key: key.clone(), registration: registration.clone(), cause });
        self.add_to_delta(key, registration, None, changes);
    }

    /// Renews a lease and changes what goes with it.
    pub(super) fn touch(
        &mut self,
        key: &Key,
        touch: Touch,
        changes: &mut Vec<Change>,
        change: impl FnOnce(&mut Registration),
    ) {
        if let Some(found) = self.find(key) {
            let registration = found.touch(touch, change).clone();
            self.touched(key, registration, touch, changes);
        }
    }

    /// An instance to [`Found::touch`], looked up once for all that has to be known of it before.
    pub(super) fn find(&mut self, key: &Key) -> Option<Found<'_>> {
        let Registry { instances, hash, sequence, now_ms, .. } = self;
        let held = instances.get_mut(key)?;
        Some(Found { held, hash, sequence, now_ms: *now_ms })
    }

    /// Tells of what a touch came to.
    pub(super) fn touched(
        &mut self,
        key: &Key,
        registration: Arc<Registration>,
        Touch { cause, visible, .. }: Touch,
        changes: &mut Vec<Change>,
    ) {
        if visible {
            changes.push(Change::Put { key: key.clone(), registration: registration.clone(), cause });
            self.add_to_delta(key.clone(), registration, None, changes);
        } else {
            changes.push(Change::Renewed { key: key.clone(), lease: registration.lease, cause });
        }
    }

    pub(super) fn remove(&mut self, key: &Key, cause: Cause, changes: &mut Vec<Change>) -> bool {
        let Some(mut held) = self.instances.remove(key) else {
            return false;
        };
        self.hash.remove(held.hash());
        changes.push(Change::Removed { key: key.clone(), cause });

        let mut last = (*held.registration).clone();
        last.action = Action::Deleted;
        last.last_updated_ms = self.now_ms;
        last.lease.evicted_ms = self.now_ms;
        last.lease.keeper = match cause {
            Cause::Cancelled(origin) => origin.into(),
            _ => Keeper::Nobody,
        };
        held.registration = Arc::new(last);
        let hash = held.hash();
        self.add_to_delta(key.clone(), held.registration, Some(hash), changes);
        true
    }

    /// Adds a change to the delta; `deleted` is the last hash of an instance that is gone.
    fn add_to_delta(
        &mut self,
        key: Key,
        registration: Arc<Registration>,
        deleted: Option<u64>,
        changes: &mut Vec<Change>,
    ) {
        let seq = self.next_sequence();
        let last = deleted.map(|_| registration.clone());
        let entry = DeltaEntry { at_ms: self.now_ms, key: key.clone(), deleted: last };
        let hash = delta_entry_hash(seq, &entry, deleted.unwrap_or(0));
        self.hash.add(hash);
        if let Some(replaced) = self.delta.add(seq, entry, hash) {
            self.dropped(replaced, changes);
        }
        changes.push(Change::DeltaAdded { seq, key, registration });
        self.trim_delta(changes);
    }

    pub(super) fn trim_delta(&mut self, changes: &mut Vec<Change>) {
        let horizon_ms = self.now_ms.saturating_sub(DELTA_RETENTION_MS);
        while let Some(outdated) = self.delta.pop_outdated(horizon_ms) {
            self.dropped(outdated, changes);
        }
    }

    fn dropped(&mut self, Dropped { seq, key, hash }: Dropped, changes: &mut Vec<Change>) {
        self.hash.remove(hash);
        changes.push(Change::DeltaDropped { seq, key });
    }

    pub(super) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}
