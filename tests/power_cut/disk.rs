//! The file system as the process saw it, and how much of it is sure to outlast a power cut.
//!
//! Bytes are sure once a sync of their file has returned that began after they were written, names once
//! a sync of their directory has. That is all POSIX promises, and less than most file systems keep.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::trace::{At, Deed, Kind, OpenFile};

pub type Inode = usize;

#[derive(Default)]
pub struct Disk {
    pub inodes: Vec<Contents>,
    pub names: BTreeMap<PathBuf, Directory>,
    /// As the process sees it.
    seen: BTreeMap<PathBuf, Inode>,
    open: HashMap<OpenFile, Open>,
}

struct Open {
    inode: Inode,
    path: PathBuf,
    position: u64,
    appends: bool,
}

/// A file's changes, in order.
#[derive(Default)]
pub struct Contents {
    pub changes: Vec<Change<FileChange>>,
    length: u64,
}

/// A directory's changes, in order.
#[derive(Default)]
pub struct Directory {
    pub changes: Vec<Change<NameChange>>,
}

pub struct Change<T> {
    pub what: T,
    /// When it was made, and whether it certainly was.
    made: Option<usize>,
    /// Whether it is sure to outlast a power cut.
    pub durable: bool,
}

pub enum FileChange {
    Write { at: u64, bytes: Vec<u8> },
    SetLength(u64),
}

pub enum NameChange {
    Link(PathBuf, Inode),
    Rename { from: PathBuf, to: PathBuf, inode: Inode },
    MakeDir(PathBuf),
    Unlink(PathBuf),
}

impl Disk {
    /// The disk when the trace had got to this place.
    pub fn at(deeds: &[Deed], place: usize) -> Self {
        let mut disk = Self::default();
        for deed in deeds.iter().filter(|deed| deed.begin < place) {
            disk.take(deed, deed.end.filter(|end| *end < place));
        }
        disk
    }

    fn take(&mut self, deed: &Deed, made: Option<usize>) {
        match &deed.kind {
            Kind::Open { file, path, creates, empties, appends } => {
                self.open_file(*file, path, *creates, *empties, *appends, made);
            }
            Kind::Write { file, at, bytes } => self.write(*file, *at, bytes, made),
            Kind::SetLength { file, length } => {
                if let Some(open) = self.open.get(file) {
                    let contents = &mut self.inodes[open.inode];
                    contents.length = *length;
                    contents.changes.push(change(FileChange::SetLength(*length), made));
                }
            }
            Kind::Seek { file, to } => {
                if let Some(open) = self.open.get_mut(file) {
                    open.position = *to;
                }
            }
            // Before it has returned it promises nothing.
            Kind::Sync { file } if made.is_some() => self.sync(*file, deed.begin),
            Kind::Sync { .. } | Kind::Tell { .. } => {}
            Kind::MakeDir(path) => self.name(path, NameChange::MakeDir(path.clone()), made),
            Kind::Remove(path) => {
                self.seen.remove(path);
                self.name(path, NameChange::Unlink(path.clone()), made);
            }
            Kind::Rename(from, to) => self.rename(from, to, made),
        }
    }

    fn open_file(
        &mut self,
        file: OpenFile,
        path: &Path,
        creates: bool,
        empties: bool,
        appends: bool,
        made: Option<usize>,
    ) {
        let inode = match self.seen.get(path) {
            Some(inode) => *inode,
            None => {
                self.inodes.push(Contents::default());
                let inode = self.inodes.len() - 1;
                // What was there before the trace is no file of the process, but for directories.
                if creates {
                    self.seen.insert(path.to_owned(), inode);
                    self.name(path, NameChange::Link(path.to_owned(), inode), made);
                }
                inode
            }
        };
        if empties && self.inodes[inode].length > 0 {
            self.inodes[inode].length = 0;
            self.inodes[inode].changes.push(change(FileChange::SetLength(0), made));
        }
        self.open.insert(file, Open { inode, path: path.to_owned(), position: 0, appends });
    }

    fn write(&mut self, file: OpenFile, at: At, bytes: &[u8], made: Option<usize>) {
        let Some(open) = self.open.get_mut(&file) else { return };
        let contents = &mut self.inodes[open.inode];
        let begin = match at {
            At::Byte(at) => at,
            At::Position if open.appends => contents.length,
            At::Position => open.position,
        };
        let end = begin + bytes.len() as u64;
        if matches!(at, At::Position) {
            open.position = end;
        }
        contents.length = contents.length.max(end);
        contents.changes.push(change(FileChange::Write { at: begin, bytes: bytes.to_vec() }, made));
    }

    fn sync(&mut self, file: OpenFile, begin: usize) {
        let Some(open) = self.open.get(&file) else { return };
        make_durable(&mut self.inodes[open.inode].changes, begin);
        if let Some(directory) = self.names.get_mut(&open.path) {
            make_durable(&mut directory.changes, begin);
        }
    }

    fn rename(&mut self, from: &Path, to: &Path, made: Option<usize>) {
        assert_eq!(from.parent(), to.parent(), "a move to another directory");
        let inode = self.seen.remove(from).unwrap_or_else(|| panic!("{} is renamed", from.display()));
        self.seen.insert(to.to_owned(), inode);
        self.name(to, NameChange::Rename { from: from.to_owned(), to: to.to_owned(), inode }, made);
    }

    fn name(&mut self, path: &Path, what: NameChange, made: Option<usize>) {
        let parent = path.parent().expect("an absolute path").to_owned();
        self.names.entry(parent).or_default().changes.push(change(what, made));
    }
}

fn change<T>(what: T, made: Option<usize>) -> Change<T> {
    Change { what, made, durable: false }
}

fn make_durable<T>(changes: &mut [Change<T>], begin: usize) {
    for change in changes {
        change.durable |= change.made.is_some_and(|made| made < begin);
    }
}
