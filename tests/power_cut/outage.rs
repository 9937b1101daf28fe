//! What a power cut may leave of a disk.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use rand::RngExt;
use rand::rngs::StdRng;

use super::disk::{Change, Disk, FileChange, Inode, NameChange};

/// What a disk writes whole or not at all.
const SECTOR_BYTES: u64 = 512;

/// How much there is of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Nothing,
    Everything,
    /// Of each file the first writes, the last of them in part, to the end of a sector or of the file; of each directory
    /// the first names.
    Beginning,
    /// Each sector as it was at any moment since the last sync, whatever the others are.
    AnySectors,
}

pub const EACH_KEPT: [Kept; 4] = [Kept::Nothing, Kept::Everything, Kept::Beginning, Kept::AnySectors];

/// Where to lay out what is left; in memory if there is a place for that, as nothing more is synced there.
pub fn scratch() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

/// Files and directories below `root`, after a power cut.
struct Remains {
    directories: BTreeSet<PathBuf>,
    files: BTreeMap<PathBuf, Inode>,
}

/// Lays out below `to` what was below `root`.
pub fn leave(disk: &Disk, kept: Kept, rng: &mut StdRng, root: &Path, to: &Path) {
    let mut remains = Remains { directories: BTreeSet::from([root.to_owned()]), files: BTreeMap::new() };
    for directory in disk.names.values() {
        let count = kept_names(&directory.changes, kept, rng);
        directory.changes[..count].iter().for_each(|change| remains.take(&change.what));
    }
    // A name is lost with the directory it is in.
    let exists = |path: &Path| {
        let inside = path.ancestors().skip(1).take_while(|parent| parent.starts_with(root));
        path.starts_with(root) && inside.into_iter().all(|parent| remains.directories.contains(parent))
    };
    let below = |path: &Path| to.join(path.strip_prefix(root).expect("below it"));
    for path in remains.directories.iter().filter(|path| exists(path)) {
        fs::create_dir_all(below(path)).expect("a directory");
    }
    for (path, inode) in remains.files.iter().filter(|(path, _)| exists(path)) {
        fs::write(below(path), contents(&disk.inodes[*inode].changes, kept, rng)).expect("a file");
    }
}

impl Remains {
    fn take(&mut self, change: &NameChange) {
        match change {
            NameChange::Link(path, inode) => drop(self.files.insert(path.clone(), *inode)),
            NameChange::MakeDir(path) => drop(self.directories.insert(path.clone())),
            NameChange::Rename { from, to, inode } => {
                self.files.remove(from);
                self.files.insert(to.clone(), *inode);
            }
            NameChange::Unlink(path) => {
                self.files.remove(path);
                self.directories.remove(path);
            }
        }
    }
}

fn kept_names(changes: &[Change<NameChange>], kept: Kept, rng: &mut StdRng) -> usize {
    let least = changes.iter().rposition(|change| change.durable).map_or(0, |last| last + 1);
    match kept {
        Kept::Nothing => least,
        Kept::Everything => changes.len(),
        Kept::Beginning | Kept::AnySectors => rng.random_range(least..=changes.len()),
    }
}

fn contents(changes: &[Change<FileChange>], kept: Kept, rng: &mut StdRng) -> Vec<u8> {
    let unsure = changes.iter().filter(|change| !change.durable).count();
    let mut file = Vec::new();
    match kept {
        Kept::Nothing => {
            changes.iter().filter(|change| change.durable).for_each(|change| apply(&mut file, &change.what));
        }
        Kept::Everything => changes.iter().for_each(|change| apply(&mut file, &change.what)),
        Kept::Beginning => {
            let mut whole = rng.random_range(0..=unsure);
            for change in changes {
                match (change.durable, whole) {
                    (true, _) => apply(&mut file, &change.what),
                    (false, 0) => {
                        apply_beginning(&mut file, &change.what, rng);
                        break;
                    }
                    (false, _) => {
                        whole -= 1;
                        apply(&mut file, &change.what);
                    }
                }
            }
        }
        Kept::AnySectors => any_sectors(&mut file, changes, unsure, rng),
    }
    file
}

fn apply(file: &mut Vec<u8>, change: &FileChange) {
    match change {
        FileChange::SetLength(length) => file.resize(size(*length), 0),
        FileChange::Write { at, bytes } => {
            let (begin, end) = (size(*at), size(*at) + bytes.len());
            if file.len() < end {
                file.resize(end, 0);
            }
            file[begin..end].copy_from_slice(bytes);
        }
    }
}

fn apply_beginning(file: &mut Vec<u8>, change: &FileChange, rng: &mut StdRng) {
    if let FileChange::Write { at, bytes } = change {
        let mut end = at + rng.random_range(0..=bytes.len() as u64);
        if end < file.len() as u64 {
            end = (end / SECTOR_BYTES * SECTOR_BYTES).max(*at);
        }
        apply(file, &FileChange::Write { at: *at, bytes: bytes[..size(end - at)].to_vec() });
    }
}

/// Each sector, and the length too, has had the first few of the changes that are not sure.
fn any_sectors(file: &mut Vec<u8>, changes: &[Change<FileChange>], unsure: usize, rng: &mut StdRng) {
    let had = |rng: &mut StdRng| match rng.random_range(0..4) {
        0 => 0,
        1 => rng.random_range(0..=unsure),
        _ => unsure,
    };
    let length_had = had(rng);
    let mut sectors: HashMap<u64, usize> = HashMap::new();
    let (mut place, mut length) = (0, 0);
    for change in changes {
        let counts = change.durable || place < length_had;
        match &change.what {
            FileChange::SetLength(set) => {
                apply(file, &change.what);
                length = if counts { *set } else { length };
            }
            FileChange::Write { at, bytes } => {
                for (at, bytes) in by_sector(*at, bytes) {
                    let sector_had = *sectors.entry(at / SECTOR_BYTES).or_insert_with(|| had(rng));
                    if change.durable || place < sector_had {
                        apply(file, &FileChange::Write { at, bytes: bytes.to_vec() });
                    }
                }
                length = if counts { length.max(at + bytes.len() as u64) } else { length };
            }
        }
        place += usize::from(!change.durable);
    }
    file.resize(size(length), 0);
}

fn by_sector(at: u64, bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let mut pieces = Vec::new();
    let (mut at, mut rest) = (at, bytes);
    while !rest.is_empty() {
        let (piece, others) = rest.split_at(rest.len().min(size(SECTOR_BYTES - at % SECTOR_BYTES)));
        pieces.push((at, piece));
        at += piece.len() as u64;
        rest = others;
    }
    pieces
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).expect("a length in memory")
}
