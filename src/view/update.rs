//! The next view from this one: what a change costs is what it touches.

use std::sync::Arc;

use super::View;
use super::application::AppView;
use super::instance::InstanceView;
use super::per_format::PerFormat;
use super::renewable::Renewable;
use super::vip::VipCounts;
use crate::registry::{AppName, Change, Key, Registration, Registry};

impl View {
    /// The view of a whole registry whose last visible change was at `index`. What the changes that led to it
    /// would make, but application by application: nothing has to be looked for.
    pub fn of(registry: &Registry, index: u64) -> View {
        let renewable = Renewable::with_room(registry.instance_count());
        let mut view = View { index, renewable, ..View::default() };
        for (name, instances) in registry.applications() {
            let mut app = AppView::empty(name.clone());
            let (mut by_vip, mut by_secure_vip) = (VipCounts::default(), VipCounts::default());
            for (id, registration) in instances {
                let instance = Arc::new(InstanceView::new(registration.clone()));
                let vips = registration.instance.vips();
                by_vip.add(vips.vip_address);
                by_secure_vip.add(vips.secure_vip_address);
                view.statuses.add(registration.status);
                view.renewable.put(Key::new(name.clone(), id.clone()), instance.clone());
                app.put(id.clone(), instance);
            }
            view.instances += app.instance_count();
            view.vips.insert_all(&by_vip, name);
            view.secure_vips.insert_all(&by_secure_vip, name);
            view.apps.insert(name.clone(), Arc::new(app));
        }
        for (seq, entry) in registry.delta().entries() {
            if let Some(registration) = entry.deleted.as_ref().or_else(|| registry.get(&entry.key)) {
                view.delta.add(seq, &entry.key, registration);
            }
        }
        view
    }

    /// Whether a reader could see a difference after these changes, and with it whether they call
    /// for [`View::update`]. Renewals and self-preservation alone do not.
    pub fn is_visible(changes: &[Change]) -> bool {
        let invisible =
            |change: &Change| matches!(change, Change::Renewed { .. } | Change::SelfPreservation { .. });
        !changes.iter().all(invisible)
    }

    /// The view after the changes of the log entry at `index`: all of them in one call, in the order
    /// they were made. Renewals among them are noted. `replaced` is told the place of each change that took
    /// something away, and what that was.
    #[must_use]
    pub fn update(
        &self,
        changes: &[Change],
        index: u64,
        mut replaced: impl FnMut(usize, &Registration),
    ) -> View {
        let mut next = self.successor(index);
        for (place, change) in changes.iter().enumerate() {
            let former = match change {
                Change::Put { key, registration, .. } => next.put(key, registration),
                Change::Removed { key, .. } => next.remove(key),
                other => {
                    next.take(other);
                    None
                }
            };
            if let Some(former) = former {
                replaced(place, former.registration());
            }
        }
        next
    }

    /// A change that replaces no instance.
    fn take(&mut self, change: &Change) {
        match change {
            Change::Renewed { .. } => self.renewable.renewed([change]),
            Change::DeltaAdded { seq, key, registration } => self.delta.add(*seq, key, registration),
            Change::DeltaDropped { seq, key } => self.delta.drop_entry(*seq, &key.app),
            Change::Put { .. } | Change::Removed { .. } | Change::SelfPreservation { .. } => {}
        }
    }

    /// Notes renewals, for changes that are not visible: they need no view of their own. They show at
    /// once in every view that shares the instance. Other changes are passed over.
    pub fn renewed(&self, changes: &[Change]) {
        self.renewable.renewed(changes);
    }

    /// The same content with no page made yet.
    fn successor(&self, index: u64) -> View {
        View {
            index,
            apps: self.apps.clone(),
            vips: self.vips.clone(),
            secure_vips: self.secure_vips.clone(),
            delta: self.delta.clone(),
            statuses: self.statuses,
            instances: self.instances,
            renewable: self.renewable.clone(),
            pages: Default::default(),
            pieces: PerFormat::default(),
            former_pieces: self.pieces.or(&self.former_pieces),
        }
    }

    fn put(&mut self, key: &Key, registration: &Arc<Registration>) -> Option<Arc<InstanceView>> {
        let instance = Arc::new(InstanceView::new(registration.clone()));
        let app =
            self.apps.entry(key.app.clone()).or_insert_with(|| Arc::new(AppView::empty(key.app.clone())));
        self.renewable.put(key.clone(), instance.clone());
        let former = Arc::make_mut(app).put(key.id.clone(), instance);

        match &former {
            Some(former) if former.registration().instance == registration.instance => {
                self.show_anew(former.registration(), registration);
            }
            Some(former) => {
                self.enter(&key.app, registration);
                self.forget(&key.app, former.registration());
            }
            None => {
                self.enter(&key.app, registration);
                self.instances += 1;
            }
        }
        former
    }

    /// An instance whose document is what it was, and with it where it is found.
    fn show_anew(&mut self, former: &Registration, registration: &Registration) {
        let vips = registration.instance.vips();
        self.vips.show_anew(vips.vip_address.as_deref());
        self.secure_vips.show_anew(vips.secure_vip_address.as_deref());
        self.statuses.add(registration.status);
        self.statuses.remove(former.status);
    }

    /// Takes an instance into counts and indexes.
    fn enter(&mut self, app: &AppName, registration: &Registration) {
        let vips = registration.instance.vips();
        self.vips.insert(vips.vip_address.as_deref(), app);
        self.secure_vips.insert(vips.secure_vip_address.as_deref(), app);
        self.statuses.add(registration.status);
    }

    fn remove(&mut self, key: &Key) -> Option<Arc<InstanceView>> {
        let app = Arc::make_mut(self.apps.get_mut(&key.app)?);
        let former = app.remove(&key.id)?;
        self.renewable.remove(key);
        if app.instance_count() == 0 {
            self.apps.remove(&key.app);
        }
        self.instances -= 1;
        self.forget(&key.app, former.registration());
        Some(former)
    }

    /// Takes out of counts and indexes what a former instance had in them.
    fn forget(&mut self, app: &AppName, former: &Registration) {
        self.statuses.remove(former.status);
        let vips = former.instance.vips();
        self.vips.remove(vips.vip_address.as_deref(), app);
        self.secure_vips.remove(vips.secure_vip_address.as_deref(), app);
    }
}
