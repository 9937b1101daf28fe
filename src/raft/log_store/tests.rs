//! The log through restarts, torn ends and damage.

mod damage;
mod reopening;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use openraft::EntryPayload;
use openraft::type_config::TypeConfigExt;

use super::*;
use crate::encoding::EncodedBatch;
use crate::format::{Format, Formats};
use crate::raft::types::log_id;

/// All that the log has to say.
#[derive(Debug, Clone, Default, PartialEq)]
struct Contents {
    purged: Option<RaftLogId>,
    last: Option<RaftLogId>,
    committed: Option<RaftLogId>,
    vote: Option<RaftVote>,
    entries: Vec<RaftEntry>,
}

async fn contents(log: &mut LogStore) -> Contents {
    let state = log.get_log_state().await.unwrap();
    Contents {
        purged: state.last_purged_log_id,
        last: state.last_log_id,
        committed: log.read_committed().await.unwrap(),
        vote: log.read_vote().await.unwrap(),
        entries: log.try_get_log_entries(..).await.unwrap(),
    }
}

/// An entry of `bytes` bytes that differ with its place in the log.
fn entry(term: u64, index: u64, bytes: usize) -> RaftEntry {
    let batch = Bytes::from(vec![index as u8 ^ term as u8; bytes]);
    RaftEntry {
        log_id: log_id(term, index),
        payload: EntryPayload::Normal(EncodedBatch::new(batch, Format::FIRST)),
    }
}

fn vote(term: u64, committed: bool) -> RaftVote {
    let leader_id = openraft::impls::leader_id_std::LeaderId { term, voted_for: 2 };
    RaftVote { leader_id, committed }
}

fn open(dir: &Path) -> Result<LogStore, LogError> {
    LogStore::open(dir, LOG_FILE_BYTES, Formats::THIS, &Metrics::default())
}

/// Appends and waits for what Raft waits for.
async fn append(log: &mut LogStore, entries: impl IntoIterator<Item = RaftEntry>) {
    let (flushed, done) = TypeConfig::oneshot();
    let entries: Vec<RaftEntry> = entries.into_iter().collect();
    log.append(entries, IOFlushed::signal(flushed)).await.unwrap();
    done.await.unwrap().unwrap();
}

/// Makes sure that what was written without a sync is in the file.
fn settle(log: &LogStore) {
    log.read().wait_worker_idle().unwrap();
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|it| it == "wal")).collect();
    files.sort();
    files
}
