//! The instances: in order for those who go through all of them, by the hash of their keys for those who ask for one.
//! To compare names all along the way down a tree was what took longest of applying a renewal.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::hash::BuildHasher;
use std::ops::Bound;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use slab::Slab;

use super::lease::Registration;
use super::name::{AppName, InstanceId, Key};
use super::state_hash::{document_hash, registration_hash};

/// What the registry keeps of an instance.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub registration: Arc<Registration>,
    document_hash: u64,
}

impl Held {
    pub fn new(key: &Key, registration: Arc<Registration>) -> Self {
        Self { document_hash: document_hash(key, &registration.instance), registration }
    }

    /// Its part of the state hash.
    pub fn hash(&self) -> u64 {
        registration_hash(self.document_hash, &self.registration)
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Instances {
    applications: BTreeMap<AppName, BTreeMap<InstanceId, Slot>>,
    /// Where an instance is, which is nobody's business outside of here: nodes may differ in it.
    slots: Slab<(Key, Held)>,
    /// Only ever asked for single keys: it has no order that could differ between nodes.
    by_key: HashTable<Slot>,
    hasher: RandomState,
}

type Slot = usize;

impl Instances {
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn has_application(&self, app: &AppName) -> bool {
        self.applications.contains_key(app)
    }

    pub fn get(&self, key: &Key) -> Option<&Held> {
        self.slots.get(self.slot(key)?).map(|(_, held)| held)
    }

    pub fn get_mut(&mut self, key: &Key) -> Option<&mut Held> {
        let slot = self.slot(key)?;
        self.slots.get_mut(slot).map(|(_, held)| held)
    }

    /// Puts an instance; gives back the one it replaces, and the names that are held already: not as many copies as
    /// there are registrations.
    pub fn put(&mut self, key: Key, held: Held) -> (Key, Option<Held>) {
        if let Some(slot) = self.slot(&key)
            && let Some((known, former)) = self.slots.get_mut(slot)
        {
            return (known.clone(), Some(std::mem::replace(former, held)));
        }
        let instances = self.applications.entry(key.app);
        let key = Key::new(instances.key().clone(), key.id);
        let slot = self.slots.insert((key.clone(), held));
        instances.or_default().insert(key.id.clone(), slot);
        self.note(&key, slot);
        (key, None)
    }

    pub fn remove(&mut self, key: &Key) -> Option<Held> {
        let Self { slots, hasher, .. } = self;
        let is_it = |slot: &Slot| slots.get(*slot).is_some_and(|(known, _)| known == key);
        let (slot, _) = self.by_key.find_entry(hasher.hash_one(key), is_it).ok()?.remove();
        if let Entry::Occupied(mut instances) = self.applications.entry(key.app.clone()) {
            instances.get_mut().remove(&key.id);
            if instances.get().is_empty() {
                instances.remove();
            }
        }
        self.slots.try_remove(slot).map(|(_, held)| held)
    }

    /// Puts those that come in order into what is empty. A map is made at once of them: that costs less than one
    /// insertion after the other, and leaves no node of it half empty.
    pub fn put_all(&mut self, instances: Vec<(Key, Held)>) {
        self.slots.reserve(instances.len());
        let Self { slots, hasher, .. } = self;
        self.by_key.reserve(instances.len(), |slot| hash(slots, hasher, *slot));
        let mut instances = instances.into_iter().peekable();
        while let Some((Key { app, id }, held)) = instances.next() {
            let mut of_app = vec![self.take_in(&app, id, held)];
            while let Some((key, held)) = instances.next_if(|(key, _)| key.app == app) {
                of_app.push(self.take_in(&app, key.id, held));
            }
            match self.applications.entry(app) {
                Entry::Vacant(vacant) => drop(vacant.insert(of_app.into_iter().collect())),
                Entry::Occupied(mut occupied) => occupied.get_mut().extend(of_app),
            }
        }
    }

    /// In the order of the applications' names, and of the ids in each.
    pub fn applications(
        &self,
    ) -> impl Iterator<Item = (&AppName, impl Iterator<Item = (&InstanceId, &Held)>)> {
        self.applications.iter().map(|(app, instances)| (app, self.held(instances.iter())))
    }

    /// In the same order, those that come after a key, which need not be one of them.
    pub fn after(
        &self,
        key: &Key,
    ) -> impl Iterator<Item = (&AppName, impl Iterator<Item = (&InstanceId, &Held)>)> {
        let others = self.applications.range::<AppName, _>((Bound::Excluded(&key.app), Bound::Unbounded));
        let others = others.map(|(app, instances)| (app, instances.range::<InstanceId, _>(..)));
        let after = (Bound::Excluded(&key.id), Bound::Unbounded);
        let same = self.applications.get_key_value(&key.app);
        let same = same.map(|(app, instances)| (app, instances.range::<InstanceId, _>(after)));
        same.into_iter().chain(others).map(|(app, instances)| (app, self.held(instances)))
    }

    fn held<'i>(
        &'i self,
        instances: impl Iterator<Item = (&'i InstanceId, &'i Slot)>,
    ) -> impl Iterator<Item = (&'i InstanceId, &'i Held)> {
        instances.filter_map(|(id, slot)| self.slots.get(*slot).map(|(_, held)| (id, held)))
    }

    fn take_in(&mut self, app: &AppName, id: InstanceId, held: Held) -> (InstanceId, Slot) {
        let key = Key::new(app.clone(), id.clone());
        let slot = self.slots.insert((key.clone(), held));
        self.note(&key, slot);
        (id, slot)
    }

    fn note(&mut self, key: &Key, slot: Slot) {
        let Self { slots, by_key, hasher, .. } = self;
        by_key.insert_unique(hasher.hash_one(key), slot, |slot| hash(slots, hasher, *slot));
    }

    fn slot(&self, key: &Key) -> Option<Slot> {
        let is_it = |slot: &Slot| self.slots.get(*slot).is_some_and(|(known, _)| known == key);
        self.by_key.find(self.hasher.hash_one(key), is_it).copied()
    }
}

/// Of a slot that is noted, and with that of one that has an instance.
fn hash(slots: &Slab<(Key, Held)>, hasher: &RandomState, slot: Slot) -> u64 {
    slots.get(slot).map_or(0, |(key, _)| hasher.hash_one(key))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::registry::arbitrary::{key_of, plain_instance};
    use crate::registry::{Action, Lease, Status};

    const NAMES: [&str; 5] = ["A", "AB", "B", "Z", "\u{416}"];

    /// Puts an instance, or takes it away.
    fn step() -> impl Strategy<Value = (Key, bool)> {
        (key(), proptest::bool::weighted(0.6))
    }

    fn key() -> impl Strategy<Value = Key> {
        (0..NAMES.len(), 0..NAMES.len()).prop_map(|(app, id)| key_of(NAMES[app], NAMES[id]))
    }

    fn hold(key: &Key, last_dirty_ms: i64) -> Held {
        let (status, action, lease) = (Status::Up, Action::Added, Lease::default());
        let instance = plain_instance(key).into();
        let (overridden, last_updated_ms) = (None, 0);
        let registration =
            Registration { instance, status, overridden, last_dirty_ms, last_updated_ms, action, lease };
        Held::new(key, Arc::new(registration))
    }

    fn told<'i, I>(applications: impl Iterator<Item = (&'i AppName, I)>) -> Vec<(Key, i64)>
    where
        I: Iterator<Item = (&'i InstanceId, &'i Held)>,
    {
        let key = |app: &AppName, id: &InstanceId| Key::new(app.clone(), id.clone());
        let of_app = |(app, instances): (&'i AppName, I)| {
            instances.map(move |(id, held)| (key(app, id), held.registration.last_dirty_ms))
        };
        applications.flat_map(of_app).collect()
    }

    proptest! {
        #[test]
        fn they_are_what_a_map_in_order_has(steps in proptest::collection::vec(step(), 0..80), after in key()) {
            let (mut instances, mut map) = (Instances::default(), BTreeMap::new());
            let dirty = |held: Held| held.registration.last_dirty_ms;
            for (number, (key, put)) in (0..).zip(steps) {
                if put {
                    let (known, former) = instances.put(key.clone(), hold(&key, number));
                    prop_assert_eq!(&known, &key);
                    prop_assert_eq!(former.map(dirty), map.insert(key, number));
                } else {
                    prop_assert_eq!(instances.remove(&key).map(dirty), map.remove(&key));
                }
            }
            let all: Vec<(Key, i64)> = map.clone().into_iter().collect();
            prop_assert_eq!(told(instances.applications()), all.clone());
            prop_assert_eq!(instances.len(), all.len());
            let later = map.range((Bound::Excluded(&after), Bound::Unbounded));
            let later: Vec<(Key, i64)> = later.map(|(key, dirty)| (key.clone(), *dirty)).collect();
            prop_assert_eq!(told(instances.after(&after)), later);
            for app in NAMES {
                for id in NAMES {
                    let key = key_of(app, id);
                    prop_assert_eq!(instances.get(&key).cloned().map(dirty), map.get(&key).copied());
                }
                let app = AppName::parse(app).unwrap();
                prop_assert_eq!(instances.has_application(&app), all.iter().any(|(key, _)| key.app == app));
            }

            let mut loaded = Instances::default();
            loaded.put_all(all.iter().map(|(key, dirty)| (key.clone(), hold(key, *dirty))).collect());
            prop_assert_eq!(told(loaded.applications()), all.clone());
            prop_assert!(all.iter().all(|(key, _)| loaded.get_mut(key).is_some()));
        }
    }
}
