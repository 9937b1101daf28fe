//! The registry's records: documents, leases, delta entries.

use std::sync::Arc;

use prost::Message;

use super::instance::{instance_under, key, optional_status, status, status_to_message};
use super::{DecodeError, message};
use crate::registry::{Action, AppName, DeltaEntry, Instance, Key, Lease, Registration};

pub fn encode_instance(instance: &Instance) -> Vec<u8> {
    message::Instance::from(instance).encode_to_vec()
}

/// The document of an instance that is kept under this application.
///
/// # Errors
/// [`DecodeError`] if these are not the bytes of an instance's document.
pub fn decode_instance(bytes: &[u8], app: &AppName) -> Result<Instance, DecodeError> {
    instance_under(app, message::Instance::decode(bytes)?)
}

/// Everything of a registration but its document.
pub fn encode_lease(registration: &Registration) -> Vec<u8> {
    lease_to_message(registration).encode_to_vec()
}

/// # Errors
/// [`DecodeError`] if these are not the bytes of a lease.
pub fn decode_lease(bytes: &[u8], instance: Arc<Instance>) -> Result<Registration, DecodeError> {
    lease_from_message(message::Lease::decode(bytes)?, instance)
}

pub fn encode_registration(key: &Key, registration: &Registration) -> message::Registration {
    registration_to_message(key.app.as_str(), key.id.as_str(), registration)
}

/// # Errors
/// [`DecodeError`] if the message is incomplete or holds what cannot be.
pub fn decode_registration(message: message::Registration) -> Result<(Key, Registration), DecodeError> {
    let key = key(&message.app, &message.id)?;
    let registration = registration_under(&key.app, message)?;
    Ok((key, registration))
}

pub fn encode_delta_entry(seq: u64, entry: &DeltaEntry) -> message::DeltaEntry {
    message::DeltaEntry {
        seq,
        at_ms: entry.at_ms,
        app: entry.key.app.to_string(),
        id: entry.key.id.to_string(),
        deleted: entry.deleted.as_ref().map(|last| registration_to_message("", "", last)),
    }
}

/// # Errors
/// [`DecodeError`] if the message is incomplete or holds what cannot be.
pub fn decode_delta_entry(message: message::DeltaEntry) -> Result<(u64, DeltaEntry), DecodeError> {
    let key = key(&message.app, &message.id)?;
    let deleted = message.deleted.map(|last| registration_under(&key.app, last)).transpose()?.map(Arc::new);
    Ok((message.seq, DeltaEntry { at_ms: message.at_ms, key, deleted }))
}

pub(super) fn registration_to_message(
    app: &str,
    id: &str,
    registration: &Registration,
) -> message::Registration {
    message::Registration {
        app: app.to_owned(),
        id: id.to_owned(),
        instance: Some((&*registration.instance).into()),
        lease: Some(lease_to_message(registration)),
    }
}

pub(super) fn registration_from_message(message: message::Registration) -> Result<Registration, DecodeError> {
    registration_of(message, Instance::try_from)
}

fn registration_under(app: &AppName, message: message::Registration) -> Result<Registration, DecodeError> {
    registration_of(message, |instance| instance_under(app, instance))
}

fn registration_of(
    message: message::Registration,
    decode: impl FnOnce(message::Instance) -> Result<Instance, DecodeError>,
) -> Result<Registration, DecodeError> {
    let instance = message.instance.ok_or(DecodeError::Missing("an instance"))?;
    let lease = message.lease.ok_or(DecodeError::Missing("a lease"))?;
    lease_from_message(lease, Arc::new(decode(instance)?))
}

fn lease_to_message(registration: &Registration) -> message::Lease {
    let action = match registration.action {
        Action::Added => message::Action::Added,
        Action::Modified => message::Action::Modified,
        Action::Deleted => message::Action::Deleted,
    };
    let lease = &registration.lease;
    message::Lease {
        status: status_to_message(Some(registration.status)),
        overridden: status_to_message(registration.overridden),
        last_dirty_ms: registration.last_dirty_ms,
        last_updated_ms: registration.last_updated_ms,
        action: action as i32,
        duration_ms: lease.duration_ms,
        registered_ms: lease.registered_ms,
        renewed_ms: lease.renewed_ms,
        evicted_ms: lease.evicted_ms,
        service_up_ms: lease.service_up_ms,
        renew_seq: lease.renew_seq,
    }
}

fn lease_from_message(message: message::Lease, instance: Arc<Instance>) -> Result<Registration, DecodeError> {
    let action = match message::Action::try_from(message.action) {
        Ok(message::Action::Added) => Action::Added,
        Ok(message::Action::Modified) => Action::Modified,
        Ok(message::Action::Deleted) => Action::Deleted,
        Ok(message::Action::None) | Err(_) => {
            return Err(DecodeError::UnknownConstant { what: "action", value: message.action });
        }
    };
    Ok(Registration {
        instance,
        status: status(message.status)?,
        overridden: optional_status(message.overridden)?,
        last_dirty_ms: message.last_dirty_ms,
        last_updated_ms: message.last_updated_ms,
        action,
        lease: Lease {
            duration_ms: message.duration_ms,
            registered_ms: message.registered_ms,
            renewed_ms: message.renewed_ms,
            evicted_ms: message.evicted_ms,
            service_up_ms: message.service_up_ms,
            renew_seq: message.renew_seq,
        },
    })
}
