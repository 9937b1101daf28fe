//! Blocks of the stored state: records put together until they are worth a record of sled's, and read again.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;

use super::state::{InstanceUpdate, StateUpdate};
use crate::encoding::{
    DecodeError, StoredKeys, decode_delta_entry, decode_lease, encode_delta_entry, encode_gone, encode_lease,
    encode_registration,
};
use crate::message::{self, StateBlock};
use crate::registry::{DeltaEntry, EncodedInstance, Key, Registration, Snapshot};

/// Where a block ends. sled rewrites up to sixteen neighbours at a time, and keeps what is over 128 KiB in a file of
/// its own, which sixteen blocks of usual documents do not come to, even where nothing can be packed.
const BLOCK_BYTES: usize = 7 << 10;

/// The blocks of a whole state.
pub fn image(snapshot: &Snapshot) -> impl Iterator<Item = Vec<u8>> {
    let registrations = snapshot.registrations.iter().map(|(key, held)| encode_registration(key, held));
    let delta = snapshot.delta.iter().map(|(seq, entry)| encode_delta_entry(*seq, entry));
    blocks(registrations.map(registration).chain(delta.map(delta_entry)))
}

/// The blocks of what changed.
pub fn changes(update: &StateUpdate) -> impl Iterator<Item = Vec<u8>> {
    let instances = update.instances.iter().map(|instance| match instance {
        InstanceUpdate::Document(key, held) => encode_registration(key, held),
        InstanceUpdate::Lease(key, held) => encode_lease(key, held),
        InstanceUpdate::Removed(key) => encode_gone(key),
    });
    let added = update.delta_added.iter().map(|(seq, entry)| encode_delta_entry(*seq, entry));
    let dropped = update
        .delta_dropped
        .iter()
        .map(|seq| StateBlock { delta_dropped: vec![*seq], ..StateBlock::default() });
    blocks(instances.map(registration).chain(added.map(delta_entry)).chain(dropped))
}

fn registration(registration: message::Registration) -> StateBlock {
    StateBlock { registrations: vec![registration], ..StateBlock::default() }
}

fn delta_entry(entry: message::DeltaEntry) -> StateBlock {
    StateBlock { delta: vec![entry], ..StateBlock::default() }
}

/// Small blocks joined: the bytes of two, one after the other, are those of both together.
fn blocks(small: impl Iterator<Item = StateBlock>) -> impl Iterator<Item = Vec<u8>> {
    let mut small = small.peekable();
    std::iter::from_fn(move || {
        small.peek()?;
        let mut bytes = Vec::new();
        while bytes.len() < BLOCK_BYTES
            && let Some(next) = small.next()
        {
            bytes.extend_from_slice(&next.encode_to_vec());
        }
        Some(bytes)
    })
}

/// Puts a state together again, block by block in their order.
#[derive(Default)]
pub struct Loading {
    keys: StoredKeys,
    registrations: Vec<(Key, Arc<Registration>)>,
    changed: BTreeMap<Key, Changed>,
    delta: BTreeMap<u64, DeltaEntry>,
}

enum Changed {
    Whole(Registration),
    Lease(message::Lease),
    Gone,
}

impl Loading {
    /// Takes a block of the image.
    ///
    /// # Errors
    /// [`DecodeError`] if it is no block, or not all there.
    pub fn image(&mut self, block: Bytes) -> Result<(), DecodeError> {
        let block = StateBlock::decode(block)?;
        for stored in block.registrations {
            let key = self.keys.key(&stored.app, &stored.id)?;
            let lease = stored.lease.ok_or(DecodeError::Missing("a lease"))?;
            let registration = decode_lease(lease, EncodedInstance::stored(&stored.instance))?;
            self.registrations.push((key, Arc::new(registration)));
        }
        self.delta(block.delta, block.delta_dropped)
    }

    /// Takes a block of what changed since.
    ///
    /// # Errors
    /// As [`Self::image`].
    pub fn changes(&mut self, block: Bytes) -> Result<(), DecodeError> {
        let block = StateBlock::decode(block)?;
        for stored in block.registrations {
            let key = self.keys.key(&stored.app, &stored.id)?;
            let changed = match stored.lease {
                None => Changed::Gone,
                Some(lease) if stored.instance.is_empty() => match self.changed.remove(&key) {
                    Some(Changed::Whole(before)) => Changed::Whole(decode_lease(lease, before.instance)?),
                    Some(Changed::Gone) => return Err(DecodeError::Missing("the document of an instance")),
                    Some(Changed::Lease(_)) | None => Changed::Lease(lease),
                },
                Some(lease) => {
                    Changed::Whole(decode_lease(lease, EncodedInstance::stored(&stored.instance))?)
                }
            };
            self.changed.insert(key, changed);
        }
        self.delta(block.delta, block.delta_dropped)
    }

    fn delta(&mut self, added: Vec<message::DeltaEntry>, dropped: Vec<u64>) -> Result<(), DecodeError> {
        for entry in added {
            let (seq, entry) = decode_delta_entry(entry)?;
            self.delta.insert(seq, entry);
        }
        for seq in dropped {
            self.delta.remove(&seq);
        }
        Ok(())
    }

    /// The registrations in the order of their keys, and the delta's entries in that of their sequences.
    ///
    /// # Errors
    /// [`DecodeError`] if there is a lease without a document.
    #[expect(clippy::type_complexity, reason = "the two lists of a snapshot")]
    pub fn finish(self) -> Result<(Vec<(Key, Arc<Registration>)>, Vec<(u64, DeltaEntry)>), DecodeError> {
        let delta = self.delta.into_iter().collect();
        if self.changed.is_empty() {
            return Ok((self.registrations, delta));
        }
        let mut merged = Vec::with_capacity(self.registrations.len() + self.changed.len());
        let mut changed = self.changed.into_iter().peekable();
        for (key, before) in self.registrations {
            while let Some((new, change)) = changed.next_if(|(new, _)| *new < key) {
                merged.extend(change.after(None)?.map(|after| (new, after)));
            }
            let after = match changed.next_if(|(new, _)| *new == key) {
                Some((_, change)) => change.after(Some(before))?,
                None => Some(before),
            };
            merged.extend(after.map(|after| (key, after)));
        }
        for (new, change) in changed {
            merged.extend(change.after(None)?.map(|after| (new, after)));
        }
        Ok((merged, delta))
    }
}

impl Changed {
    fn after(self, before: Option<Arc<Registration>>) -> Result<Option<Arc<Registration>>, DecodeError> {
        Ok(match self {
            Changed::Whole(registration) => Some(Arc::new(registration)),
            Changed::Lease(lease) => {
                let before = before.ok_or(DecodeError::Missing("the document of an instance"))?;
                Some(Arc::new(decode_lease(lease, before.instance.clone())?))
            }
            Changed::Gone => None,
        })
    }
}
