//! What a node of a new cluster begins with when that goes on from another one's state: a snapshot whose members are
//! the new ones, and a log that begins after it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use openraft::Vote;
use openraft::impls::leader_id_std::LeaderId;
use openraft::storage::RaftLogStorage;

use super::checkpoints::Checkpoints;
use super::log_store::{LOG_FILE_BYTES, LogError, LogStore};
use super::types::{
    Node, NodeId, RaftLogId, RaftMembership, RaftStoredMembership, log_id, log_id_from_message,
    log_id_to_message, stored_membership_to_message,
};
use crate::format::Formats;
use crate::message::StateHeader;
use crate::metrics::Metrics;
use crate::storage::{Backup, SnapshotDir, SnapshotError, sync_dir};

/// How far the new log begins beyond the old one, at least: further than the old cluster came after the backup. Else a
/// client would take an answer for one that it has, by its `ETag`, which is of another state of the same index.
const INDEX_GAP: u64 = 1_000_000_000_000;

#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    #[error("it is of a cluster that had nothing yet; start a new cluster without it")]
    Empty,
    #[error("its log index {0} is near the end of what there is; start a new cluster without it")]
    NoIndexLeft(u64),
    #[error("the initial cluster is none: {0}")]
    Members(String),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("cannot write the log: {0}")]
    Write(io::Error),
    #[error("cannot write the snapshot: {0}")]
    Snapshot(#[from] SnapshotError),
}

/// Where the new cluster begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeded {
    pub index: u64,
    pub term: u64,
}

/// Writes the snapshot and the log of one of the `members` into a data directory, durably. Every member makes the
/// same of the same backup.
///
/// # Errors
/// [`SeedError`].
pub async fn seed(
    dir: &Path,
    node_id: NodeId,
    members: &BTreeMap<NodeId, String>,
    backup: &Backup,
) -> Result<Seeded, SeedError> {
    let (header, begin) = renewed(members, backup)?;
    let snapshots = SnapshotDir::open(&dir.join("snapshot"), Formats::THIS).map_err(SnapshotError::from)?;
    drop(snapshots.write(&header, &backup.snapshot)?);
    write_log(&dir.join("log"), node_id, begin).await?;
    Ok(Seeded { index: begin.index, term: begin.committed_leader_id().term })
}

/// The state's header with other members, and where the new log begins.
fn renewed(
    members: &BTreeMap<NodeId, String>,
    backup: &Backup,
) -> Result<(StateHeader, RaftLogId), SeedError> {
    let applied = backup.header.applied.as_ref().map(log_id_from_message).ok_or(SeedError::Empty)?;
    // The nodes compare their states from there on: who was restored from something else is found out at once.
    let index = applied.index.checked_add(INDEX_GAP).and_then(Checkpoints::due_from);
    let index = index.ok_or(SeedError::NoIndexLeft(applied.index))?;
    let term = applied.committed_leader_id().term.max(backup.head.term);
    let begin = log_id(term, index);
    let nodes: BTreeMap<NodeId, Node> =
        members.iter().map(|(id, peer_addr)| (*id, Node { peer_addr: peer_addr.clone() })).collect();
    let voters = vec![nodes.keys().copied().collect()];
    let membership =
        RaftMembership::new(voters, nodes).map_err(|error| SeedError::Members(error.to_string()))?;
    let header = StateHeader {
        applied: Some(log_id_to_message(&begin)),
        membership: Some(stored_membership_to_message(&RaftStoredMembership::new(Some(begin), membership))),
        visible_index: index,
        ..backup.header.clone()
    };
    Ok((header, begin))
}

/// A log without entries. Its vote is this node's for itself, in a term that so nobody wins: whoever is elected is so in
/// a later one.
async fn write_log(dir: &Path, node_id: NodeId, begin: RaftLogId) -> Result<(), SeedError> {
    let mut log = LogStore::open(dir, LOG_FILE_BYTES, Formats::THIS, &Metrics::default())?;
    let leader_id = LeaderId { term: begin.committed_leader_id().term + 1, voted_for: node_id };
    log.save_vote(&Vote { leader_id, committed: false }).await.map_err(SeedError::Write)?;
    log.purge(begin).await.map_err(SeedError::Write)?;
    sync_dir(dir).map_err(SeedError::Write)
}

#[cfg(test)]
mod tests;
