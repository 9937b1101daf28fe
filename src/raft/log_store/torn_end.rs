//! The end of the log as a crash left it: of what was not synced, anything may be there, in part, and
//! with gaps, as a disk writes its sectors in the order it likes.
//!
//! None of that was ever acknowledged, so from the first gap on it is cut off. What was synced once and
//! cannot be read now is damage, and must not go in silence. The two are told apart by what each record
//! says was synced when it was written, and by how a gap looks: a sector that was not written is zeros.
//! The log's writer leaves zeros behind the last record, which are there after each end that was not in order.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use raft_log::chunked_wal::Config;
use raft_log::codeq::Decode;
use raft_log::{RaftLogAction, RaftLogRecord, WALRecord};

use super::LogError;
use crate::raft::log_record::LogTypes;
use crate::storage::sync_dir;

/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;
/// Each record begins with its kind, a small number of four bytes.
const KIND_BYTES: usize = 4;
/// Each record ends with its checksum, which is not zero but by chance.
const CHECKSUM_BYTES: usize = 4;

type Record = RaftLogRecord<LogTypes>;

/// A file of the log. Its name tells where in the log it begins.
pub struct LogFile {
    pub path: PathBuf,
    pub begin: u64,
}

/// The first record of a file that cannot be read, at this place in it, and to where it was read.
struct Damage {
    at: usize,
    read_to: usize,
    reason: io::Error,
}

/// Cuts the log off before the first record that a crash left incomplete, and makes sure that what is left
/// is on disk. Returns where it ends.
///
/// # Errors
/// [`LogError::Damaged`] if the last file has a damaged record that was synced; nothing is changed then.
pub fn cut_off(dir: &Path) -> Result<u64, LogError> {
    let mut files = log_files(dir)?;
    let mut end = 0;
    while let Some(last) = files.last() {
        let kept = last.cut_off()?;
        end = last.begin + kept;
        if kept > 0 {
            break;
        }
        // The one before was synced before anything was written to this one; but if it is empty, not even that.
        fs::remove_file(&last.path).map_err(|cause| failed("remove", &last.path, cause))?;
        files.pop();
    }
    for file in &files {
        // A process may have ended between writing and syncing. This one will act on what it reads.
        let synced = File::open(&file.path).and_then(|file| file.sync_data());
        synced.map_err(|cause| failed("sync", &file.path, cause))?;
    }
    sync_dir(dir).map_err(|cause| failed("sync", dir, cause))?;
    Ok(end)
}

/// The first damage in any file, if there is one that can be found.
pub fn first_damage(dir: &Path) -> Option<LogError> {
    log_files(dir).ok()?.iter().find_map(|file| {
        let bytes = fs::read(&file.path).ok()?;
        Some(file.damaged(first_unreadable(&bytes)?))
    })
}

pub fn log_files(dir: &Path) -> Result<Vec<LogFile>, LogError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(|cause| failed("list", dir, cause))? {
        let entry = entry.map_err(|cause| failed("list", dir, cause))?;
        if let Ok(begin) = Config::parse_chunk_file_name(&entry.file_name().to_string_lossy()) {
            files.push(LogFile { path: entry.path(), begin });
        }
    }
    files.sort_by_key(|file| file.begin);
    Ok(files)
}

impl LogFile {
    /// How many bytes of it there are, once it is cut off where a crash left it incomplete.
    fn cut_off(&self) -> Result<u64, LogError> {
        let bytes = fs::read(&self.path).map_err(|cause| failed("read", &self.path, cause))?;
        let written_end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        // The last record may end with zeros, but not with a checksum of them.
        let records_end = bytes.len().min(written_end + CHECKSUM_BYTES - 1);
        let records = &bytes[..records_end];
        let kept = match first_unreadable(records) {
            None => records.len(),
            Some(damage) if is_zeros(&records[damage.at..]) => damage.at,
            Some(damage) if self.is_torn(&records[..written_end.max(damage.read_to)], &damage) => {
                tracing::warn!(
                    file = %self.path.display(),
                    offset = damage.at,
                    bytes = written_end - damage.at,
                    "the end of the log was not completely written before a crash; it is cut off"
                );
                damage.at
            }
            Some(damage) => return Err(self.damaged(damage)),
        };
        if kept < bytes.len() {
            let cut = OpenOptions::new().write(true).open(&self.path).and_then(|file| {
                file.set_len(kept as u64)?;
                file.sync_all()
            });
            cut.map_err(|cause| failed("cut off the end of", &self.path, cause))?;
        }
        Ok(kept as u64)
    }

    /// Whether a crash may have left it like this.
    fn is_torn(&self, bytes: &[u8], damage: &Damage) -> bool {
        let unfinished = damage.reason.kind() == ErrorKind::UnexpectedEof;
        (unfinished || has_unwritten_sector(bytes, damage.at))
            && !tells_of_sync_beyond(&bytes[damage.at..], self.begin + damage.at as u64)
    }

    fn damaged(&self, damage: Damage) -> LogError {
        let Damage { at, read_to: _, reason } = damage;
        LogError::Damaged { file: self.path.clone(), offset: at as u64, reason: reason.to_string() }
    }
}

fn is_zeros(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn first_unreadable(bytes: &[u8]) -> Option<Damage> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let at = bytes.len() - rest.len();
        if let Err(reason) = Record::decode(&mut rest) {
            return Some(Damage { at, read_to: bytes.len() - rest.len(), reason });
        }
    }
    None
}

#[cfg(test)]
pub fn is_whole(bytes: &[u8]) -> bool {
    first_unreadable(bytes).is_none()
}

/// Whether there is a sector of zeros from `at` on. One that was written has some other byte at least in
/// the kind of a record, but for what is shorter than that.
fn has_unwritten_sector(bytes: &[u8], at: usize) -> bool {
    let first_end = bytes.len().min((at / SECTOR_BYTES + 1) * SECTOR_BYTES);
    let (first, others) = (&bytes[at..first_end], bytes[first_end..].chunks(SECTOR_BYTES));
    (first.len() >= KIND_BYTES && is_zeros(first)) || others.into_iter().any(is_zeros)
}

/// Whether a record after the first of these says that the log was synced to beyond `offset`, which is
/// where they begin.
fn tells_of_sync_beyond(bytes: &[u8], offset: u64) -> bool {
    (1..bytes.len().saturating_sub(KIND_BYTES)).any(|at| {
        bytes[at..].starts_with(&[0; KIND_BYTES - 1])
            && Record::decode(&bytes[at..]).is_ok_and(|record| synced_bytes(&record) > offset)
    })
}

/// Up to which byte of the log everything was synced when this was written, as far as it says.
fn synced_bytes(record: &Record) -> u64 {
    match record {
        WALRecord::Action(RaftLogAction::Append(_, entry)) => entry.synced_bytes(),
        WALRecord::Action(RaftLogAction::SaveVote(vote)) => vote.synced_bytes(),
        WALRecord::Checkpoint(state) => state.vote().map_or(0, |vote| vote.synced_bytes()),
        WALRecord::Action(_) => 0,
    }
}

fn failed(action: &'static str, path: &Path, cause: io::Error) -> LogError {
    LogError::Io { action, path: path.to_owned(), cause }
}
