//! Building a snapshot: the state is captured at once (shared, not copied), and written to disk
//! beside the work of applying.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use openraft::alias::{SnapshotMetaOf, SnapshotOf};
use openraft::storage::RaftSnapshotBuilder;

use super::machine::Machine;
use super::types::{TypeConfig, log_id_from_message, stored_membership_from_message};
use crate::blocking::blocking;
use crate::encoding::DecodeError;
use crate::message::StateHeader;
use crate::registry::Snapshot;
use crate::storage::{Failures, Part, SnapshotDir, SnapshotFile};

/// How soon a snapshot that could not be written is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(10);

pub struct SnapshotBuilder {
    snapshots: SnapshotDir,
    failures: Failures,
    captured: Option<(StateHeader, Snapshot)>,
}

impl SnapshotBuilder {
    pub fn new(machine: Machine) -> Self {
        Self {
            snapshots: machine.snapshots().clone(),
            failures: machine.failures().clone(),
            captured: Some(machine.captured()),
        }
    }
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    type SnapshotData = SnapshotFile;

    /// Goes on until it is written: Raft would take it for the end of this node if it were not, but the
    /// log has everything as well, and is only longer.
    async fn build_snapshot(&mut self) -> Result<SnapshotOf<TypeConfig, SnapshotFile>, io::Error> {
        let captured = self.captured.take();
        let captured = Arc::new(captured.ok_or_else(|| io::Error::other("already built"))?);
        let (header, file) = loop {
            match self.write(captured.clone()).await {
                Ok(written) => break written,
                Err(error) => self.failures.begin(Part::Snapshot, self.snapshots.dir(), &error),
            }
            tokio::time::sleep(RETRY_AFTER).await;
        };
        self.failures.end(Part::Snapshot);
        tracing::info!(
            index = header.applied.map_or(0, |applied| applied.index),
            instances = header.registrations,
            bytes = file.size_bytes()?,
            "wrote a snapshot"
        );
        let meta = snapshot_meta(header).map_err(io::Error::other)?;
        Ok(SnapshotOf::<TypeConfig, SnapshotFile> { meta, snapshot: file })
    }
}

impl SnapshotBuilder {
    /// The newer one, if another was received meanwhile.
    async fn write(&self, captured: Arc<(StateHeader, Snapshot)>) -> io::Result<(StateHeader, SnapshotFile)> {
        let snapshots = self.snapshots.clone();
        let writing = blocking(move || {
            let file = snapshots.write(&captured.0, &captured.1)?;
            Ok((file.header()?, file))
        });
        writing.await?
    }
}

/// What Raft wants to know of a snapshot, from its header.
///
/// # Errors
/// [`DecodeError`] if the header is incomplete.
pub fn snapshot_meta(header: StateHeader) -> Result<SnapshotMetaOf<TypeConfig>, DecodeError> {
    Ok(SnapshotMetaOf::<TypeConfig> {
        last_log_id: header.applied.as_ref().map(log_id_from_message),
        last_membership: stored_membership_from_message(header.membership)?,
    })
}
