//! What peers ask of Raft on this node, as messages.

use std::future::ready;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use openraft::LogIdOptionExt;
use openraft::alias::{SnapshotMetaOf, SnapshotOf};

use super::consensus::Consensus;
use super::rpc::{self, peer};
use super::types::{
    TypeConfig, log_id_from_message, stored_membership_from_message, vote_from_message, vote_to_message,
};
use crate::blocking::blocking;
use crate::encoding::DecodeError;
use crate::format::Format;
use crate::storage::{Part, SnapshotDir, SnapshotError, SnapshotFile};

#[derive(Debug, thiserror::Error)]
pub enum IncomingError {
    #[error("the request cannot be understood: {0}")]
    Malformed(#[from] DecodeError),
    #[error("the snapshot broke off: {0}")]
    BrokenOff(String),
    #[error("the snapshot cannot be kept: {0}")]
    Disk(#[from] io::Error),
    #[error("there is no such snapshot yet; one is on its way")]
    NotYet,
    #[error("Raft does not run on this node: {0}")]
    Stopped(String),
}

pub(super) fn stopped(error: impl std::fmt::Display) -> IncomingError {
    IncomingError::Stopped(error.to_string())
}

/// How long a leader waits for the answer that its snapshot cannot be kept: it sends it again at once.
const UNKEPT_PAUSE: Duration = Duration::from_secs(5);

impl Consensus {
    /// Raft itself would tell each time in its log that it does not run.
    fn running(&self) -> Result<(), IncomingError> {
        self.failure().map_or(Ok(()), |failure| Err(IncomingError::Stopped(failure)))
    }

    /// # Errors
    /// [`IncomingError`] if the request is malformed or Raft has stopped.
    pub async fn append(&self, request: peer::AppendRequest) -> Result<peer::AppendResponse, IncomingError> {
        self.running()?;
        let request =
            rpc::append_from_message(request, self.formats).inspect_err(|error| self.note(error))?;
        let leader_commit = request.leader_commit.index();
        let response = self.raft.append_entries(request).await.map_err(stopped)?;
        if !matches!(response, openraft::raft::AppendEntriesResponse::HigherVote(_)) {
            self.contact.heard(leader_commit.unwrap_or(0), self.machine().last_applied());
        }
        Ok(rpc::appended_to_message(&response))
    }

    /// Appends as they come, and what came of each. It ends at the first that cannot be read or is refused.
    ///
    /// # Errors
    /// [`IncomingError`] if Raft has stopped.
    pub fn append_stream<S, E>(
        &self,
        requests: S,
    ) -> Result<BoxStream<'static, Result<peer::AppendResponse, IncomingError>>, IncomingError>
    where
        S: Stream<Item = Result<peer::AppendRequest, E>> + Send + 'static,
        E: std::fmt::Display + Send + 'static,
    {
        self.running()?;
        let committed = Arc::new(AtomicU64::new(0));
        let leader_commit = committed.clone();
        let consensus = self.clone();
        let requests = requests.scan((), move |(), request| {
            let read = |request| rpc::append_from_message(request, consensus.formats);
            let request = request.ok().map(read);
            let request = request.and_then(|read| read.inspect_err(|error| consensus.note(error)).ok());
            let index = request.as_ref().and_then(|request| request.leader_commit.index());
            committed.fetch_max(index.unwrap_or(0), Ordering::Relaxed);
            ready(request)
        });
        let (contact, machine) = (self.contact.clone(), self.machine().clone());
        let answers = self.raft.stream_append(requests).map(move |result| {
            let result = result.map_err(stopped)?;
            if !matches!(result, Err(openraft::raft::StreamAppendError::HigherVote(_))) {
                contact.heard(leader_commit.load(Ordering::Relaxed), machine.last_applied());
            }
            Ok(rpc::appended_to_message(&result.into()))
        });
        Ok(answers.boxed())
    }

    /// Tells of what cannot be understood; once, if only another program could.
    fn note(&self, error: &DecodeError) {
        match error {
            DecodeError::Format(error) => self.note_outdated(error),
            error => tracing::warn!(%error, "an append cannot be understood"),
        }
    }

    /// # Errors
    /// [`IncomingError`] if the request is malformed or Raft has stopped.
    pub async fn vote(&self, request: peer::VoteRequest) -> Result<peer::VoteResponse, IncomingError> {
        self.running()?;
        let response = self.raft.vote(rpc::vote_request_from_message(request)?).await;
        Ok(rpc::voted_to_message(&response.map_err(stopped)?))
    }

    /// # Errors
    /// [`IncomingError`] if the request is malformed or Raft has stopped.
    pub async fn pre_vote(&self, request: peer::VoteRequest) -> Result<peer::VoteResponse, IncomingError> {
        self.running()?;
        let response = self.raft.pre_vote(rpc::vote_request_from_message(request)?).await;
        Ok(rpc::voted_to_message(&response.map_err(stopped)?))
    }

    /// # Errors
    /// [`IncomingError`] if the request is malformed or Raft has stopped.
    pub async fn transfer_leader(
        &self,
        request: peer::TransferLeaderRequest,
    ) -> Result<peer::TransferLeaderResponse, IncomingError> {
        self.running()?;
        let response = self.raft.handle_transfer_leader(rpc::transfer_from_message(request)?).await;
        Ok(rpc::transferred_to_message(&response.map_err(stopped)?))
    }

    /// Receives a snapshot and has it installed, once it is known to be whole: Raft itself takes one
    /// that cannot be installed for a failure of this node's disk, and stops.
    ///
    /// # Errors
    /// [`IncomingError`] if it breaks off, is malformed, cannot be written, or Raft has stopped.
    pub async fn install_snapshot<S, E>(
        &self,
        chunks: S,
    ) -> Result<peer::InstallSnapshotResponse, IncomingError>
    where
        S: Stream<Item = Result<peer::SnapshotChunk, E>> + Unpin,
        E: std::fmt::Display,
    {
        self.running()?;
        let received = receive(chunks, self.machine().snapshots()).await;
        match &received {
            Err(IncomingError::Disk(error)) => {
                self.machine().failures().begin(Part::Snapshot, self.machine().snapshots().dir(), error);
                tokio::time::sleep(UNKEPT_PAUSE).await;
            }
            Err(IncomingError::Malformed(error @ DecodeError::Format(_))) => {
                self.note(error);
                tokio::time::sleep(UNKEPT_PAUSE).await;
            }
            Ok(_) | Err(_) => {}
        }
        let (head, incoming) = received?;
        let vote = vote_from_message(head.vote)?;
        let meta = SnapshotMetaOf::<TypeConfig> {
            last_log_id: head.last_log_id.as_ref().map(log_id_from_message),
            last_membership: stored_membership_from_message(head.membership)?,
        };
        let snapshot = SnapshotOf::<TypeConfig, SnapshotFile> { meta, snapshot: incoming };
        let response = self.raft.install_full_snapshot(vote, snapshot).await.map_err(stopped)?;
        self.machine().failures().end(Part::Snapshot);
        Ok(peer::InstallSnapshotResponse { vote: Some(vote_to_message(&response.vote)) })
    }
}

/// A snapshot that another node sends, once it is known to be whole, and what is told of it. What was
/// written of it goes again if not all of it arrives.
///
/// # Errors
/// [`IncomingError`] if it breaks off, is malformed, or cannot be written.
pub(super) async fn receive<S, E>(
    mut chunks: S,
    into: &SnapshotDir,
) -> Result<(peer::SnapshotHead, SnapshotFile), IncomingError>
where
    S: Stream<Item = Result<peer::SnapshotChunk, E>> + Unpin,
    E: std::fmt::Display,
{
    use peer::snapshot_chunk::Part;
    let mut next = async || match chunks.next().await {
        None => Ok(None),
        Some(Ok(chunk)) => Ok(Some(chunk.part.ok_or(DecodeError::Missing("a part"))?)),
        Some(Err(error)) => Err(IncomingError::BrokenOff(error.to_string())),
    };
    let Some(Part::Head(head)) = next().await? else {
        return Err(DecodeError::Missing("the head of the snapshot").into());
    };
    let format = into.formats().check("a snapshot", Format::from_stored(head.format));
    format.map_err(DecodeError::from)?;
    let incoming = into.incoming()?;
    let file = Arc::new(incoming.file().try_clone()?);
    while let Some(part) = next().await? {
        let Part::Data(data) = part else {
            return Err(DecodeError::Missing("data").into());
        };
        let file = file.clone();
        blocking(move || (&*file).write_all(&data)).await??;
    }
    let incoming = verified(incoming, head.last_log_id.as_ref().map(|log_id| log_id.index)).await?;
    Ok((head, incoming))
}

/// The snapshot if all of it arrived, is on disk, and is what was announced.
async fn verified(incoming: SnapshotFile, announced: Option<u64>) -> Result<SnapshotFile, IncomingError> {
    let verifying = blocking(move || {
        incoming.verify()?;
        incoming.file().sync_all()?;
        let index = incoming.header()?.applied.map(|applied| applied.index);
        Ok::<_, SnapshotError>((incoming, index))
    });
    let broken = |reason: String| IncomingError::BrokenOff(reason);
    let (incoming, index) = verifying.await?.map_err(|error| match error {
        SnapshotError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            IncomingError::Disk(error)
        }
        error => broken(error.to_string()),
    })?;
    if index != announced {
        return Err(broken("it is of another log index than announced".to_owned()));
    }
    Ok(incoming)
}
