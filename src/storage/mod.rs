//! Everything on disk but the Raft log: the state, the newest snapshot, whose directory it is.

mod aside;
mod backup_file;
mod block;
mod distrust;
mod failures;
mod keys;
pub mod marker;
mod packing;
mod snapshot_file;
mod state;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::Path;

pub use aside::aside;
pub use backup_file::{Backup, BackupError, read_backup, write_backup};
pub use distrust::{distrust, put_aside};
pub use failures::{Failures, Part, remedy};
pub use snapshot_file::{SnapshotDir, SnapshotError, SnapshotFile};
pub use state::{InstanceUpdate, StateError, StateStore, StateUpdate, StoredState};

/// Makes created, renamed and removed names in a directory survive a power cut.
///
/// # Errors
/// What the file system says.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
