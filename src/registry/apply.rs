//! The commands. Each follows eureka-core's `AbstractInstanceRegistry` and `InstanceResource`,
//! but for what docs/eureka.md tells of differences.

use std::sync::Arc;

use super::changing::Touch;
use super::encoded_instance::{EncodedInstance, Said};
use super::instance::{MAX_INSTANCE_BYTES, Metadata};
use super::lease::{Action, Keeper, Lease, Registration};
use super::name::Key;
use super::status::{Origin, Status, effective_status};
use super::{Cause, Change, Outcome, Registry};
use crate::format::Format;

/// A document on its way into the registry, with what may deviate from its own words.
struct Registrant {
    instance: EncodedInstance,
    said: Status,
    said_overridden: Status,
    last_dirty_ms: i64,
    duration_secs: u32,
    /// `None`: whoever sends it.
    keeper: Option<Keeper>,
}

impl Registry {
    /// Moves the log's clock, which never goes backwards, and drops what the delta kept long
    /// enough. To be called before the commands stamped with that time.
    pub fn advance(&mut self, stamped_ms: i64, changes: &mut Vec<Change>) {
        self.now_ms = self.now_ms.max(stamped_ms);
        self.trim_delta(changes);
    }

    pub fn register(
        &mut self,
        key: Key,
        instance: EncodedInstance,
        last_dirty_ms: Option<i64>,
        origin: Origin,
        changes: &mut Vec<Change>,
    ) -> Outcome {
        if self.is_kept_from(&key, origin) {
            return Outcome::Conflict(None);
        }
        let last_dirty_ms = last_dirty_ms.unwrap_or(self.now_ms);
        let Said { status, overridden_status, duration_secs } = instance.said();
        let registrant = match self.get(&key) {
            Some(existing) if existing.last_dirty_ms > last_dirty_ms => {
                // A server that is late tells of what is over.
                let keeper = (origin != Origin::Client).then_some(existing.lease.keeper);
                Registrant { duration_secs, keeper, ..registrant_again(existing) }
            }
            _ => Registrant {
                said: status,
                said_overridden: overridden_status,
                instance,
                last_dirty_ms,
                duration_secs,
                keeper: None,
            },
        };
        self.put_registrant(key, registrant, origin, changes);
        Outcome::Done
    }

    pub fn renew(
        &mut self,
        key: &Key,
        last_dirty_ms: Option<i64>,
        overridden: Option<Status>,
        origin: Origin,
        changes: &mut Vec<Change>,
    ) -> Outcome {
        let Some(found) = self.find(key) else {
            return Outcome::NotFound;
        };
        let existing = found.registration();
        if existing.is_kept_from(origin) {
            return Outcome::Conflict(None);
        }
        let status = effective_status(existing.status, existing.overridden, Some(existing.status), origin);
        if status == Status::Unknown {
            return Outcome::NotFound;
        }
        let stored_dirty_ms = existing.last_dirty_ms;
        let client_is_newer = last_dirty_ms.is_some_and(|dirty| dirty > stored_dirty_ms);
        let adopted = overridden.filter(|_| client_is_newer && origin != Origin::Client);
        let visible =
            status != existing.status || adopted.is_some_and(|status| Some(status) != existing.overridden);

        let is_late = origin != Origin::Client && last_dirty_ms.is_some_and(|dirty| dirty < stored_dirty_ms);
        let keeper = (!is_late).then_some(origin.into());
        let touch = Touch { cause: Cause::Renewed(origin), keeper, visible };
        let renewed = found.touch(touch, |registration| {
            registration.status = status;
            registration.overridden = adopted.or(registration.overridden);
        });
        let renewed = renewed.clone();
        let late = is_late.then(|| renewed.clone());
        self.touched(key, renewed, touch, changes);
        match (last_dirty_ms, late) {
            (Some(_), _) if client_is_newer => Outcome::NotFound,
            (_, Some(stored)) => Outcome::Conflict(Some(stored)),
            _ => Outcome::Done,
        }
    }

    pub fn cancel(&mut self, key: &Key, origin: Origin, changes: &mut Vec<Change>) -> Outcome {
        if self.is_kept_from(key, origin) {
            return Outcome::Conflict(None);
        }
        if origin == Origin::Replication && self.is_moved(key) {
            // Other servers may have heard of that end as late as this cluster, and have to be told again.
            let touch = Touch { cause: Cause::Registered(Origin::Client), keeper: None, visible: false };
            self.touch(key, touch, changes, |_| {});
            return Outcome::Done;
        }
        match self.remove(key, Cause::Cancelled(origin), changes) {
            true => Outcome::Done,
            false => Outcome::NotFound,
        }
    }

    pub fn set_status(
        &mut self,
        key: &Key,
        status: Status,
        last_dirty_ms: Option<i64>,
        origin: Origin,
        changes: &mut Vec<Change>,
    ) -> Outcome {
        let Some(existing) = self.get(key) else {
            return Outcome::NotFound;
        };
        if self.is_kept_from(key, origin) {
            return Outcome::Conflict(None);
        }
        let differs = existing.status != status;
        let now_ms = self.now_ms;
        let touch = Touch { cause: Cause::StatusSet(origin), keeper: None, visible: differs };
        self.touch(key, touch, changes, |registration| {
            if differs {
                registration.overridden = Some(status);
                registration.show(status, last_dirty_ms, now_ms);
                registration.stamp_service_up(now_ms);
            }
        });
        Outcome::Done
    }

    pub fn remove_status(
        &mut self,
        key: &Key,
        status: Option<Status>,
        last_dirty_ms: Option<i64>,
        origin: Origin,
        changes: &mut Vec<Change>,
    ) -> Outcome {
        let Some(existing) = self.get(key) else {
            return Outcome::NotFound;
        };
        if self.is_kept_from(key, origin) {
            return Outcome::Conflict(None);
        }
        let overridden = existing.overridden.is_some();
        let now_ms = self.now_ms;
        let touch = Touch { cause: Cause::StatusRemoved(origin), keeper: None, visible: overridden };
        self.touch(key, touch, changes, |registration| {
            if overridden {
                registration.overridden = None;
                registration.show(status.unwrap_or(Status::Unknown), last_dirty_ms, now_ms);
            }
        });
        Outcome::Done
    }

    pub fn put_metadata(&mut self, key: Key, pairs: &Metadata, changes: &mut Vec<Change>) -> Outcome {
        let Some(existing) = self.get(&key) else {
            return Outcome::NotFound;
        };
        let mut registrant = registrant_again(existing);
        let mut instance = registrant.instance.decode();
        instance.metadata = instance.metadata.merged(pairs);
        if instance.stored_bytes() > MAX_INSTANCE_BYTES {
            return Outcome::TooLarge;
        }
        registrant.instance = instance.into();
        registrant.keeper = Some(existing.lease.keeper);
        self.put_registrant(key, registrant, Origin::Client, changes);
        Outcome::Done
    }

    /// Ends each lease whose sequence is still the one its expiry was decided for.
    pub fn expire(&mut self, leases: &[(Key, u64)], changes: &mut Vec<Change>) -> Outcome {
        let mut expired = 0;
        for (key, renew_seq) in leases {
            let unrenewed = self.get(key).is_some_and(|held| held.lease.renew_seq == *renew_seq);
            if unrenewed && self.remove(key, Cause::Expired, changes) {
                expired += 1;
            }
        }
        Outcome::Expired(expired)
    }

    /// Has the cluster write a format from here on; never an older one again.
    pub fn raise_format(&mut self, to: Format) -> Outcome {
        self.format = self.format.max(to);
        Outcome::Done
    }

    fn put_registrant(
        &mut self,
        key: Key,
        registrant: Registrant,
        origin: Origin,
        changes: &mut Vec<Change>,
    ) {
        let existing = self.get(&key).cloned();
        let existing_status = existing.as_ref().map(|existing| existing.status);
        let service_up_ms = existing.as_ref().map_or(0, |existing| existing.lease.service_up_ms);
        let asked = Some(registrant.said_overridden).filter(|status| *status != Status::Unknown);
        let overridden = existing.as_ref().and_then(|existing| existing.overridden).or(asked);
        let status = effective_status(registrant.said, overridden, existing_status, origin);
        let was = existing.as_ref().map(|existing| existing.lease.keeper);
        let keeper = registrant.keeper.unwrap_or(match (origin, was) {
            (Origin::Client, Some(Keeper::Peer | Keeper::MovedClient)) => Keeper::MovedClient,
            _ => origin.into(),
        });
        let now_ms = self.now_ms;
        let renew_seq = self.next_sequence();
        let mut registration = Registration {
            instance: registrant.instance,
            status,
            overridden,
            last_dirty_ms: registrant.last_dirty_ms,
            last_updated_ms: now_ms,
            action: Action::Added,
            lease: Lease {
                duration_ms: u64::from(registrant.duration_secs) * 1000,
                registered_ms: now_ms,
                renewed_ms: now_ms,
                evicted_ms: 0,
                service_up_ms,
                renew_seq,
                keeper,
            },
        };
        registration.stamp_service_up(now_ms);
        let cause = Cause::Registered(origin);
        // What several tell of, or tell again, has one effect.
        if origin != Origin::Client && existing.is_some_and(|held| held.says_the_same_as(&registration)) {
            let touch = Touch { cause, keeper: Some(keeper), visible: false };
            self.touch(&key, touch, changes, |_| {});
        } else {
            self.put(key, Arc::new(registration), cause, changes);
        }
    }

    fn is_kept_from(&self, key: &Key, origin: Origin) -> bool {
        // Looked up only for those who may be kept from it.
        origin == Origin::Import && self.get(key).is_some_and(|held| held.is_kept_from(origin))
    }

    fn is_moved(&self, key: &Key) -> bool {
        self.get(key).is_some_and(|held| held.lease.keeper == Keeper::MovedClient)
    }
}

/// What is registered already, registered once more: with its status as it is shown now.
fn registrant_again(existing: &Registration) -> Registrant {
    Registrant {
        instance: existing.instance.clone(),
        said: existing.status,
        said_overridden: existing.overridden_status(),
        last_dirty_ms: existing.last_dirty_ms,
        duration_secs: existing.instance.said().duration_secs,
        keeper: None,
    }
}

impl Registration {
    /// Whether it is none of the sender's business: who copies a registry has no say where clients or other servers have.
    fn is_kept_from(&self, origin: Origin) -> bool {
        origin == Origin::Import && self.lease.keeper != Keeper::Import
    }

    fn show(&mut self, status: Status, last_dirty_ms: Option<i64>, now_ms: i64) {
        self.status = status;
        self.last_updated_ms = now_ms;
        if let Some(dirty) = last_dirty_ms {
            self.last_dirty_ms = self.last_dirty_ms.max(dirty);
        }
    }

    fn stamp_service_up(&mut self, now_ms: i64) {
        if self.status == Status::Up && self.lease.service_up_ms == 0 {
            self.lease.service_up_ms = now_ms;
        }
    }
}
