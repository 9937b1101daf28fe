//! Instances by their keys, for renewals: looking one up in order, name by name, costs more than twice as much.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::HashMap;

use super::instance::InstanceView;
use crate::registry::{Change, Key};

/// Those of the newest of the views that came one of the other: they share it, as they share renewal times.
#[derive(Debug, Clone, Default)]
pub(super) struct Renewable(Arc<Mutex<Instances>>);

/// Only ever asked for single keys.
type Instances = HashMap<Key, Arc<InstanceView>>;

impl Renewable {
    /// Makes room for that many at once: growing with each costs as much again.
    pub fn with_room(instances: usize) -> Self {
        let mut map = Instances::default();
        map.reserve(instances);
        Self(Arc::new(Mutex::new(map)))
    }

    pub fn put(&self, key: Key, instance: Arc<InstanceView>) {
        self.instances().insert(key, instance);
    }

    pub fn remove(&self, key: &Key) {
        self.instances().remove(key);
    }

    /// Notes the renewals among these changes. What is not there is passed over.
    pub fn renewed<'c>(&self, changes: impl IntoIterator<Item = &'c Change>) {
        let instances = self.instances();
        for change in changes {
            if let Change::Renewed { key, lease, .. } = change
                && let Some(instance) = instances.get(key)
            {
                instance.renew(lease.renewed_ms);
            }
        }
    }

    fn instances(&self) -> MutexGuard<'_, Instances> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
