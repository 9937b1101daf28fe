//! Snapshot files: one whole state, checksummed, only ever the newest.
//!
//! A file is a magic number, then records each behind its length (big-endian `u32`): a
//! `StateHeader`, as many `Registration`s and `DeltaEntry`s as that tells, and last a CRC-32 of
//! everything before it. It is written under another name and synced before it takes the current
//! one's place.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prost::Message;

use super::sync_dir;
use crate::encoding::{
    DecodeError, decode_delta_entry, decode_peer_progress, decode_registration, decode_self_preservation,
    encode_delta_entry, encode_registration,
};
use crate::format::{Format, FormatError, Formats};
use crate::message::{self, StateHeader};
use crate::registry::Snapshot;

const MAGIC: &[u8; 8] = b"RSRGSNP2";
const CURRENT: &str = "current";
const WRITING: &str = "writing";
const INCOMING_PREFIX: &str = "incoming-";
const DAMAGED: &str = "damaged";
/// No record is longer: an instance is bounded far below, a header too.
const MAX_RECORD_BYTES: usize = 16 << 20;

#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("the snapshot cannot be read or written: {0}")]
    Io(#[from] io::Error),
    #[error("the snapshot is not one of this version")]
    Magic,
    #[error("the snapshot is damaged: its checksum is {found:08x} and should be {stored:08x}")]
    Checksum { stored: u32, found: u32 },
    #[error("the snapshot is damaged: a record of {0} bytes")]
    Record(usize),
    #[error("the snapshot is damaged: {0}")]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Format(#[from] FormatError),
}

impl From<SnapshotError> for io::Error {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Io(error) => error,
            other => io::Error::new(io::ErrorKind::InvalidData, other),
        }
    }
}

/// An open snapshot file. Stays readable after a newer one took its place; one that was never
/// adopted is removed when it is dropped.
#[derive(Debug)]
pub struct SnapshotFile {
    path: PathBuf,
    file: File,
    adopted: bool,
    formats: Formats,
}

/// The directory that holds the newest snapshot. Clones are the same directory.
#[derive(Debug, Clone)]
pub struct SnapshotDir {
    dir: PathBuf,
    /// The log index that the current snapshot covers, once its checksum was verified. Held while
    /// another takes its place: of a built and a received one that end together the newer stays.
    covered: Arc<Mutex<Option<u64>>>,
    received: Arc<AtomicU64>,
    formats: Formats,
}

impl SnapshotDir {
    /// Creates the directory if there is none and clears away what was never finished. Snapshots of other formats than
    /// these are not read.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(dir: &Path, formats: Formats) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name == WRITING || name.starts_with(INCOMING_PREFIX) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(Self { dir: dir.to_owned(), covered: Arc::default(), received: Arc::default(), formats })
    }

    /// Those of the snapshots that are read.
    pub fn formats(&self) -> Formats {
        self.formats
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes a snapshot and makes it the current one, durably.
    ///
    /// # Errors
    /// What the file system says; the current snapshot is then what it was.
    pub fn write(&self, header: &StateHeader, snapshot: &Snapshot) -> Result<SnapshotFile, SnapshotError> {
        let writing = self.create(WRITING)?;
        let mut out = BufWriter::new(&writing.file);
        write_state(&mut out, header, snapshot)?;
        out.flush()?;
        drop(out);
        self.adopt(writing)
    }

    /// An empty file for a snapshot that another node sends.
    ///
    /// # Errors
    /// What the file system says.
    pub fn incoming(&self) -> io::Result<SnapshotFile> {
        // A name of its own: what a former leader still sends must not get into this one.
        let number = self.received.fetch_add(1, Ordering::Relaxed);
        self.create(&format!("{INCOMING_PREFIX}{number}"))
    }

    fn create(&self, name: &str) -> io::Result<SnapshotFile> {
        let path = self.dir.join(name);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        Ok(SnapshotFile { path, file, adopted: false, formats: self.formats })
    }

    /// Makes a finished file the current snapshot, durably, unless that is newer already: then the
    /// finished one is dropped. Gives back the one that is current.
    ///
    /// # Errors
    /// What the file system says, or [`SnapshotError`] if the file has no readable header.
    pub fn adopt(&self, mut finished: SnapshotFile) -> Result<SnapshotFile, SnapshotError> {
        // Before the lock, for which whoever asks for the current snapshot waits.
        finished.file.sync_all()?;
        let covers = finished.covers()?;
        let mut covered = self.covered();
        let current = self.dir.join(CURRENT);
        if finished.path == current || covered.is_some_and(|current| current > covers) {
            return Ok(SnapshotFile {
                file: File::open(&current)?,
                path: current,
                adopted: true,
                formats: self.formats,
            });
        }
        std::fs::rename(&finished.path, &current)?;
        finished.adopted = true;
        sync_dir(&self.dir)?;
        *covered = Some(covers);
        Ok(SnapshotFile {
            path: current,
            file: finished.file.try_clone()?,
            adopted: true,
            formats: self.formats,
        })
    }

    /// The current snapshot. Its checksum is verified when it is first asked for; one that is
    /// damaged is put aside.
    ///
    /// # Errors
    /// What the file system says.
    pub fn current(&self) -> io::Result<Option<SnapshotFile>> {
        let mut covered = self.covered();
        let path = self.dir.join(CURRENT);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let snapshot = SnapshotFile { path, file, adopted: true, formats: self.formats };
        if covered.is_some() {
            return Ok(Some(snapshot));
        }
        match snapshot.verify().and_then(|()| snapshot.covers()) {
            Ok(covers) => {
                *covered = Some(covers);
                Ok(Some(snapshot))
            }
            Err(SnapshotError::Io(error)) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            // Well, but of another program.
            Err(error @ SnapshotError::Format(_)) => Err(error.into()),
            Err(error) => {
                let aside = self.dir.join(DAMAGED);
                tracing::warn!(%error, aside = %aside.display(), "the snapshot is not used and put aside");
                std::fs::rename(&snapshot.path, &aside)?;
                sync_dir(&self.dir)?;
                Ok(None)
            }
        }
    }

    fn covered(&self) -> MutexGuard<'_, Option<u64>> {
        self.covered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SnapshotFile {
    fn drop(&mut self) {
        if !self.adopted
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(%error, path = %self.path.display(), "an unfinished snapshot stays behind");
        }
    }
}

impl SnapshotFile {
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Its length in bytes.
    ///
    /// # Errors
    /// What the file system says.
    pub fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// # Errors
    /// [`SnapshotError`] if it cannot be read or begins with something else.
    pub fn header(&self) -> Result<StateHeader, SnapshotError> {
        let mut reader = self.reader()?;
        read_header(&mut reader, self.formats)
    }

    /// The whole state in it.
    ///
    /// # Errors
    /// [`SnapshotError`] if it cannot be read or is damaged.
    pub fn read(&self) -> Result<(StateHeader, Snapshot), SnapshotError> {
        self.verify()?;
        read_state(&mut self.reader()?, self.formats)
    }

    /// The log index that it covers; 0 before the first entry.
    fn covers(&self) -> Result<u64, SnapshotError> {
        Ok(self.header()?.applied.map_or(0, |applied| applied.index))
    }

    /// Reads all of it and compares the checksum.
    ///
    /// # Errors
    /// [`SnapshotError`] if it cannot be read or is damaged.
    pub fn verify(&self) -> Result<(), SnapshotError> {
        const CHECKSUM_BYTES: u64 = 4;
        let length = self.size_bytes()?;
        let Some(covered) = length.checked_sub(CHECKSUM_BYTES) else {
            return Err(SnapshotError::Magic);
        };
        let mut reader = self.reader()?;
        let mut crc = crc32fast::Hasher::new();
        let mut buffer = [0; 64 * 1024];
        let mut left = covered;
        while left > 0 {
            let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            reader.read_exact(&mut buffer[..wanted])?;
            crc.update(&buffer[..wanted]);
            left -= wanted as u64;
        }
        let stored = read_u32(&mut reader)?;
        let found = crc.finalize();
        if stored != found {
            return Err(SnapshotError::Checksum { stored, found });
        }
        Ok(())
    }

    fn reader(&self) -> io::Result<BufReader<&File>> {
        let mut file = &self.file;
        file.rewind()?;
        Ok(BufReader::new(file))
    }
}

/// Writes all that a snapshot file has.
///
/// # Errors
/// What `out` says.
pub(super) fn write_state(out: impl Write, header: &StateHeader, snapshot: &Snapshot) -> io::Result<()> {
    let mut out = ChecksumWriter { out, crc: crc32fast::Hasher::new() };
    out.write_all(MAGIC)?;
    write_record(&mut out, header)?;
    for (key, registration) in &snapshot.registrations {
        write_record(&mut out, &encode_registration(key, registration))?;
    }
    for (seq, entry) in &snapshot.delta {
        write_record(&mut out, &encode_delta_entry(*seq, entry))?;
    }
    let checksum = out.crc.finalize();
    out.out.write_all(&checksum.to_be_bytes())
}

/// Reads the state that [`write_state`] wrote, up to its checksum, which is the caller's to verify.
///
/// # Errors
/// [`SnapshotError`] if it cannot be read, is damaged, or of none of these formats.
pub(super) fn read_state(
    reader: &mut impl Read,
    formats: Formats,
) -> Result<(StateHeader, Snapshot), SnapshotError> {
    let header = read_header(reader, formats)?;
    let mut snapshot = Snapshot {
        now_ms: header.now_ms,
        sequence: header.sequence,
        state_hash: header.state_hash,
        self_preservation: decode_self_preservation(&header.self_preservation)?,
        peer_progress: decode_peer_progress(&header.peer_progress),
        format: Format::from_stored(header.format),
        ..Snapshot::default()
    };
    for _ in 0..header.registrations {
        let record: message::Registration = read_record(reader)?;
        let (key, registration) = decode_registration(record)?;
        snapshot.registrations.push((key, Arc::new(registration)));
    }
    for _ in 0..header.delta_entries {
        snapshot.delta.push(decode_delta_entry(read_record(reader)?)?);
    }
    Ok((header, snapshot))
}

fn read_header(reader: &mut impl Read, formats: Formats) -> Result<StateHeader, SnapshotError> {
    let mut magic = [0; MAGIC.len()];
    reader.read_exact(&mut magic)?;
    if &magic != MAGIC {
        return Err(SnapshotError::Magic);
    }
    let header: StateHeader = read_record(reader)?;
    formats.check("a snapshot", Format::from_stored(header.format))?;
    Ok(header)
}

struct ChecksumWriter<W> {
    out: W,
    crc: crc32fast::Hasher,
}

impl<W: Write> ChecksumWriter<W> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.crc.update(bytes);
        self.out.write_all(bytes)
    }
}

fn write_record<W: Write>(out: &mut ChecksumWriter<W>, record: &impl Message) -> io::Result<()> {
    let bytes = record.encode_to_vec();
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(&bytes)
}

fn read_record<M: Message + Default>(reader: &mut impl Read) -> Result<M, SnapshotError> {
    let length = read_u32(reader)? as usize;
    if length > MAX_RECORD_BYTES {
        return Err(SnapshotError::Record(length));
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    Ok(M::decode(bytes.as_slice()).map_err(DecodeError::from)?)
}

fn read_u32(reader: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; size_of::<u32>()];
    reader.read_exact(&mut bytes)?;
    Ok(u32::from_be_bytes(bytes))
}
