//! The Raft log on disk: entries, vote and commit index in one ordered stream of checksummed
//! records (raft-log), answered for only after `fdatasync`.

mod torn_end;
mod writing;

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};
use openraft::{EntryPayload, LogIdOptionExt, OptionalSend};
use raft_log::api::raft_log_writer::RaftLogWriter;
use raft_log::codeq::Span;
use raft_log::{Config, RaftLog, Segment};
use tokio::sync::oneshot;

use super::log_record::{Flushed, LogTypes, StoredEntry, StoredLogId, StoredVote, Synced, Told};
use super::types::{RaftEntry, RaftLogId, RaftVote, TypeConfig, entry_from_message};
use crate::format::{FormatError, Formats};
use crate::metrics::Metrics;
use crate::storage::{Failures, remedy};
use crate::trace::{self, Traces};

pub use writing::Writing;

/// Where a file of the log is closed, unless a test wants many files. raft-log keeps the entries of the last file in
/// memory, whatever its cache holds.
pub const LOG_FILE_BYTES: usize = 1 << 20;
/// Entries kept in memory for followers that are not far behind.
const CACHE_BYTES: usize = 512 << 10;
/// What replaying a file reads at a time.
const READ_BUFFER_BYTES: usize = 1 << 20;
/// Most bytes of entries in one append to a follower; a single larger entry goes alone.
const APPEND_BYTES: u64 = 2 << 20;

type Log = RaftLog<LogTypes>;

/// Why a log cannot be used. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error(
        "the Raft log is damaged: the record at byte {offset} of {} was on disk and cannot be read any more ({reason}); what \
         this node had is on the others: replace it by a new node, with an empty data_dir and a node_id that was never used",
        file.display()
    )]
    Damaged { file: PathBuf, offset: u64, reason: String },
    #[error(
        "cannot {action} the Raft log's {}: {cause}; {}, then start this node again", path.display(), remedy(cause)
    )]
    Io { action: &'static str, path: PathBuf, cause: io::Error },
    #[error(
        "the Raft log in {} cannot be opened: {cause}; {}, then start this node again", dir.display(), remedy(cause)
    )]
    Open { dir: PathBuf, cause: io::Error },
    #[error("the Raft log in {}: {cause}", dir.display())]
    Format { dir: PathBuf, cause: FormatError },
}

/// What a node asks of its log beside what Raft does. Clones are the same log.
pub trait KeptLog: RaftLogStorage<TypeConfig> + Clone {
    /// The index of the last entry, or up to which all were purged.
    fn last_index(&self) -> u64;
    /// Bytes on disk, all files together.
    fn disk_bytes(&self) -> u64;
    /// Whether it can be written.
    fn failures(&self) -> Failures {
        Failures::default()
    }
}

/// A handle; clones are the same log.
#[derive(Clone)]
pub struct LogStore {
    log: Arc<RwLock<Log>>,
    writing: Arc<Writing>,
    formats: Formats,
    traces: Traces,
}

impl LogStore {
    /// Opens the log, cutting off what a crash left half-written at its end. All that it holds then is on
    /// disk. A file is closed once it has `file_bytes`, and removed once everything in it is purged.
    ///
    /// # Errors
    /// [`LogError`] if its files cannot be used, a record that was synced is damaged, or its last entry is of none of
    /// these formats.
    pub fn open(
        dir: &Path,
        file_bytes: usize,
        formats: Formats,
        metrics: &Metrics,
    ) -> Result<Self, LogError> {
        std::fs::create_dir_all(dir).map_err(|cause| LogError::Io {
            action: "create",
            path: dir.to_owned(),
            cause,
        })?;
        let synced_bytes = torn_end::cut_off(dir)?;
        let mut config = Config::new(dir.display());
        config.wal.read_buffer_size = Some(READ_BUFFER_BYTES);
        config.wal.chunk_max_size = Some(file_bytes);
        config.wal.flush_batch_wait = Some(Duration::ZERO);
        // What a crash may leave is cut off by now: it would take some damage for that.
        config.wal.truncate_incomplete_record = Some(false);
        config.log_cache_capacity = Some(CACHE_BYTES);
        let log = Log::open(Arc::new(config)).map_err(|cause| {
            torn_end::first_damage(dir).unwrap_or(LogError::Open { dir: dir.to_owned(), cause })
        })?;
        let log = Arc::new(RwLock::new(log));
        let (synced, sync_seconds) = (Synced::new(synced_bytes), metrics.log_sync_seconds.clone());
        let writing = Writing::new(dir, synced, sync_seconds, Arc::downgrade(&log));
        let opened = Self { log, writing: Arc::new(writing), formats, traces: metrics.traces.clone() };
        opened.check_format(dir)?;
        Ok(opened)
    }

    fn check_format(&self, dir: &Path) -> Result<(), LogError> {
        let log = self.read();
        let Some(last) = log.log_state().last().map(|last| last.index) else {
            return Ok(());
        };
        let unreadable = |cause| LogError::Open { dir: dir.to_owned(), cause };
        for stored in log.read(last, last + 1) {
            let (_, entry) = stored.map_err(unreadable)?;
            let checked = self.formats.check("its last entry", entry.format());
            checked.map_err(|cause| LogError::Format { dir: dir.to_owned(), cause })?;
        }
        Ok(())
    }

    /// Whether this node ever voted, or heard of a vote.
    pub fn has_vote(&self) -> bool {
        self.read().log_state().vote().is_some()
    }

    fn read(&self) -> RwLockReadGuard<'_, Log> {
        self.log.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change, if none has failed before, and notes if this one does.
    fn change<T>(&self, change: impl FnOnce(&mut Log) -> io::Result<T>) -> io::Result<T> {
        let mut log = self.log.write().unwrap_or_else(PoisonError::into_inner);
        self.writing.refuse_after_failure()?;
        change(&mut log).inspect_err(|error| self.writing.refused(&log, error))
    }

    /// Makes a change and waits until it is on disk.
    async fn durably(&self, change: impl FnOnce(&mut Log) -> io::Result<Segment>) -> io::Result<()> {
        let (flushed, done) = oneshot::channel();
        self.change(|log| {
            let written = change(log)?;
            log.flush(true, Some(self.flushed(written, Told::Waiter(flushed))))
        })?;
        done.await.map_err(|_| io::Error::other("the log's writer has stopped"))?
    }

    fn flushed(&self, written: Segment, told: Told) -> Flushed {
        Flushed::new(written.end().0, self.writing.clone(), told)
    }

    /// Of writing an entry that this node proposes, if that is traced.
    fn span(&self, entry: &RaftEntry) -> Option<trace::Span> {
        let EntryPayload::Normal(batch) = &entry.payload else {
            return None;
        };
        let span = self.traces.child("append to log", batch.span())?;
        self.traces.appended(entry.log_id.index, batch.span());
        Some(span)
    }

    fn entries(&self, from: u64, to: u64, max_bytes: u64) -> io::Result<Vec<RaftEntry>> {
        let log = self.read();
        let mut entries = Vec::new();
        let mut bytes = 0;
        for stored in log.read(from, to) {
            let (log_id, payload) = stored?;
            bytes += payload.size();
            if bytes > max_bytes && !entries.is_empty() {
                break;
            }
            let message = payload.into_message(log_id);
            entries.push(entry_from_message(message, self.formats).map_err(io::Error::other)?);
        }
        Ok(entries)
    }
}

impl KeptLog for LogStore {
    fn last_index(&self) -> u64 {
        self.read().log_state().last().map_or(0, |last| last.index)
    }

    fn disk_bytes(&self) -> u64 {
        let stat = self.read().stat();
        let closed: u64 = stat.closed_chunks.iter().map(|chunk| chunk.size).sum();
        closed + stat.open_chunk.size
    }

    fn failures(&self) -> Failures {
        self.writing.failures.clone()
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<RaftEntry>, io::Error> {
        let from = match range.start_bound() {
            Bound::Included(index) => *index,
            Bound::Excluded(index) => index + 1,
            Bound::Unbounded => 0,
        };
        let to = match range.end_bound() {
            Bound::Included(index) => index + 1,
            Bound::Excluded(index) => *index,
            Bound::Unbounded => u64::MAX,
        };
        self.entries(from, to, u64::MAX)
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<RaftEntry>, io::Error> {
        self.entries(start, end, APPEND_BYTES)
    }

    async fn read_vote(&mut self) -> Result<Option<RaftVote>, io::Error> {
        Ok(self.read().log_state().vote().map(RaftVote::from))
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        let log = self.read();
        let state = log.log_state();
        Ok(LogState {
            last_purged_log_id: state.purged().map(RaftLogId::from),
            last_log_id: state.last().map(RaftLogId::from),
        })
    }

    async fn get_log_reader(&mut self) -> Self::LogReader {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &RaftVote) -> Result<(), io::Error> {
        let vote = StoredVote::new(vote, &self.writing.synced);
        self.durably(|log| log.save_vote(vote)).await
    }

    /// Neither synced nor even written before the next append is: an older commit index only means that more is
    /// applied again after a restart.
    async fn save_committed(&mut self, committed: Option<RaftLogId>) -> Result<(), io::Error> {
        let Some(committed) = committed.as_ref().map(StoredLogId::from) else {
            return Ok(());
        };
        self.change(|log| {
            let state = log.log_state();
            if Some(&committed) > state.last() || Some(&committed) <= state.committed() {
                return Ok(());
            }
            log.commit(committed).map(drop)
        })
    }

    async fn read_committed(&mut self) -> Result<Option<RaftLogId>, io::Error> {
        Ok(self.read().log_state().committed().map(RaftLogId::from))
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = RaftEntry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let synced = &self.writing.synced;
        self.change(|log| {
            let mut spans = Vec::new();
            let stored = |entry: RaftEntry| {
                spans.extend(self.span(&entry));
                (StoredLogId::from(&entry.log_id), StoredEntry::new(&entry, synced))
            };
            let written = log.append(entries.into_iter().map(stored))?;
            log.flush(true, Some(self.flushed(written, Told::Append(callback)).within(spans)))
        })
    }

    async fn truncate_after(&mut self, last_log_id: Option<RaftLogId>) -> Result<(), io::Error> {
        let kept_to = last_log_id.next_index();
        if kept_to >= self.read().log_state().last().map(RaftLogId::from).next_index() {
            return Ok(());
        }
        self.durably(|log| log.truncate(kept_to)).await
    }

    async fn purge(&mut self, log_id: RaftLogId) -> Result<(), io::Error> {
        self.durably(|log| log.purge(StoredLogId::from(&log_id))).await
    }
}

#[cfg(test)]
mod tests;
