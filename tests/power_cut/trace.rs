//! What a process asked of the file system, and what it said, in order.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::syscall::{self, Call, Line, Unfinished};

/// Everything that changes a file or a name, makes it durable, or tells someone.
const CALLS: &str = "openat,open,creat,close,fcntl,dup,dup2,dup3,lseek,write,writev,pwrite64,pwritev,pwritev2,ftruncate,truncate,\
                     fallocate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,mkdir,mkdirat,fsync,fdatasync,\
                     sendto,sendmsg";

/// An open file; several descriptors may stand for it.
pub type OpenFile = usize;

/// What was done, with the places among all beginnings and ends where it began and ended.
#[derive(Debug, Clone)]
pub struct Deed {
    pub begin: usize,
    /// None if its process ended in it.
    pub end: Option<usize>,
    pub kind: Kind,
}

#[derive(Debug, Clone)]
pub enum Kind {
    Open {
        file: OpenFile,
        path: PathBuf,
        creates: bool,
        empties: bool,
        appends: bool,
    },
    Write {
        file: OpenFile,
        at: At,
        bytes: Vec<u8>,
    },
    SetLength {
        file: OpenFile,
        length: u64,
    },
    Seek {
        file: OpenFile,
        to: u64,
    },
    Sync {
        file: OpenFile,
    },
    MakeDir(PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    /// To standard output, or to the other end of a connection.
    Tell {
        to: String,
        bytes: Vec<u8>,
    },
}

#[derive(Debug, Clone, Copy)]
pub enum At {
    /// Where the open file stands.
    Position,
    Byte(u64),
}

/// The words before a command that make its trace. With `-D` the command's process is the one started.
pub fn strace(trace: &Path) -> Vec<String> {
    let words = ["strace", "-D", "-f", "--seccomp-bpf", "-yy", "-xx", "-s", "100000000", "-e", "signal=none"];
    let mut words: Vec<String> = words.map(str::to_owned).to_vec();
    words.extend(["-e".to_owned(), format!("trace={CALLS}"), "-o".to_owned(), trace.display().to_string()]);
    words
}

/// Every place at which something had just begun or ended.
pub fn places(deeds: &[Deed]) -> Vec<usize> {
    let both = |deed: &Deed| [Some(deed.begin + 1), deed.end.map(|end| end + 1)];
    let mut places: Vec<usize> = deeds.iter().flat_map(both).flatten().collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// # Errors
/// Why no process can be traced here.
pub fn try_out() -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let words = strace(&dir.path().join("trace"));
    let traced = Command::new(&words[0]).args(&words[1..]).arg("true").output();
    let traced = traced.map_err(|error| format!("strace: {error}; install it"))?;
    match traced.status.success() {
        true => Ok(()),
        false => Err(format!("strace: {}", String::from_utf8_lossy(&traced.stderr).trim())),
    }
}

/// Reads the traces of processes that ran one after the other.
pub fn read(traces: &[PathBuf]) -> Vec<Deed> {
    let mut reader = Reader::default();
    for trace in traces {
        reader.descriptors.clear();
        reader.unfinished = Unfinished::default();
        let text = fs::read_to_string(trace).unwrap_or_else(|error| panic!("{}: {error}", trace.display()));
        text.lines().filter_map(syscall::parse).for_each(|(thread, line)| reader.take(thread, line));
    }
    reader.deeds
}

#[derive(Default)]
struct Reader {
    /// Beginnings and ends so far.
    places: usize,
    deeds: Vec<Deed>,
    descriptors: HashMap<i32, OpenFile>,
    open_files: usize,
    unfinished: Unfinished,
    /// What a call means is known only with what it returned, such as the descriptor of an opened file.
    pending: HashMap<usize, Call>,
}

impl Reader {
    fn take(&mut self, thread: syscall::Thread, line: Line) {
        self.places += 1;
        match line {
            Line::Begin(call) => {
                self.unfinished.begin(thread, self.places);
                // What is under way when its process ends may have been done.
                if let Some(kind) = self.written(&call, None) {
                    self.deeds.push(Deed { begin: self.places, end: None, kind });
                } else {
                    self.pending.insert(self.places, call);
                }
            }
            Line::End(returned) => {
                let Some(begin) = self.unfinished.end(thread) else { return };
                self.ended(begin, returned);
            }
            Line::Whole(call, returned) => {
                let begin = self.places;
                self.places += 1;
                if let Some(kind) = returned.and_then(|returned| self.kind(&call, returned)) {
                    self.deeds.push(Deed { begin, end: Some(self.places), kind });
                }
            }
        }
    }

    fn ended(&mut self, begin: usize, returned: Option<i64>) {
        if let Some(call) = self.pending.remove(&begin) {
            if let Some(kind) = returned.and_then(|returned| self.kind(&call, returned)) {
                self.deeds.push(Deed { begin, end: Some(self.places), kind });
            }
            return;
        }
        let deed = self.deeds.iter_mut().rev().find(|deed| deed.begin == begin).expect("it began");
        deed.end = Some(self.places);
        if let (Kind::Write { bytes, .. }, Some(returned)) = (&mut deed.kind, returned) {
            bytes.truncate(usize::try_from(returned).expect("a length"));
        }
    }

    fn kind(&mut self, call: &Call, returned: i64) -> Option<Kind> {
        let descriptor = i32::try_from(returned).ok();
        match call.name.as_str() {
            "openat" => self.opened(path(call, 0)?, |flag| call.has_flag(2, flag), descriptor?),
            "open" => self.opened(PathBuf::from(call.text(0)?), |flag| call.has_flag(1, flag), descriptor?),
            "fcntl" if call.has_flag(1, "F_DUPFD_CLOEXEC") || call.has_flag(1, "F_DUPFD") => {
                let file = self.descriptors.get(&call.fd(0)?).copied();
                self.descriptors.extend(file.map(|file| (descriptor.expect("a descriptor"), file)));
                None
            }
            "close" => {
                self.descriptors.remove(&call.fd(0)?);
                None
            }
            "lseek" => Some(Kind::Seek { file: self.file(call)?, to: u64::try_from(returned).ok()? }),
            "fsync" | "fdatasync" => Some(Kind::Sync { file: self.file(call)? }),
            "ftruncate" => Some(Kind::SetLength { file: self.file(call)?, length: call.number(1)? }),
            "mkdir" => Some(Kind::MakeDir(PathBuf::from(call.text(0)?))),
            "rename" => Some(Kind::Rename(PathBuf::from(call.text(0)?), PathBuf::from(call.text(1)?))),
            "unlink" | "rmdir" => Some(Kind::Remove(PathBuf::from(call.text(0)?))),
            "unlinkat" => Some(Kind::Remove(path(call, 0)?)),
            "fcntl" => None,
            _ => self.written(call, Some(returned)).or_else(|| panic!("{call:?} is not understood")),
        }
    }

    fn opened(&mut self, path: PathBuf, has: impl Fn(&str) -> bool, descriptor: i32) -> Option<Kind> {
        let file = self.open_files;
        self.open_files += 1;
        self.descriptors.insert(descriptor, file);
        let (creates, empties, appends) = (has("O_CREAT"), has("O_TRUNC"), has("O_APPEND"));
        Some(Kind::Open { file, path, creates, empties, appends })
    }

    /// What is known of a call when it begins.
    fn written(&self, call: &Call, returned: Option<i64>) -> Option<Kind> {
        let at = match call.name.as_str() {
            "write" | "writev" | "sendto" | "sendmsg" => At::Position,
            "pwrite64" => At::Byte(call.number(3)?),
            _ => return None,
        };
        let mut bytes = call.bytes();
        bytes.truncate(returned.map_or(usize::MAX, |returned| usize::try_from(returned).expect("a length")));
        match self.file(call) {
            Some(file) => Some(Kind::Write { file, at, bytes }),
            None => Some(Kind::Tell { to: call.target(0).unwrap_or_default(), bytes }),
        }
    }

    fn file(&self, call: &Call) -> Option<OpenFile> {
        self.descriptors.get(&call.fd(0)?).copied()
    }
}

/// Relative to the directory at this place among the arguments, if it is not absolute.
fn path(call: &Call, place: usize) -> Option<PathBuf> {
    Some(Path::new(&call.target(place)?).join(call.text(place + 1)?))
}
