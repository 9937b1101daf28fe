//! Every key of the stored state. One tree, one prefix byte for each kind of record.

use crate::registry::{AppName, InstanceId, Key, NameError};

/// What the records add up to.
pub const HEADER: &[u8] = b"h";
/// Documents: `i`, application, NUL, instance id.
pub const INSTANCE: u8 = b'i';
/// Leases: `l`, application, NUL, instance id.
pub const LEASE: u8 = b'l';
/// Recent changes: `d`, sequence in big-endian order.
pub const DELTA: u8 = b'd';

pub fn instance(key: &Key) -> Vec<u8> {
    named(INSTANCE, key)
}

pub fn lease(key: &Key) -> Vec<u8> {
    named(LEASE, key)
}

pub fn delta(seq: u64) -> Vec<u8> {
    let mut bytes = vec![DELTA];
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes
}

/// The registry key in an instance's or a lease's stored key; names hold no NUL.
///
/// It shares its application with the key `before` if that has the same: keys come in their order.
///
/// # Errors
/// [`NameError`] if there is none in it.
pub fn parse(stored: &[u8], before: Option<&Key>) -> Result<Key, NameError> {
    let text = String::from_utf8_lossy(stored.get(1..).unwrap_or_default());
    let (app, id) = text.split_once('\0').unwrap_or((&text, ""));
    let app = match before {
        Some(before) if before.app.as_str() == app => before.app.clone(),
        _ => AppName::parse(app)?,
    };
    Ok(Key::new(app, InstanceId::parse(id)?))
}

fn named(kind: u8, key: &Key) -> Vec<u8> {
    let (app, id) = (key.app.as_str(), key.id.as_str());
    let mut bytes = Vec::with_capacity(2 + app.len() + id.len());
    bytes.push(kind);
    bytes.extend_from_slice(app.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(id.as_bytes());
    bytes
}
