//! A backup of what this node has applied, taken while it goes on.

use std::io::{self, Write};

use super::consensus::Consensus;
use crate::message::{BackupHead, StateHeader};
use crate::registry::Snapshot;
use crate::storage::write_backup;

/// A state of one log index, shared with the machine and not copied.
pub struct Captured {
    head: BackupHead,
    header: StateHeader,
    snapshot: Snapshot,
}

impl Consensus {
    /// What this node has applied by now, for a backup. Applying waits meanwhile, so nothing else is done here.
    /// `None` before the first entry.
    pub fn capture(&self, cluster: &str, taken_ms: i64) -> Option<Captured> {
        let (header, snapshot) = self.machine().captured();
        header.applied?;
        let head = BackupHead {
            cluster: cluster.to_owned(),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            taken_ms,
            node_id: self.node_id(),
            // Asked for later, it is no earlier than any that the state knows of.
            term: self.status().term,
        };
        Some(Captured { head, header, snapshot })
    }
}

impl Captured {
    pub fn index(&self) -> u64 {
        self.header.applied.map_or(0, |applied| applied.index)
    }

    pub fn instances(&self) -> u64 {
        self.header.registrations
    }

    /// # Errors
    /// What `out` says.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        write_backup(out, &self.head, &self.header, &self.snapshot)
    }
}
