//! Where results go, and the data of what is measured.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::harness::Directory;

/// `target/NAME`.
pub struct Output {
    name: &'static str,
    path: PathBuf,
}

impl Output {
    /// # Errors
    /// When it cannot be made.
    pub fn new(name: &'static str) -> anyhow::Result<Self> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("cargo's target directory")?;
        let path = target.join(name);
        fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Self { name, path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An empty directory on the same disk: a temporary one may be in memory, where a sync costs nothing.
    pub fn data(&self, of: &str) -> Directory {
        Directory::kept_on_failure(self.name, &format!("data-{of}"))
    }

    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, file: &str, content: impl AsRef<[u8]>) -> anyhow::Result<()> {
        let path = self.path.join(file);
        fs::write(&path, content).with_context(|| path.display().to_string())
    }
}
