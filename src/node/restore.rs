//! A data directory for one node of a new cluster, from a backup of another.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;

use crate::format::Format;
use crate::raft::{NodeId, Seeded, seed};
use crate::storage::Backup;
use crate::storage::marker::{self, Marker};

/// Which node of which new cluster.
#[derive(Debug)]
pub struct Restoration {
    pub data_dir: PathBuf,
    pub node_id: NodeId,
    pub cluster_name: String,
    /// The peer address of every voter.
    pub members: BTreeMap<NodeId, String>,
}

/// Fills the directory. A node takes it only when all is in it, wherever this ends.
///
/// # Errors
/// If the directory is not empty, or cannot be written.
pub async fn restore(restoration: &Restoration, backup: &Backup) -> anyhow::Result<Seeded> {
    let Restoration { data_dir, node_id, cluster_name, members } = restoration;
    let filling = marker::fill(data_dir)?;
    let seeded = seed(data_dir, *node_id, members, backup).await;
    let seeded = seeded.with_context(|| format!("cannot fill {}", data_dir.display()))?;
    let format_version = Format::from_stored(backup.header.format).number();
    filling.finish(&Marker { format_version, ..Marker::new(cluster_name, *node_id) })?;
    Ok(seeded)
}
