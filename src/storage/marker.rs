//! Whose a data directory is, and whether a process holds it.
//!
//! `MARKER` ties a directory to one node of one cluster: a node that started with the log and vote of another could
//! vote twice and so break what a majority was promised. `LOCK` keeps a second process out for as long as the first
//! one lives.

mod filling;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::sync_dir;
use crate::format::{Format, FormatError, Formats};

pub use filling::{Filling, fill};

/// What is written in `MARKER`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// Nothing in the directory is of a newer format, but for what came since this was last raised.
    pub format_version: u32,
    /// The cluster's name in its configuration.
    pub cluster_id: String,
    /// From 1 on.
    pub node_id: u64,
}

/// The hold on a directory; released when dropped, and by the system when the process ends in any way.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
}

/// Why a directory cannot be used. Each message says what to do.
#[derive(Debug, Error)]
pub enum MarkerError {
    #[error("{action} {}: {cause}", path.display())]
    Io { action: &'static str, path: PathBuf, cause: io::Error },
    #[error("data directory {} is in use{}; stop that process or use another data_dir", dir.display(), holder(pid))]
    InUse { dir: PathBuf, pid: Option<u32> },
    #[error(
        "data directory {} is not empty and has no {MARKER_NAME}, so it is not ours; use an empty data_dir",
        dir.display()
    )]
    Foreign { dir: PathBuf },
    #[error("{} cannot be read: {problem}; restore it, or start with an empty data_dir and a new node_id", path.display())]
    Damaged { path: PathBuf, problem: String },
    #[error(
        "data directory {} belongs to node {found} and this is node {expected}; set node_id to {found} or use another data_dir",
        dir.display()
    )]
    OtherNode { dir: PathBuf, found: u64, expected: u64 },
    #[error(
        "data directory {} is that of node {node_id} of the cluster {cluster_id:?} already; use an empty data_dir",
        dir.display()
    )]
    Taken { dir: PathBuf, node_id: u64, cluster_id: String },
    #[error(
        "data directory {} belongs to the cluster {found:?} and this is {expected:?}; set cluster_name to {found:?} or use another data_dir",
        dir.display()
    )]
    OtherCluster { dir: PathBuf, found: String, expected: String },
    #[error("data directory {}: {cause}", dir.display())]
    Format { dir: PathBuf, cause: FormatError },
}

const MARKER_NAME: &str = "MARKER";
const MARKER_TMP_NAME: &str = "MARKER.tmp";
const LOCK_NAME: &str = "LOCK";
/// Not a sign of foreign use: ours from before the marker was complete, and what mkfs leaves in a fresh volume.
const NAMES_OF_AN_EMPTY_DIR: [&str; 3] = [MARKER_TMP_NAME, LOCK_NAME, "lost+found"];
/// Enough for a marker of any version, and a bound on what is read of a file that is none.
const MARKER_MAX_BYTES: u64 = 4096;

impl Marker {
    /// The marker of a node that has nothing yet.
    pub fn new(cluster_id: &str, node_id: u64) -> Self {
        Self { format_version: Format::FIRST.number(), cluster_id: cluster_id.to_owned(), node_id }
    }

    /// Answers the marker of `dir` if it is `expected`'s, and writes it first if the directory is empty.
    ///
    /// Hold the [`DirLock`] of `dir` meanwhile. Nothing is changed in a directory that is refused.
    pub fn check_or_create(dir: &Path, expected: &Marker, formats: Formats) -> Result<Marker, MarkerError> {
        match Self::read(dir, formats)? {
            Some(found) => found.check(dir, expected),
            None => {
                refuse_foreign(dir, &[])?;
                expected.write(dir)?;
                Ok(expected.clone())
            }
        }
    }

    /// Notes that what is written from now on is of this format, durably.
    ///
    /// # Errors
    /// [`MarkerError`] if the marker cannot be read or written.
    pub fn raise(dir: &Path, to: Format, formats: Formats) -> Result<(), MarkerError> {
        match Self::read(dir, formats)? {
            Some(marker) if marker.format_version < to.number() => {
                Marker { format_version: to.number(), ..marker }.write(dir)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn read(dir: &Path, formats: Formats) -> Result<Option<Marker>, MarkerError> {
        let path = dir.join(MARKER_NAME);
        let mut text = String::new();
        let read = File::open(&path).and_then(|file| file.take(MARKER_MAX_BYTES).read_to_string(&mut text));
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(MarkerError::Io { action: "cannot read", path, cause }),
        }
        // A newer format may have other keys, so the version is read by itself first.
        let version = toml::from_str::<Version>(&text).map_err(|error| damaged(path.clone(), &error))?;
        formats
            .check("what is in it", Format::from_stored(version.format_version))
            .map_err(|cause| MarkerError::Format { dir: dir.to_owned(), cause })?;
        toml::from_str(&text).map(Some).map_err(|error| damaged(path, &error))
    }

    fn check(self, dir: &Path, expected: &Marker) -> Result<Marker, MarkerError> {
        let dir = dir.to_owned();
        if self.cluster_id != expected.cluster_id {
            let expected = expected.cluster_id.clone();
            return Err(MarkerError::OtherCluster { dir, found: self.cluster_id, expected });
        }
        if self.node_id != expected.node_id {
            return Err(MarkerError::OtherNode { dir, found: self.node_id, expected: expected.node_id });
        }
        Ok(self)
    }

    fn write(&self, dir: &Path) -> Result<(), MarkerError> {
        let path = dir.join(MARKER_NAME);
        let written = toml::to_string(self).map_err(io::Error::other).and_then(|text| {
            let tmp = dir.join(MARKER_TMP_NAME);
            let mut file = File::create(&tmp)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&tmp, &path)?;
            sync_dir(dir)
        });
        written.map_err(|cause| MarkerError::Io { action: "cannot write", path, cause })
    }
}

/// Takes `dir` for this process and node, creating and marking it as needed; keep the lock for the life of the node.
///
/// Nothing is changed in a directory that is refused.
pub fn claim(dir: &Path, expected: &Marker, formats: Formats) -> Result<(Marker, DirLock), MarkerError> {
    create_dir(dir)?;
    match Marker::read(dir, formats)? {
        Some(found) => found.check(dir, expected).map(drop)?,
        None => refuse_foreign(dir, &[])?,
    }
    let lock = DirLock::acquire(dir)?;
    // Again, for another process may have marked the directory before it was locked.
    Ok((Marker::check_or_create(dir, expected, formats)?, lock))
}

#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

impl DirLock {
    /// Takes the directory for this process, creating it when missing. What else is in it does not matter here.
    pub fn acquire(dir: &Path) -> Result<Self, MarkerError> {
        create_dir(dir)?;
        let path = dir.join(LOCK_NAME);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = match opened {
            Ok(file) => file,
            Err(cause) => return Err(MarkerError::Io { action: "cannot write", path, cause }),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(MarkerError::InUse { dir: dir.to_owned(), pid: read_pid(&mut file) });
            }
            Err(TryLockError::Error(cause)) => {
                return Err(MarkerError::Io { action: "cannot lock", path, cause });
            }
        }
        let noted = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        noted.map_err(|cause| MarkerError::Io { action: "cannot write", path, cause })?;
        Ok(Self { _file: file })
    }
}

/// Creates the directory, with those it is in, and makes their names durable.
fn create_dir(dir: &Path) -> Result<(), MarkerError> {
    let failed =
        |cause| MarkerError::Io { action: "cannot create data directory", path: dir.to_owned(), cause };
    if dir.is_dir() {
        // A process may have ended between creating and syncing it. Where this one cannot, it was created
        // by someone else, who could.
        drop(sync_dir(parent(dir)));
        return Ok(());
    }
    let missing: Vec<&Path> =
        dir.ancestors().take_while(|dir| !names_nothing(dir) && !dir.exists()).collect();
    fs::create_dir_all(dir).map_err(failed)?;
    missing.into_iter().try_for_each(|created| sync_dir(parent(created))).map_err(failed)
}

fn parent(dir: &Path) -> &Path {
    dir.parent().filter(|parent| !names_nothing(parent)).unwrap_or(Path::new("."))
}

fn names_nothing(path: &Path) -> bool {
    path.as_os_str().is_empty()
}

fn refuse_foreign(dir: &Path, ours: &[&str]) -> Result<(), MarkerError> {
    let unreadable =
        |cause| MarkerError::Io { action: "cannot read data directory", path: dir.to_owned(), cause };
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        if !NAMES_OF_AN_EMPTY_DIR.iter().chain(ours).any(|known| name == *known) {
            return Err(MarkerError::Foreign { dir: dir.to_owned() });
        }
    }
    Ok(())
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(MARKER_MAX_BYTES).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn holder(pid: &Option<u32>) -> String {
    pid.map(|pid| format!(" by process {pid}")).unwrap_or_default()
}

fn damaged(path: PathBuf, error: &toml::de::Error) -> MarkerError {
    let problem = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
    MarkerError::Damaged { path, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMATS: Formats = Formats::THIS;

    fn dir() -> tempfile::TempDir {
        tempfile::tempdir().expect("a directory")
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .expect("to list")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_empty_directory_is_marked_and_known_again() {
        let dir = dir();
        fs::create_dir(dir.path().join("lost+found")).expect("a directory");
        fs::write(dir.path().join(MARKER_TMP_NAME), "torn").expect("to write");
        let ours = Marker::new("rs-registry", 2);
        assert_eq!(Marker::check_or_create(dir.path(), &ours, FORMATS).expect("marked"), ours);
        assert_eq!(names(dir.path()), ["MARKER", "lost+found"]);
        assert_eq!(Marker::check_or_create(dir.path(), &ours, FORMATS).expect("known"), ours);
    }

    #[test]
    fn the_directory_of_another_node_or_cluster_is_refused() {
        let dir = dir();
        Marker::check_or_create(dir.path(), &Marker::new("blue", 2), FORMATS).expect("marked");
        let error =
            Marker::check_or_create(dir.path(), &Marker::new("blue", 3), FORMATS).expect_err("other node");
        assert!(matches!(error, MarkerError::OtherNode { found: 2, expected: 3, .. }), "{error}");
        assert!(error.to_string().contains("set node_id to 2"), "{error}");
        let error = Marker::check_or_create(dir.path(), &Marker::new("green", 2), FORMATS)
            .expect_err("other cluster");
        assert!(matches!(&error, MarkerError::OtherCluster { found, .. } if found == "blue"), "{error}");
    }

    #[test]
    fn nothing_is_left_in_a_directory_that_is_refused() {
        let dir = dir();
        Marker::check_or_create(dir.path(), &Marker::new("blue", 2), FORMATS).expect("marked");
        claim(dir.path(), &Marker::new("blue", 3), FORMATS).expect_err("other node");
        assert_eq!(names(dir.path()), ["MARKER"]);
    }

    #[test]
    fn a_newer_format_is_told_from_damage() {
        let dir = dir();
        let path = dir.path().join(MARKER_NAME);
        fs::write(&path, "format_version = 2\nowner = \"someone\"\n").expect("to write");
        let error = Marker::check_or_create(dir.path(), &Marker::new("c", 1), FORMATS).expect_err("newer");
        assert!(matches!(error, MarkerError::Format { .. }), "{error}");

        for text in
            ["", "format_version = 1\n", "\0\0\0", "format_version = 1\ncluster_id = \"c\"\nnode_id = -1\n"]
        {
            fs::write(&path, text).expect("to write");
            let error =
                Marker::check_or_create(dir.path(), &Marker::new("c", 1), FORMATS).expect_err("damaged");
            assert!(matches!(error, MarkerError::Damaged { .. }), "{text:?}: {error}");
            assert_eq!(error.to_string().lines().count(), 1);
            assert_eq!(fs::read_to_string(&path).expect("to read"), text);
        }
    }

    #[test]
    fn a_format_is_raised_and_never_lowered() {
        let (dir, ours) = (dir(), Marker::new("c", 1));
        let (two, both) = (Format::from_stored(2), FORMATS.and_the_next());
        Marker::check_or_create(dir.path(), &ours, FORMATS).expect("marked");
        Marker::raise(dir.path(), two, both).expect("raised");
        Marker::raise(dir.path(), Format::FIRST, both).expect("left as it is");
        let found = Marker::check_or_create(dir.path(), &ours, both).expect("known");
        assert_eq!(found, Marker { format_version: 2, ..ours.clone() });
        let error = claim(dir.path(), &ours, FORMATS).expect_err("newer").to_string();
        assert!(error.contains("start the newer program"), "{error}");
    }

    #[test]
    fn a_directory_of_something_else_is_left_as_it_is() {
        let dir = dir();
        fs::write(dir.path().join("thesis.tex"), "").expect("to write");
        let error = claim(dir.path(), &Marker::new("c", 1), FORMATS).expect_err("foreign");
        assert!(matches!(error, MarkerError::Foreign { .. }), "{error}");
        let error = Marker::check_or_create(dir.path(), &Marker::new("c", 1), FORMATS).expect_err("foreign");
        assert!(matches!(error, MarkerError::Foreign { .. }), "{error}");
        assert_eq!(names(dir.path()), ["thesis.tex"]);
    }

    #[test]
    fn a_directory_is_held_by_one_at_a_time() {
        let parent = dir();
        let dir = parent.path().join("a/b");
        let ours = Marker::new("c", 1);
        let held = claim(&dir, &ours, FORMATS).expect("free");
        let error = claim(&dir, &ours, FORMATS).expect_err("held");
        assert!(
            matches!(error, MarkerError::InUse { pid: Some(pid), .. } if pid == std::process::id()),
            "{error}"
        );
        drop(held);
        assert_eq!(claim(&dir, &ours, FORMATS).expect("free again").0, ours);
    }

    #[test]
    fn a_lock_alone_is_not_foreign_use() {
        let dir = dir();
        drop(DirLock::acquire(dir.path()).expect("free"));
        claim(dir.path(), &Marker::new("c", 1), FORMATS).expect("free");
    }

    #[test]
    fn a_file_in_the_place_of_the_directory_is_an_error() {
        let parent = dir();
        let path = parent.path().join("file");
        fs::write(&path, "").expect("to write");
        let error = claim(&path, &Marker::new("c", 1), FORMATS).expect_err("no directory").to_string();
        assert!(error.starts_with("cannot create data directory"), "{error}");
    }
}
