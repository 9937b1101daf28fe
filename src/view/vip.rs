//! Which applications have instances that answer to a VIP, and the page that says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;

use super::application::AppView;
use super::page::Page;
use super::per_format::PerFormat;
use crate::eureka::{
    Format, StatusCounts, application_fragment, applications_header, applications_separator,
    applications_trailer,
};
use crate::registry::{AppName, Registration, vip_names};

/// Eureka's server gives VIP pages no version, whether anything matches or not.
const NO_VERSION: &str = "-1";

/// Applications by VIP. Names are compared as they are, case and blanks included; the empty name is
/// one too. Which instances of an application they are, their documents tell when a page is made.
#[derive(Debug, Clone, Default)]
pub(super) struct VipIndex(OrdMap<Arc<str>, Arc<VipEntry>>);

/// How many instances of one VIP each application has. Never empty in the index.
#[derive(Debug, Default)]
struct VipEntry {
    apps: OrdMap<AppName, usize>,
    pages: PerFormat<Page>,
}

/// How many instances of one application have each address: nearly always all the same.
#[derive(Debug, Default)]
pub(super) struct VipCounts(BTreeMap<String, usize>);

impl VipCounts {
    pub(super) fn add(&mut self, address: Option<String>) {
        if let Some(address) = address {
            *self.0.entry(address).or_default() += 1;
        }
    }
}

impl VipIndex {
    /// Enters an instance of an application under each name in `address`.
    pub(super) fn insert(&mut self, address: Option<&str>, app: &AppName) {
        self.insert_many(address, app, 1);
    }

    /// Enters all instances of an application.
    pub(super) fn insert_all(&mut self, counts: &VipCounts, app: &AppName) {
        for (address, instances) in &counts.0 {
            self.insert_many(Some(address), app, *instances);
        }
    }

    fn insert_many(&mut self, address: Option<&str>, app: &AppName, instances: usize) {
        for name in names(address) {
            if let Some(entry) = self.0.get_mut(name) {
                Arc::make_mut(entry).insert(app, instances);
                continue;
            }
            let mut entry = VipEntry::default();
            entry.insert(app, instances);
            self.0.insert(name.into(), Arc::new(entry));
        }
    }

    /// Takes an instance of an application out from under each name in `address`.
    pub(super) fn remove(&mut self, address: Option<&str>, app: &AppName) {
        for name in names(address) {
            let Some(entry) = self.0.get_mut(name) else { continue };
            let entry = Arc::make_mut(entry);
            entry.remove(app);
            if entry.apps.is_empty() {
                self.0.remove(name);
            }
        }
    }

    /// Forgets the pages of each name in `address`, for an instance is shown otherwise now.
    pub(super) fn show_anew(&mut self, address: Option<&str>) {
        for name in names(address) {
            if let Some(entry) = self.0.get_mut(name) {
                Arc::make_mut(entry).pages = PerFormat::default();
            }
        }
    }

    /// The page of the instances of `apps` whose address, as `address_of` tells it, has this name.
    pub(super) fn page(
        &self,
        name: &str,
        format: Format,
        apps: &OrdMap<AppName, Arc<AppView>>,
        address_of: impl Fn(&Registration) -> Option<String>,
    ) -> Page {
        let Some(entry) = self.0.get(name) else {
            return encode(format, &[]);
        };
        let make = || {
            let apps = entry.apps.keys().filter_map(|app| apps.get(app));
            let members = apps.map(|app| {
                let names_it = |registration: &Registration| {
                    address_of(registration).is_some_and(|address| vip_names(&address).any(|it| it == name))
                };
                (app.name(), app.current_of(names_it))
            });
            encode(format, &members.collect::<Vec<_>>())
        };
        entry.pages.get_or_make(format, make).clone()
    }
}

/// Each once.
fn names(address: Option<&str>) -> impl Iterator<Item = &str> {
    address.into_iter().flat_map(|address| {
        let is_first =
            move |(place, name): &(usize, &str)| !vip_names(address).take(*place).any(|it| it == *name);
        vip_names(address).enumerate().filter(is_first).map(|(_, name)| name)
    })
}

impl VipEntry {
    fn insert(&mut self, app: &AppName, instances: usize) {
        match self.apps.get_mut(app) {
            Some(count) => *count += instances,
            None => drop(self.apps.insert(app.clone(), instances)),
        }
    }

    fn remove(&mut self, app: &AppName) {
        match self.apps.get_mut(app) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(self.apps.remove(app)),
        }
    }
}

/// In one piece: what two VIP pages have in common is too little to share.
fn encode(format: Format, members: &[(&AppName, Vec<Registration>)]) -> Page {
    let statuses = members.iter().flat_map(|(_, registrations)| registrations).map(|member| member.status);
    let hash = statuses.collect::<StatusCounts>().hashcode();
    let mut body = applications_header(format, NO_VERSION, &hash);
    for (place, (app, registrations)) in members.iter().enumerate() {
        if place > 0 {
            body.extend_from_slice(applications_separator(format));
        }
        application_fragment(format, app, registrations.iter(), &mut body);
    }
    body.extend_from_slice(&applications_trailer(format, NO_VERSION, &hash));
    Page::whole(format, body)
}

/// The same applications with nothing encoded, since a copy is made to be changed.
impl Clone for VipEntry {
    fn clone(&self) -> Self {
        Self { apps: self.apps.clone(), pages: PerFormat::default() }
    }
}
