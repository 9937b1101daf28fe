//! Which instances answer to a VIP, and the page that says so.

use std::sync::Arc;

use imbl::OrdMap;

use super::instance::InstanceView;
use super::page::Page;
use super::per_format::PerFormat;
use crate::eureka::{
    Format, StatusCounts, application_fragment, applications_header, applications_separator,
    applications_trailer,
};
use crate::registry::{Key, Registration, vip_names};

/// Eureka's server gives VIP pages no version, whether anything matches or not.
const NO_VERSION: &str = "-1";

/// Instances by VIP. Names are compared as they are, case and blanks included; the empty name is
/// one too.
#[derive(Debug, Clone, Default)]
pub(super) struct VipIndex(OrdMap<Arc<str>, Arc<VipEntry>>);

/// The instances of one VIP. Never empty in the index.
#[derive(Debug, Default)]
struct VipEntry {
    members: OrdMap<Key, Arc<InstanceView>>,
    statuses: StatusCounts,
    pages: PerFormat<Page>,
}

impl VipIndex {
    /// Enters an instance under each name in `address`, in place of what its key had there.
    pub(super) fn insert(&mut self, address: Option<&str>, key: &Key, instance: &Arc<InstanceView>) {
        for name in names(address) {
            if let Some(entry) = self.0.get_mut(name) {
                Arc::make_mut(entry).insert(key, instance);
                continue;
            }
            let mut entry = VipEntry::default();
            entry.insert(key, instance);
            self.0.insert(name.into(), Arc::new(entry));
        }
    }

    /// Takes an instance out from under each name in `address`, but not another that has come in
    /// its place.
    pub(super) fn remove(&mut self, address: Option<&str>, key: &Key, instance: &Arc<InstanceView>) {
        for name in names(address) {
            let member = self.0.get(name).and_then(|entry| entry.members.get(key));
            if !member.is_some_and(|member| Arc::ptr_eq(member, instance)) {
                continue;
            }
            let Some(entry) = self.0.get_mut(name) else { continue };
            let entry = Arc::make_mut(entry);
            entry.remove(key);
            if entry.members.is_empty() {
                self.0.remove(name);
            }
        }
    }

    pub(super) fn page(&self, name: &str, format: Format) -> Page {
        match self.0.get(name) {
            Some(entry) => entry.pages.get_or_make(format, || entry.encode(format)).clone(),
            None => VipEntry::default().encode(format),
        }
    }
}

fn names(address: Option<&str>) -> impl Iterator<Item = &str> {
    address.into_iter().flat_map(vip_names)
}

impl VipEntry {
    fn insert(&mut self, key: &Key, instance: &Arc<InstanceView>) {
        self.statuses.add(instance.registration().status);
        if let Some(former) = self.members.insert(key.clone(), instance.clone()) {
            self.statuses.remove(former.registration().status);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(former) = self.members.remove(key) {
            self.statuses.remove(former.registration().status);
        }
    }

    /// In one piece: what two VIP pages have in common is too little to share.
    fn encode(&self, format: Format) -> Page {
        let hash = self.statuses.hashcode();
        let mut body = applications_header(format, NO_VERSION, &hash);
        let members: Vec<(&Key, Registration)> =
            self.members.iter().map(|(key, instance)| (key, instance.current())).collect();
        for (place, group) in members.chunk_by(|(one, _), (next, _)| one.app == next.app).enumerate() {
            if place > 0 {
                body.extend_from_slice(applications_separator(format));
            }
            let registrations = group.iter().map(|(_, registration)| registration);
            application_fragment(format, &group[0].0.app, registrations, &mut body);
        }
        body.extend_from_slice(&applications_trailer(format, NO_VERSION, &hash));
        Page::whole(format, body)
    }
}

/// The same members with nothing encoded, since a copy is made to be changed.
impl Clone for VipEntry {
    fn clone(&self) -> Self {
        Self { members: self.members.clone(), statuses: self.statuses, pages: PerFormat::default() }
    }
}
