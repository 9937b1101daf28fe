//! One application: its instances, and its encoded forms as long as none of them changes.

use std::sync::Arc;

use imbl::OrdMap;

use super::fragment::{Fragmented, Fragments};
use super::instance::InstanceView;
use super::page::Page;
use super::per_format::PerFormat;
use crate::eureka::{Format, application_document, application_fragment};
use crate::registry::{AppName, InstanceId, Registration};

/// An application as readers see it. Never without an instance.
#[derive(Debug)]
pub struct AppView {
    name: AppName,
    instances: OrdMap<InstanceId, Arc<InstanceView>>,
    fragments: Fragments,
    documents: PerFormat<Page>,
}

impl AppView {
    pub(super) fn empty(name: AppName) -> Self {
        Self::of(name, OrdMap::new())
    }

    fn of(name: AppName, instances: OrdMap<InstanceId, Arc<InstanceView>>) -> Self {
        Self { name, instances, fragments: Fragments::default(), documents: PerFormat::default() }
    }

    pub fn name(&self) -> &AppName {
        &self.name
    }

    pub fn instance_count(&self) -> usize {
        self.instances.len()
    }

    /// In ascending order of the ids.
    pub fn instances(&self) -> impl Iterator<Item = (&InstanceId, &InstanceView)> {
        self.instances.iter().map(|(id, instance)| (id, &**instance))
    }

    pub fn instance(&self, id: &str) -> Option<&InstanceView> {
        self.instances.get(id).map(|instance| &**instance)
    }

    /// Puts an instance; returns the one it replaces.
    pub(super) fn put(&mut self, id: InstanceId, instance: Arc<InstanceView>) -> Option<Arc<InstanceView>> {
        self.instances.insert(id, instance)
    }

    pub(super) fn remove(&mut self, id: &InstanceId) -> Option<Arc<InstanceView>> {
        self.instances.remove(id)
    }

    /// Its document by itself, never compressed. Renewal times are as of when it was encoded.
    pub(super) fn page(&self, format: Format) -> Page {
        let make = || {
            let current = self.current();
            Page::whole(format, application_document(format, &self.name, current.iter()))
        };
        self.documents.get_or_make(format, make).clone()
    }

    pub(super) fn page_if_made(&self, format: Format) -> Option<Page> {
        self.documents.get(format).cloned()
    }

    fn current(&self) -> Vec<Registration> {
        self.current_of(|_| true)
    }

    /// Those of the instances that are asked for, with the renewal times of this moment.
    pub(super) fn current_of(&self, is_asked_for: impl Fn(&Registration) -> bool) -> Vec<Registration> {
        let asked_for = self.instances.values().filter(|instance| is_asked_for(instance.registration()));
        asked_for.map(|instance| instance.current()).collect()
    }
}

/// The same instances with nothing encoded. That is how a change forgets: it is made to a copy, for
/// the former view still holds the original, and nobody reads the copy before the change is whole.
impl Clone for AppView {
    fn clone(&self) -> Self {
        Self::of(self.name.clone(), self.instances.clone())
    }
}

impl Fragmented for AppView {
    fn fragments(&self) -> &Fragments {
        &self.fragments
    }

    fn encode(&self, format: Format, out: &mut Vec<u8>) {
        application_fragment(format, &self.name, self.current().iter(), out);
    }
}
