//! A state that is lost, when the log alone no longer makes it: another node's snapshot stands in. What
//! it covers is committed, so whoever has it, it fits to the log of any node.

use std::io;
use std::time::Duration;

use futures_util::Stream;
use openraft::LogIdOptionExt;
use openraft::storage::{RaftLogReader, RaftStateMachine};
use tokio::time::Instant;

use super::consensus::Consensus;
use super::incoming::{IncomingError, receive, stopped};
use super::log_store::KeptLog;
use super::machine::Machine;
use super::network::chunks;
use super::peers::Peers;
use super::rpc::peer;
use super::types::{RaftLogId, log_id_to_message, stored_membership_to_message};
use crate::storage::{SnapshotDir, SnapshotFile};

/// How long the others are asked before the node gives up starting.
const PATIENCE: Duration = Duration::from_secs(30);
const RETRY: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("the log cannot be read or written: {0}; look into the disk")]
    Log(io::Error),
    #[error("a snapshot of another node cannot be kept: {0}; look into the disk")]
    Snapshot(io::Error),
    #[error(
        "the state of this node is lost, and its log begins only after index {0}; no other node gave its own within \
         30 s: start the others first"
    )]
    NobodyGave(u64),
}

/// Has the machine reach the beginning of the log, with another node's snapshot if it must. A node that is
/// alone has nobody to ask, and is left to Raft, which does not start on a log with a gap.
///
/// # Errors
/// [`RestoreError`] if it does not get there.
pub async fn restore(log: &mut impl KeptLog, machine: &Machine, peers: &Peers) -> Result<(), RestoreError> {
    let purged = log.get_log_state().await.map_err(RestoreError::Log)?.last_purged_log_id;
    let begin = purged.index().unwrap_or(0);
    if machine.last_applied() >= begin || peers.links().is_empty() {
        return Ok(());
    }
    tracing::warn!(log_begins_after = begin, "the state is lost; asking the other nodes for a snapshot");
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(snapshot) = peers.fetch_snapshot(begin, machine.snapshots()).await {
            let reaches = move |applied: Option<RaftLogId>| applied.index() >= Some(begin);
            let covered = machine.take_up(snapshot, reaches).await.map_err(RestoreError::Snapshot)?;
            return fit(log, purged, covered).await.map_err(RestoreError::Log);
        }
        tokio::time::sleep(RETRY).await;
    }
    Err(RestoreError::NobodyGave(begin))
}

/// Has the log go on where the snapshot ends. If it lacks the entry that the snapshot ends with, what it has
/// beyond what it knows to be committed may be another than was committed.
async fn fit(
    log: &mut impl KeptLog,
    purged: Option<RaftLogId>,
    covered: Option<RaftLogId>,
) -> io::Result<()> {
    let index = covered.index().unwrap_or(0);
    let last = log.get_log_reader().await.try_get_log_entries(index..=index).await?;
    if last.first().map(|entry| entry.log_id) != covered {
        let committed = log.read_committed().await?;
        log.truncate_after(committed.max(purged)).await?;
    }
    Ok(())
}

impl Consensus {
    /// The newest snapshot, for another node that needs one which covers this index. If there is none, one
    /// is made for when it asks again.
    ///
    /// # Errors
    /// [`IncomingError`] if there is none, or it cannot be read.
    pub async fn offer_snapshot(
        &self,
        least_index: u64,
    ) -> Result<impl Stream<Item = peer::SnapshotChunk> + use<>, IncomingError> {
        let current = self.machine().clone().get_current_snapshot().await?;
        let Some(snapshot) = current.filter(|current| current.meta.last_log_id.index() >= Some(least_index))
        else {
            let asked = self.raft.trigger().snapshot().await;
            return Err(asked.map_or_else(stopped, |()| IncomingError::NotYet));
        };
        let head = peer::SnapshotHead {
            vote: None,
            last_log_id: snapshot.meta.last_log_id.as_ref().map(log_id_to_message),
            membership: Some(stored_membership_to_message(&snapshot.meta.last_membership)),
            format: snapshot.snapshot.header().map_err(io::Error::from)?.format,
        };
        Ok(chunks(head, &snapshot.snapshot).await?)
    }
}

impl Peers {
    /// The snapshot of the first peer that has one which covers this index.
    async fn fetch_snapshot(&self, least_index: u64, into: &SnapshotDir) -> Option<SnapshotFile> {
        for (id, link) in self.links() {
            let fetching = async {
                let mut client = link.client().await.map_err(|error| error.to_string())?;
                let request = peer::FetchSnapshotRequest { least_index };
                let chunks = client.fetch_snapshot(request).await.map_err(|status| status.to_string())?;
                let (_, snapshot) =
                    receive(chunks.into_inner(), into).await.map_err(|error| error.to_string())?;
                Ok::<_, String>(snapshot)
            };
            match tokio::time::timeout(PATIENCE, fetching).await {
                Ok(Ok(snapshot)) => return Some(snapshot),
                Ok(Err(reason)) => tracing::info!(peer = id, reason, "no snapshot from this node yet"),
                Err(_) => tracing::info!(peer = id, "no snapshot from this node in time"),
            }
            link.reset();
        }
        None
    }
}
