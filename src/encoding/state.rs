//! The registry's records: documents, leases, delta entries.

use std::sync::Arc;

use bytes::Bytes;

use super::{DecodeError, key};
use crate::message;
use crate::registry::instance_message::{optional_status, status, status_to_message};
use crate::registry::{
    Action, AppName, DeltaEntry, EncodedInstance, InstanceId, Keeper, Key, Lease, Registration,
};

/// Everything of a registration but its document.
pub fn encode_lease(key: &Key, registration: &Registration) -> message::Registration {
    message::Registration { lease: Some(lease_to_message(registration)), ..encode_gone(key) }
}

/// The registration that a lease and a document make.
///
/// # Errors
/// [`DecodeError`] if the lease holds what cannot be.
pub fn decode_lease(lease: message::Lease, instance: EncodedInstance) -> Result<Registration, DecodeError> {
    let action = match message::Action::try_from(lease.action) {
        Ok(message::Action::Added) => Action::Added,
        Ok(message::Action::Modified) => Action::Modified,
        Ok(message::Action::Deleted) => Action::Deleted,
        Ok(message::Action::None) | Err(_) => {
            return Err(DecodeError::UnknownConstant { what: "action", value: lease.action });
        }
    };
    Ok(Registration {
        instance,
        status: status(lease.status)?,
        overridden: optional_status(lease.overridden)?,
        last_dirty_ms: lease.last_dirty_ms,
        last_updated_ms: lease.last_updated_ms,
        action,
        lease: Lease {
            duration_ms: lease.duration_ms,
            registered_ms: lease.registered_ms,
            renewed_ms: lease.renewed_ms,
            evicted_ms: lease.evicted_ms,
            service_up_ms: lease.service_up_ms,
            renew_seq: lease.renew_seq,
            keeper: keeper(lease.keeper)?,
        },
    })
}

/// That there is no such instance any more.
pub fn encode_gone(key: &Key) -> message::Registration {
    let (app, id) = (key.app.to_string(), key.id.to_string());
    message::Registration { app, id, ..message::Registration::default() }
}

/// Keys as they come, most of them of the application of the one before, whose name they share.
#[derive(Debug, Default)]
pub struct StoredKeys {
    app: Option<AppName>,
}

impl StoredKeys {
    /// # Errors
    /// [`DecodeError::Name`] if these are no names.
    pub fn key(&mut self, app: &str, id: &str) -> Result<Key, DecodeError> {
        let app = match &self.app {
            Some(before) if before.as_str() == app => before.clone(),
            _ => self.app.insert(AppName::parse(app)?).clone(),
        };
        Ok(Key::new(app, InstanceId::parse(id)?))
    }
}

pub fn encode_registration(key: &Key, registration: &Registration) -> message::Registration {
    registration_to_message(key.app.as_str(), key.id.as_str(), registration)
}

/// A registration that was stored: of its document only the hash of the whole state says whether it is as it was.
///
/// # Errors
/// [`DecodeError`] if the message is incomplete or holds what cannot be.
pub fn decode_registration(message: message::Registration) -> Result<(Key, Registration), DecodeError> {
    let key = key(&message.app, &message.id)?;
    Ok((key, stored_registration(message)?))
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
    let deleted = message.deleted.map(stored_registration).transpose()?.map(Arc::new);
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
        instance: Bytes::copy_from_slice(registration.instance.bytes()),
        lease: Some(lease_to_message(registration)),
    }
}

pub(super) fn registration_from_message(message: message::Registration) -> Result<Registration, DecodeError> {
    let instance = EncodedInstance::checked(&message.instance)?;
    decode_lease(message.lease.ok_or(DecodeError::Missing("a lease"))?, instance)
}

fn stored_registration(message: message::Registration) -> Result<Registration, DecodeError> {
    let instance = EncodedInstance::stored(&message.instance);
    decode_lease(message.lease.ok_or(DecodeError::Missing("a lease"))?, instance)
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
        keeper: keeper_to_message(lease.keeper),
    }
}

fn keeper_to_message(keeper: Keeper) -> i32 {
    let message = match keeper {
        Keeper::Client => message::Keeper::Client,
        Keeper::Peer => message::Keeper::Peer,
        Keeper::Import => message::Keeper::Import,
        Keeper::Nobody => message::Keeper::Nobody,
        Keeper::MovedClient => message::Keeper::MovedClient,
    };
    message as i32
}

fn keeper(value: i32) -> Result<Keeper, DecodeError> {
    match message::Keeper::try_from(value) {
        Ok(message::Keeper::Client) => Ok(Keeper::Client),
        Ok(message::Keeper::Peer) => Ok(Keeper::Peer),
        Ok(message::Keeper::Import) => Ok(Keeper::Import),
        Ok(message::Keeper::Nobody) => Ok(Keeper::Nobody),
        Ok(message::Keeper::MovedClient) => Ok(Keeper::MovedClient),
        Err(_) => Err(DecodeError::UnknownConstant { what: "keeper", value }),
    }
}
