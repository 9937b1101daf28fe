//! Building a snapshot: the state is captured at once (shared, not copied), and written to disk
//! beside the work of applying.

use std::io;

use openraft::alias::{SnapshotMetaOf, SnapshotOf};
use openraft::storage::RaftSnapshotBuilder;

use super::machine::Machine;
use super::types::{TypeConfig, log_id_from_message, stored_membership_from_message};
use crate::blocking::blocking;
use crate::encoding::DecodeError;
use crate::encoding::message::StateHeader;
use crate::registry::Snapshot;
use crate::storage::{SnapshotDir, SnapshotFile};

pub struct SnapshotBuilder {
    snapshots: SnapshotDir,
    captured: Option<(StateHeader, Snapshot)>,
}

impl SnapshotBuilder {
    pub fn new(machine: Machine) -> Self {
        Self { snapshots: machine.snapshots().clone(), captured: Some(machine.captured()) }
    }
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    type SnapshotData = SnapshotFile;

    async fn build_snapshot(&mut self) -> Result<SnapshotOf<TypeConfig, SnapshotFile>, io::Error> {
        let captured = self.captured.take();
        let (header, snapshot) = captured.ok_or_else(|| io::Error::other("already built"))?;
        let snapshots = self.snapshots.clone();
        let writing = blocking(move || {
            // The newer one, if another was received meanwhile.
            let file = snapshots.write(&header, &snapshot)?;
            Ok::<_, io::Error>((file.header()?, file))
        });
        let (header, file) = writing.await??;
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
