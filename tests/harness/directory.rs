//! Where a cluster keeps its logs and data.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;

/// Gone when this is dropped, but for one that is to be kept if the test failed.
pub enum Directory {
    Temporary(TempDir),
    KeptOnFailure(PathBuf),
}

impl Directory {
    pub fn temporary() -> Self {
        Self::Temporary(tempfile::tempdir().unwrap_or_else(|error| panic!("a temporary directory: {error}")))
    }

    /// `target/SUITE/NAME`, where nothing is left of what was there before.
    pub fn kept_on_failure(suite: &str, name: &str) -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a directory of cargo's");
        let path = target.join(suite).join(name);
        if path.exists() {
            fs::remove_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::KeptOnFailure(path)
    }

    pub fn path(&self) -> &Path {
        match self {
            Self::Temporary(dir) => dir.path(),
            Self::KeptOnFailure(path) => path,
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Self::KeptOnFailure(path) = self {
            if thread::panicking() {
                eprintln!("--- kept: {}", path.display());
            } else if let Err(error) = fs::remove_dir_all(&*path) {
                eprintln!("{} is left over: {error}", path.display());
            }
        }
    }
}
