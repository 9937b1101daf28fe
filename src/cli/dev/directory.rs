//! Where the nodes keep their state: a directory that stays, or one that goes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::storage::marker::DirLock;

/// The directory of all nodes. One that stays is held against a second `dev` until this is closed.
#[derive(Debug)]
pub enum ClusterDir {
    Kept { path: PathBuf, lock: DirLock },
    Ephemeral(TempDir),
}

/// What the nodes of the directory know each other by, and so keep for the life of their state.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Layout {
    nodes: u16,
    peer_port: u16,
}

const LAYOUT_NAME: &str = "cluster.toml";

impl ClusterDir {
    /// Prepares a directory that stays, and makes sure that it can be written and is of such a cluster.
    pub fn kept(path: &Path, nodes: u16, peer_port: u16) -> anyhow::Result<Self> {
        let lock = DirLock::acquire(path)?;
        keep_layout(path, &Layout { nodes, peer_port })?;
        let directory = Self::Kept { path: path.to_owned(), lock };
        for id in 1..=u64::from(nodes) {
            try_to_write(&directory.of_node(id))?;
        }
        Ok(directory)
    }

    /// Creates one that [`ClusterDir::close`] removes.
    pub fn ephemeral() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("rs-registry-dev-").tempdir();
        Ok(Self::Ephemeral(directory.context("cannot create a temporary directory")?))
    }

    /// The data directory of one node.
    pub fn of_node(&self, id: u64) -> PathBuf {
        let path = match self {
            Self::Kept { path, .. } => path,
            Self::Ephemeral(directory) => directory.path(),
        };
        path.join(format!("node-{id}"))
    }

    /// Its path and whether it stays.
    pub fn describe(&self) -> String {
        match self {
            Self::Kept { path, .. } => format!("kept in {}", path.display()),
            Self::Ephemeral(directory) => format!("in {} until they stop", directory.path().display()),
        }
    }

    /// Lets go of it, and removes it if it is not to stay.
    pub fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Kept { lock, .. } => {
                drop(lock);
                Ok(())
            }
            Self::Ephemeral(directory) => {
                let path = directory.path().to_owned();
                directory.close().with_context(|| format!("cannot remove {}", path.display()))
            }
        }
    }
}

/// Notes the layout of a new directory, and refuses that of another.
fn keep_layout(dir: &Path, wanted: &Layout) -> anyhow::Result<()> {
    let path = dir.join(LAYOUT_NAME);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = toml::to_string(wanted)?;
            return fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()));
        }
        Err(error) => return Err(error).context(format!("cannot read {}", path.display())),
    };
    let found: Layout = toml::from_str(&text).with_context(|| {
        format!("{} is damaged; give another --data-dir, or remove {}", path.display(), dir.display())
    })?;
    if found != *wanted {
        bail!(
            "the cluster in {dir} has {nodes} nodes with peer ports from {port} on; \
             give --nodes {nodes} --peer-port {port}, or another --data-dir, or remove {dir}",
            dir = dir.display(),
            nodes = found.nodes,
            port = found.peer_port
        );
    }
    Ok(())
}

/// Tries a directory that exists; its node creates one that does not, in a parent that is known to be writable.
fn try_to_write(path: &Path) -> anyhow::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    match tempfile::tempfile_in(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot write in {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_directory_is_for_one_layout_and_one_dev() {
        let parent = tempfile::tempdir().expect("a directory");
        let path = parent.path().join("cluster");
        let held = ClusterDir::kept(&path, 3, 9761).expect("free");
        assert_eq!(held.of_node(2), path.join("node-2"));
        let error = ClusterDir::kept(&path, 3, 9761).expect_err("held").to_string();
        assert!(error.contains("in use by process"), "{error}");
        held.close().expect("closed");

        for (nodes, peer_port) in [(5, 9761), (3, 9771)] {
            let error = ClusterDir::kept(&path, nodes, peer_port).expect_err("another layout").to_string();
            assert!(error.contains("give --nodes 3 --peer-port 9761, or"), "{error}");
        }
        ClusterDir::kept(&path, 3, 9761).expect("the same layout");
    }

    #[test]
    fn a_node_directory_that_is_no_directory_is_found_before_the_start() {
        let parent = tempfile::tempdir().expect("a directory");
        fs::write(parent.path().join("node-2"), "").expect("to write");
        let error = ClusterDir::kept(parent.path(), 3, 9761).expect_err("no directory").to_string();
        assert!(error.starts_with("cannot write in ") && error.ends_with("node-2"), "{error}");
    }

    #[test]
    fn an_ephemeral_directory_is_removed() {
        let directory = ClusterDir::ephemeral().expect("a directory");
        let node = directory.of_node(1);
        fs::create_dir(&node).expect("to create");
        directory.close().expect("removed");
        assert!(!node.parent().expect("a parent").exists());
    }
}
