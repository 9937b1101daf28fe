//! The state machine's state in sled, written behind from memory.
//!
//! Derived data: whatever is missing here is in the log or the snapshot, so a lost or torn write
//! costs a replay and nothing else. sled's `flush` only starts the writing out
//! (`sync_file_range`); what must survive a power cut is synced here, by ourselves.

use std::fs::File;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prost::Message;

use super::keys;
use crate::encoding::message::{self, StateHeader};
use crate::encoding::{
    DecodeError, decode_delta_entry, decode_instance, decode_lease, decode_self_preservation,
    encode_delta_entry, encode_instance, encode_lease,
};
use crate::registry::{DeltaEntry, Key, NameError, Registration, Snapshot};

/// Pages sled keeps in memory; everything is read once, at the start.
const CACHE_BYTES: u64 = 4 << 20;
/// Records in one sled batch when the whole state is written.
const CHUNK_RECORDS: usize = 4096;

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
    #[error("a key of the stored state is damaged: {0}")]
    Key(#[from] NameError),
    #[error("the stored state lacks {0}")]
    Missing(&'static str),
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

#[derive(Debug)]
pub struct StateStore {
    db: sled::Db,
    dir: PathBuf,
}

impl StateStore {
    /// Opens the store. Whether what is in it is whole is found out by [`StateStore::load`].
    ///
    /// # Errors
    /// [`StateError`] if sled cannot open it.
    pub fn open(dir: &Path) -> Result<Self, StateError> {
        let config = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        match unless_panicked(dir, || config.open())? {
            Ok(db) => Ok(Self { db, dir: dir.to_owned() }),
            Err(source) => Err(StateError::Sled { dir: dir.to_owned(), source }),
        }
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

    fn read_all(&self) -> Result<Option<StoredState>, StateError> {
        let Some(header) = self.db.get(keys::HEADER).map_err(|error| self.sled(error))? else {
            return Ok(None);
        };
        let header = StateHeader::decode(&*header).map_err(DecodeError::from)?;
        let mut snapshot = Snapshot {
            now_ms: header.now_ms,
            sequence: header.sequence,
            state_hash: header.state_hash,
            self_preservation: decode_self_preservation(&header.self_preservation)?,
            ..Snapshot::default()
        };
        let mut leases = self.db.scan_prefix([keys::LEASE]);
        for document in self.db.scan_prefix([keys::INSTANCE]) {
            let (stored_key, document) = document.map_err(|error| self.sled(error))?;
            let lease = leases.next().ok_or(StateError::Missing("a lease"))?;
            let (lease_key, lease) = lease.map_err(|error| self.sled(error))?;
            if stored_key[1..] != lease_key[1..] {
                return Err(StateError::Missing("the lease of an instance, or its document"));
            }
            let key = keys::parse(&stored_key, snapshot.registrations.last().map(|(before, _)| before))?;
            let instance = Arc::new(decode_instance(&document, &key.app)?);
            let registration = Arc::new(decode_lease(&lease, instance)?);
            snapshot.registrations.push((key, registration));
        }
        for entry in self.db.scan_prefix([keys::DELTA]) {
            let (_, entry) = entry.map_err(|error| self.sled(error))?;
            let entry = message::DeltaEntry::decode(&*entry).map_err(DecodeError::from)?;
            snapshot.delta.push(decode_delta_entry(entry)?);
        }
        Ok(Some((header, snapshot)))
    }

    /// Stores what changed, all of it or nothing.
    ///
    /// # Errors
    /// [`StateError::Sled`] if sled cannot write.
    pub fn write(&self, update: &StateUpdate) -> Result<(), StateError> {
        let mut batch = sled::Batch::default();
        for instance in &update.instances {
            match instance {
                InstanceUpdate::Document(key, registration) => {
                    batch.insert(keys::instance(key), encode_instance(&registration.instance));
                    batch.insert(keys::lease(key), encode_lease(registration));
                }
                InstanceUpdate::Lease(key, registration) => {
                    batch.insert(keys::lease(key), encode_lease(registration));
                }
                InstanceUpdate::Removed(key) => {
                    batch.remove(keys::instance(key));
                    batch.remove(keys::lease(key));
                }
            }
        }
        for seq in &update.delta_dropped {
            batch.remove(keys::delta(*seq));
        }
        for (seq, entry) in &update.delta_added {
            batch.insert(keys::delta(*seq), encode_delta_entry(*seq, entry).encode_to_vec());
        }
        batch.insert(keys::HEADER, update.header.encode_to_vec());
        let records = update.instances.len() * 2 + update.delta_added.len() + update.delta_dropped.len() + 1;
        self.apply(batch, records)?;
        self.db.flush().map(drop).map_err(|error| self.sled(error))
    }

    /// Stores a whole state in place of what is there. Not atomic: the header goes first and comes
    /// back last, and a store without one counts as empty.
    ///
    /// # Errors
    /// [`StateError::Sled`] if sled cannot write.
    pub fn replace(&self, header: &StateHeader, snapshot: &Snapshot) -> Result<(), StateError> {
        self.db.remove(keys::HEADER).map_err(|error| self.sled(error))?;
        self.db.clear().map_err(|error| self.sled(error))?;
        for chunk in snapshot.registrations.chunks(CHUNK_RECORDS) {
            let mut batch = sled::Batch::default();
            for (key, registration) in chunk {
                batch.insert(keys::instance(key), encode_instance(&registration.instance));
                batch.insert(keys::lease(key), encode_lease(registration));
            }
            self.apply(batch, chunk.len() * 2)?;
        }
        for chunk in snapshot.delta.chunks(CHUNK_RECORDS) {
            let mut batch = sled::Batch::default();
            for (seq, entry) in chunk {
                batch.insert(keys::delta(*seq), encode_delta_entry(*seq, entry).encode_to_vec());
            }
            self.apply(batch, chunk.len())?;
        }
        let inserted = self.db.insert(keys::HEADER, header.encode_to_vec());
        inserted.map_err(|error| self.sled(error))?;
        self.db.flush().map(drop).map_err(|error| self.sled(error))
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

    fn apply(&self, batch: sled::Batch, records: usize) -> Result<(), StateError> {
        let applied = self.db.apply_batch(batch).map_err(|error| self.sled(error));
        collect_garbage(records);
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
fn collect_garbage(records: usize) {
    const RECORDS_PER_ROUND: usize = 64;
    const LEAST_ROUNDS: usize = 8;
    for _ in 0..LEAST_ROUNDS + records / RECORDS_PER_ROUND {
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
