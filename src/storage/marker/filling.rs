//! A data directory that is filled before a node is started with it.
//!
//! The marker comes last: until then no node takes the directory for its own. What an attempt left that was
//! interrupted is told by `FILLING`, and the next attempt begins anew.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::{DirLock, Marker, MarkerError, create_dir, refuse_foreign};
use crate::format::Formats;
use crate::storage::sync_dir;

const FILLING_NAME: &str = "FILLING";
/// What a directory is filled with.
const FILLED: [&str; 2] = ["log", "snapshot"];

/// A directory that is held, empty, and of no node yet.
pub struct Filling<'a> {
    dir: &'a Path,
    _lock: DirLock,
}

/// Takes a directory that is empty, or that an interrupted attempt left, and creates it when missing.
///
/// # Errors
/// [`MarkerError`]. Nothing is changed in a directory that is refused.
pub fn fill(dir: &Path) -> Result<Filling<'_>, MarkerError> {
    create_dir(dir)?;
    refuse_used(dir)?;
    let lock = DirLock::acquire(dir)?;
    // Again, for another process may have filled the directory before it was locked.
    refuse_used(dir)?;
    let filling = Filling { dir, _lock: lock };
    filling.begin().map_err(|cause| MarkerError::Io {
        action: "cannot write into",
        path: dir.into(),
        cause,
    })?;
    Ok(filling)
}

impl Filling<'_> {
    /// Removes what an earlier attempt made. Whatever ends this one, the mark is there first.
    fn begin(&self) -> io::Result<()> {
        File::create(self.dir.join(FILLING_NAME))?.sync_all()?;
        sync_dir(self.dir)?;
        for name in FILLED {
            match fs::remove_dir_all(self.dir.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        sync_dir(self.dir)
    }

    /// Makes it a node's, durably. What is in it must be synced.
    ///
    /// # Errors
    /// [`MarkerError`] if the marker cannot be written.
    pub fn finish(self, marker: &Marker) -> Result<(), MarkerError> {
        let failed = |cause| MarkerError::Io { action: "cannot finish", path: self.dir.into(), cause };
        sync_dir(self.dir).map_err(failed)?;
        marker.write(self.dir)?;
        fs::remove_file(self.dir.join(FILLING_NAME)).and_then(|()| sync_dir(self.dir)).map_err(failed)
    }
}

fn refuse_used(dir: &Path) -> Result<(), MarkerError> {
    if let Some(Marker { node_id, cluster_id, .. }) = Marker::read(dir, Formats::THIS)? {
        return Err(MarkerError::Taken { dir: dir.to_owned(), node_id, cluster_id });
    }
    let unreadable =
        |cause| MarkerError::Io { action: "cannot read data directory", path: dir.to_owned(), cause };
    let is_interrupted = dir.join(FILLING_NAME).try_exists().map_err(unreadable)?;
    let ours: &[&str] = if is_interrupted { &[FILLING_NAME, FILLED[0], FILLED[1]] } else { &[] };
    refuse_foreign(dir, ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::marker::claim;

    fn dir() -> tempfile::TempDir {
        tempfile::tempdir().expect("a directory")
    }

    #[test]
    fn a_filled_directory_is_the_nodes_and_is_not_filled_again() {
        let dir = dir();
        let ours = Marker::new("new", 3);
        let filling = fill(dir.path()).expect("empty");
        fs::create_dir(dir.path().join("log")).expect("a directory");
        assert!(matches!(fill(dir.path()), Err(MarkerError::InUse { .. })));
        filling.finish(&ours).expect("marked");
        assert!(!dir.path().join(FILLING_NAME).exists());
        claim(dir.path(), &ours, Formats::THIS).expect("ours");
        let error = fill(dir.path()).err().expect("taken");
        assert!(matches!(error, MarkerError::Taken { node_id: 3, .. }), "{error}");
        assert!(dir.path().join("log").exists());
    }

    /// Wherever an attempt ends, no node takes what it left, and the next one begins with nothing of it.
    #[test]
    fn what_was_interrupted_is_no_nodes_and_is_begun_anew() {
        for left in [&[][..], &["log"], &["log", "snapshot"]] {
            let dir = dir();
            drop(fill(dir.path()).expect("empty"));
            for name in left {
                fs::create_dir(dir.path().join(name)).expect("a directory");
                fs::write(dir.path().join(name).join("half"), name).expect("to write");
            }
            let ours = Marker::new("new", 3);
            let error = claim(dir.path(), &ours, Formats::THIS).expect_err("unfinished");
            assert!(matches!(error, MarkerError::Foreign { .. }), "{error}");
            let filling = fill(dir.path()).expect("begun anew");
            assert!(left.iter().all(|name| !dir.path().join(name).exists()), "{left:?}");
            filling.finish(&ours).expect("marked");
            claim(dir.path(), &ours, Formats::THIS).expect("ours");
        }
    }

    #[test]
    fn what_is_not_ours_is_left_as_it_is() {
        for left in ["log", FILLING_NAME] {
            let dir = dir();
            fs::create_dir(dir.path().join(left)).expect("a directory");
            fs::write(dir.path().join("thesis.tex"), "").expect("to write");
            let error = fill(dir.path()).err().expect("foreign");
            assert!(matches!(error, MarkerError::Foreign { .. }), "{error}");
            assert_eq!(fs::read_dir(dir.path()).expect("to list").count(), 2);
        }
    }
}
