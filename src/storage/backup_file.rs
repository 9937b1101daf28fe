//! Backup files: what the backup is of, a state as a snapshot file has it, and a SHA-256 of both.
//!
//! A file is a magic number, the version of its format, the length of the head (both big-endian `u32`), the head, the
//! bytes of a snapshot file, and last a SHA-256 of everything before it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

use prost::Message;
use ring::digest::{Context, Digest, SHA256, SHA256_OUTPUT_LEN};

use super::snapshot_file::{SnapshotError, read_state, write_state};
use crate::encoding::DecodeError;
use crate::format::Formats;
use crate::message::{BackupHead, StateHeader};
use crate::registry::{LoadError, Registry, Snapshot};

const MAGIC: &[u8; 8] = b"RSRGBKUP";
/// The format this program writes, and the newest that it reads.
const FORMAT_VERSION: u32 = 1;
/// No head is longer: a few names and numbers.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// Why a file is of no use as a backup. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("is no backup; give a file that rs-registry backup wrote")]
    Foreign,
    #[error(
        "has format {0} and this program knows up to {FORMAT_VERSION}; use the program that wrote it, or a newer one"
    )]
    NewerFormat(u32),
    #[error("is cut short; use another copy or another backup")]
    CutShort,
    #[error(
        "is damaged or cut short: its SHA-256 is {found} and should be {stored}; use another copy or another backup"
    )]
    Checksum { stored: String, found: String },
    #[error("has a head that cannot be read: {0}; use the program that wrote it, or a newer one")]
    Head(String),
    #[error("has a state that cannot be read: {0}; use the program that wrote it, or a newer one")]
    State(#[from] SnapshotError),
    #[error("has a state that does not add up: {0}; use another backup")]
    Load(#[from] LoadError),
}

/// All that a backup file has, verified.
#[derive(Debug)]
pub struct Backup {
    pub head: BackupHead,
    pub header: StateHeader,
    pub snapshot: Snapshot,
    pub bytes: u64,
    /// SHA-256 of the whole file, in hexadecimal.
    pub sha256: String,
}

/// # Errors
/// What `out` says.
pub fn write_backup(
    out: impl Write,
    head: &BackupHead,
    header: &StateHeader,
    snapshot: &Snapshot,
) -> io::Result<()> {
    let mut out = Digesting { out, digest: Context::new(&SHA256) };
    let head = head.encode_to_vec();
    out.write_all(MAGIC)?;
    out.write_all(&FORMAT_VERSION.to_be_bytes())?;
    out.write_all(&u32::try_from(head.len()).map_err(io::Error::other)?.to_be_bytes())?;
    out.write_all(&head)?;
    write_state(&mut out, header, snapshot)?;
    let Digesting { mut out, digest } = out;
    out.write_all(digest.finish().as_ref())?;
    out.flush()
}

/// Reads all of a file, twice: nothing of it is taken for a length before its checksum is verified.
///
/// # Errors
/// [`BackupError`] if it is not a whole backup in a format that this program knows.
pub fn read_backup(mut file: &File) -> Result<Backup, BackupError> {
    let bytes = file.metadata()?.len();
    file.rewind()?;
    check_format(&mut file)?;
    let covered = bytes.checked_sub(SHA256_OUTPUT_LEN as u64).ok_or(BackupError::CutShort)?;
    file.rewind()?;
    let sha256 = verify(file, covered)?;
    file.seek(SeekFrom::Start((MAGIC.len() + size_of::<u32>()) as u64))?;
    let mut reader = BufReader::new(file);
    let head = read_head(&mut reader)?;
    let (header, snapshot) = read_state(&mut reader, Formats::THIS)?;
    // The records are shared by both.
    Registry::from_snapshot(snapshot.clone())?;
    Ok(Backup { head, header, snapshot, bytes, sha256 })
}

fn check_format(reader: &mut impl Read) -> Result<(), BackupError> {
    let mut magic = [0; MAGIC.len()];
    read_or(reader, &mut magic, || BackupError::Foreign)?;
    if &magic != MAGIC {
        return Err(BackupError::Foreign);
    }
    let mut version = [0; size_of::<u32>()];
    read_or(reader, &mut version, || BackupError::CutShort)?;
    match u32::from_be_bytes(version) {
        FORMAT_VERSION => Ok(()),
        version => Err(BackupError::NewerFormat(version)),
    }
}

fn read_or(
    reader: &mut impl Read,
    buffer: &mut [u8],
    too_short: impl FnOnce() -> BackupError,
) -> Result<(), BackupError> {
    match reader.read_exact(buffer) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(too_short()),
        read => Ok(read?),
    }
}

/// Compares the checksum at the end with what is before it. The SHA-256 of all together.
fn verify(file: &File, covered: u64) -> Result<String, BackupError> {
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut digesting = Digesting { out: io::sink(), digest: Context::new(&SHA256) };
    io::copy(&mut (&mut reader).take(covered), &mut digesting)?;
    let mut whole = digesting.digest.clone();
    let mut stored = [0; SHA256_OUTPUT_LEN];
    read_or(&mut reader, &mut stored, || BackupError::CutShort)?;
    let found = digesting.digest.finish();
    if found.as_ref() != stored {
        return Err(BackupError::Checksum {
            stored: hexadecimal(&stored),
            found: hexadecimal(found.as_ref()),
        });
    }
    whole.update(&stored);
    let whole: Digest = whole.finish();
    Ok(hexadecimal(whole.as_ref()))
}

fn read_head(reader: &mut impl Read) -> Result<BackupHead, BackupError> {
    let mut length = [0; size_of::<u32>()];
    reader.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_HEAD_BYTES {
        return Err(BackupError::Head(format!("it is {length} bytes long")));
    }
    let mut head = vec![0; length];
    reader.read_exact(&mut head)?;
    BackupHead::decode(head.as_slice())
        .map_err(|error| BackupError::Head(DecodeError::from(error).to_string()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Passes on what is written, and takes it into a checksum.
struct Digesting<W> {
    out: W,
    digest: Context,
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests;
