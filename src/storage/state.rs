//! The state machine's state in sled, written behind from memory.
//!
//! Derived data: whatever is missing here is in the log or the snapshot, so a lost or torn write
//! costs a replay and nothing else. sled's `flush` only starts the writing out
//! (`sync_file_range`); what must survive a power cut is synced here, by ourselves.

use std::fs::File;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use prost::Message;

use super::block::{self, Loading};
use super::keys;
use super::packing::{pack, unpack};
use crate::encoding::{DecodeError, decode_peer_progress, decode_self_preservation};
use crate::format::{Format, FormatError, Formats};
use crate::message::{StateHeader, StoredHeader};
use crate::registry::{DeltaEntry, Key, Registration, Snapshot};

/// What sled is to keep of its pages, for everything is read once, at the start. It looks at that only after 64 uses
/// in one of its 256 shards, and keeps more until then.
const CACHE_BYTES: u64 = 1 << 20;
/// Blocks in one sled batch, which sled keeps whole in memory until it is done.
const BATCH_BLOCKS: usize = 32;
/// How much may have changed since the image before a new one is due: half of the image, but never less than this.
const LEAST_CHANGES_BYTES: u64 = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("the stored state in {dir} cannot be used: {source}")]
    Sled { dir: PathBuf, source: sled::Error },
    #[error("the stored state in {dir} cannot be synced: {source}")]
    Sync { dir: PathBuf, source: io::Error },
    #[error(
        "the stored state cannot be written for want of a thread: {0}; raise the limit of this user's threads"
    )]
    NoThread(#[source] io::Error),
    #[error("a record of the stored state is damaged: {0}")]
    Record(#[from] DecodeError),
    #[error("the stored state lacks {0}")]
    Missing(&'static str),
    #[error(transparent)]
    Format(#[from] FormatError),
    #[error("the stored state in {dir} is damaged: sled gave up on it")]
    Panicked { dir: PathBuf },
}

impl StateError {
    /// What the disk says, if it is that which fails, and not what is on it.
    pub fn disk(&self) -> Option<io::Error> {
        let error = match self {
            StateError::Sled { source: sled::Error::Io(error), .. } => error,
            StateError::Sync { source, .. } => source,
            _ => return None,
        };
        // sled repeats what it once heard from the system in the words for programmers.
        Some(match error.kind() {
            kind @ (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => kind.into(),
            kind => io::Error::new(kind, error.to_string()),
        })
    }
}

/// What changed since the last update.
#[derive(Debug, Default)]
pub struct StateUpdate {
    pub header: StateHeader,
    pub instances: Vec<InstanceUpdate>,
    pub delta_added: Vec<(u64, DeltaEntry)>,
    pub delta_dropped: Vec<u64>,
}

#[derive(Debug)]
pub enum InstanceUpdate {
    Document(Key, Arc<Registration>),
    /// Only the lease; the document is stored already.
    Lease(Key, Arc<Registration>),
    Removed(Key),
}

/// A state as it was stored: what it covers, and everything in it.
pub type StoredState = (StateHeader, Snapshot);

/// A whole state in blocks, and blocks of what changed since, until those are so many that a new generation begins.
/// Blocks are only ever added; those that the header does not name do not count.
#[derive(Debug)]
pub struct StateStore {
    db: sled::Db,
    dir: PathBuf,
    /// What was stored last; `None` if nothing is.
    header: Mutex<Option<StoredHeader>>,
    formats: Formats,
}

impl StateStore {
    /// Opens the store. Whether what is in it is whole is found out by [`StateStore::load`].
    ///
    /// # Errors
    /// [`StateError`] if sled cannot open it, or what is in it is of none of these formats.
    pub fn open(dir: &Path, formats: Formats) -> Result<Self, StateError> {
        let config = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        let opened = unless_panicked(dir, || config.open())?;
        let db = opened.map_err(|source| StateError::Sled { dir: dir.to_owned(), source })?;
        let store = Self { db, dir: dir.to_owned(), header: Mutex::default(), formats };
        *store.header() = unless_panicked(dir, || store.read_header())??;
        Ok(store)
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Everything stored, or `None` if nothing is.
    ///
    /// # Errors
    /// [`StateError`] if a record cannot be read. Records that are each readable but do not belong
    /// together are found out by [`crate::registry::Registry::from_snapshot`].
    pub fn load(&self) -> Result<Option<StoredState>, StateError> {
        unless_panicked(&self.dir, || self.read_all())?
    }

    fn read_header(&self) -> Result<Option<StoredHeader>, StateError> {
        let header = self.db.get(keys::HEADER).map_err(|error| self.sled(error))?;
        let Some(header) = header else {
            return Ok(None);
        };
        let header = StoredHeader::decode(&*header).map_err(DecodeError::from)?;
        let format = header.state.as_ref().map_or(0, |state| state.format);
        self.formats.check("the stored state", Format::from_stored(format))?;
        Ok(Some(header))
    }

    fn read_all(&self) -> Result<Option<StoredState>, StateError> {
        let Some(stored) = self.read_header()? else {
            return Ok(None);
        };
        let mut loading = Loading::default();
        let mut blocks = self.db.scan_prefix(keys::generation(stored.generation));
        for number in 0..stored.blocks {
            let block = blocks.next().ok_or(StateError::Missing("a block"))?;
            let (key, block) = block.map_err(|error| self.sled(error))?;
            if key != keys::block(stored.generation, number) {
                return Err(StateError::Missing("a block"));
            }
            let block = if stored.packed { unpack(&block)? } else { Bytes::copy_from_slice(&block) };
            match number < stored.image_blocks {
                true => loading.image(block)?,
                false => loading.changes(block)?,
            }
        }
        let header = stored.state.ok_or(StateError::Missing("its header"))?;
        let (registrations, delta) = loading.finish()?;
        let snapshot = Snapshot {
            now_ms: header.now_ms,
            sequence: header.sequence,
            state_hash: header.state_hash,
            self_preservation: decode_self_preservation(&header.self_preservation)?,
            peer_progress: decode_peer_progress(&header.peer_progress),
            format: Format::from_stored(header.format),
            registrations,
            delta,
        };
        Ok(Some((header, snapshot)))
    }

    /// Whether so much has changed, or nothing is stored but by a program that did not pack it, that a whole state is
    /// to be stored and not only what changed.
    pub fn needs_whole(&self) -> bool {
        self.header().as_ref().is_none_or(|stored| {
            let changes_bytes = stored.bytes.saturating_sub(stored.image_bytes);
            !stored.packed || changes_bytes > LEAST_CHANGES_BYTES.max(stored.image_bytes / 2)
        })
    }

    /// Stores what changed since what is stored, all of it or nothing.
    ///
    /// # Errors
    /// [`StateError`] if sled cannot write, or there is nothing that it could have changed.
    pub fn write(&self, update: &StateUpdate) -> Result<(), StateError> {
        let mut header = self.header();
        let mut stored = header.clone().ok_or(StateError::Missing("a whole state"))?;
        self.append(&mut stored, block::changes(update))?;
        stored.state = Some(update.header.clone());
        self.finish(&mut header, stored)
    }

    /// Stores a whole state in place of what is there, all of it or nothing.
    ///
    /// # Errors
    /// [`StateError`] if sled cannot write.
    pub fn replace(&self, state: &StateHeader, snapshot: &Snapshot) -> Result<(), StateError> {
        let mut header = self.header();
        let generation = header.as_ref().map_or(0, |stored| stored.generation + 1);
        let mut stored = StoredHeader { generation, packed: true, ..StoredHeader::default() };
        self.append(&mut stored, block::image(snapshot))?;
        stored.state = Some(state.clone());
        (stored.image_blocks, stored.image_bytes) = (stored.blocks, stored.bytes);
        self.finish(&mut header, stored)?;
        self.remove_all_but(generation)
    }

    /// Adds blocks that count once the header names them.
    fn append(
        &self,
        stored: &mut StoredHeader,
        blocks: impl Iterator<Item = Vec<u8>>,
    ) -> Result<(), StateError> {
        let mut blocks = blocks.peekable();
        while blocks.peek().is_some() {
            let mut batch = sled::Batch::default();
            for block in blocks.by_ref().take(BATCH_BLOCKS) {
                stored.bytes += block.len() as u64;
                let block = if stored.packed { pack(&block) } else { block };
                batch.insert(keys::block(stored.generation, stored.blocks), block);
                stored.blocks += 1;
            }
            self.apply(batch)?;
        }
        Ok(())
    }

    fn finish(&self, header: &mut Option<StoredHeader>, stored: StoredHeader) -> Result<(), StateError> {
        let mut batch = sled::Batch::default();
        batch.insert(keys::HEADER, stored.encode_to_vec());
        self.apply(batch)?;
        *header = Some(stored);
        self.db.flush().map(drop).map_err(|error| self.sled(error))
    }

    /// Removes the blocks of all other generations, those of one that was never finished too.
    fn remove_all_but(&self, generation: u64) -> Result<(), StateError> {
        let kept = keys::generation(generation);
        let mut keys = self.db.scan_prefix([keys::BLOCK]).keys();
        loop {
            let mut batch = sled::Batch::default();
            let mut records = 0;
            for key in keys.by_ref() {
                let key = key.map_err(|error| self.sled(error))?;
                if !key.starts_with(&kept) {
                    batch.remove(key);
                    records += 1;
                }
                if records == BATCH_BLOCKS {
                    break;
                }
            }
            if records == 0 {
                return Ok(());
            }
            self.apply(batch)?;
        }
    }

    fn header(&self) -> MutexGuard<'_, Option<StoredHeader>> {
        self.header.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes everything stored so far survive a power cut.
    ///
    /// # Errors
    /// [`StateError`] if it cannot be written or synced.
    pub fn sync(&self) -> Result<(), StateError> {
        self.db.flush().map_err(|error| self.sled(error))?;
        let synced = File::open(self.dir.join("db")).and_then(|file| file.sync_data());
        synced.map_err(|source| StateError::Sync { dir: self.dir.clone(), source })
    }

    #[cfg(test)]
    pub(super) fn records(&self) -> &sled::Db {
        &self.db
    }

    fn apply(&self, batch: sled::Batch) -> Result<(), StateError> {
        let applied = self.db.apply_batch(batch).map_err(|error| self.sled(error));
        collect_garbage();
        applied
    }

    fn sled(&self, source: sled::Error) -> StateError {
        StateError::Sled { dir: self.dir.clone(), source }
    }
}

/// Of some kinds of damage sled makes a panic, not an error. What it says is on standard error then.
fn unless_panicked<T>(dir: &Path, look: impl FnOnce() -> T) -> Result<T, StateError> {
    std::panic::catch_unwind(AssertUnwindSafe(look)).map_err(|_| StateError::Panicked { dir: dir.to_owned() })
}

/// Frees the memory of pages that a batch replaced. The collector works by the way, a little each
/// time that a thread enters sled; a batch enters once, however many records it has, and so would
/// leave more behind than is ever taken up.
fn collect_garbage() {
    const ROUNDS: usize = 8;
    for _ in 0..ROUNDS {
        crossbeam_epoch::pin().flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_disk_says_is_the_disks() {
        let sled = |source| StateError::Sled { dir: PathBuf::from("state"), source };
        let full = io::Error::new(io::ErrorKind::StorageFull, "Os { code: 28 }");
        let told = sled(sled::Error::Io(full)).disk().map(|error| error.to_string());
        assert_eq!(told.as_deref(), Some("no storage space"));
        assert!(sled(sled::Error::ReportableBug("damage".to_owned())).disk().is_none());
        assert!(StateError::Missing("a lease").disk().is_none());
    }

    #[test]
    fn a_panic_of_sled_is_an_error_that_names_the_directory() {
        let panicked = unless_panicked(Path::new("some/state"), || panic!("tried to serialize"));
        let text = panicked.map(|()| "none").expect_err("a panic").to_string();
        assert!(text.contains("some/state"), "{text}");
        assert_eq!(unless_panicked(Path::new("some/state"), || 7).expect("no panic"), 7);
    }
}
