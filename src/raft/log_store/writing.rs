//! What happens when the log cannot be written or synced: the first failure is the last write.
//!
//! After a failed sync nobody knows what is on disk, and a second one may succeed although the system has
//! given up on what it was to write. So nothing is written any more, and what was not synced is cut off:
//! a later start, on the same system, would still read it, and take it for kept.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::thread;

use super::{Log, LogError, torn_end};
use crate::metrics::Histogram;
use crate::raft::log_record::Synced;
use crate::storage::{Failures, Part};

/// What is known of writing the log.
pub struct Writing {
    dir: PathBuf,
    pub synced: Synced,
    pub failures: Failures,
    pub sync_seconds: Histogram,
    log: Weak<RwLock<Log>>,
    is_cut_off: AtomicBool,
}

impl Writing {
    pub fn new(dir: &Path, synced: Synced, sync_seconds: Histogram, log: Weak<RwLock<Log>>) -> Self {
        let (dir, failures, is_cut_off) = (dir.to_owned(), Failures::default(), AtomicBool::new(false));
        Self { dir, synced, failures, sync_seconds, log, is_cut_off }
    }

    /// # Errors
    /// Why it was refused to write something before.
    pub fn refuse_after_failure(&self) -> io::Result<()> {
        self.failures.of(Part::Log).map_or(Ok(()), |reason| Err(io::Error::other(reason)))
    }

    /// The writer could not write or sync, and writes no more.
    pub fn failed(&self, error: &io::Error) {
        self.cut_off_unsynced();
        self.failures.begin(Part::Log, &self.dir, error);
    }

    /// The log did not take a change; what the writer was given before it may still write.
    pub fn refused(&self, log: &Log, error: &io::Error) {
        // That its writer has ended is all that the log says then; the writer tells why.
        let cause = if error.raw_os_error().is_none() { log.wait_worker_idle().err() } else { None };
        self.failures.begin(Part::Log, &self.dir, cause.as_ref().unwrap_or(error));
    }

    /// The writer has ended before it came to something. Why, the log knows, but this may be its own
    /// thread, which must not be the one that closes it.
    pub fn ended(self: &Arc<Self>) {
        self.cut_off_unsynced();
        let writing = self.clone();
        let asking = thread::Builder::new().name("log_failure".to_owned()).spawn(move || {
            let Some(log) = writing.log.upgrade() else { return };
            let idle = log.read().unwrap_or_else(PoisonError::into_inner).wait_worker_idle();
            if let Err(error) = idle {
                writing.failures.begin(Part::Log, &writing.dir, &error);
            }
        });
        if let Err(error) = asking {
            self.failures.begin(Part::Log, &self.dir, &error);
        }
    }

    fn cut_off_unsynced(&self) {
        if self.is_cut_off.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Err(error) = cut_off_from(&self.dir, self.synced.bytes()) {
            tracing::error!(%error, "what was not synced stays at the end of the log, and may not be on disk");
        }
    }
}

fn cut_off_from(dir: &Path, end: u64) -> Result<(), LogError> {
    // The newest first: a gap in between would be damage.
    for file in torn_end::log_files(dir)?.iter().rev() {
        let kept = end.saturating_sub(file.begin);
        let cut = OpenOptions::new().write(true).open(&file.path).and_then(|open| {
            match open.metadata()?.len() > kept {
                true => open.set_len(kept),
                false => Ok(()),
            }
        });
        let path = file.path.clone();
        cut.map_err(|cause| LogError::Io { action: "cut off the end of", path, cause })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::sync::oneshot;

    use super::*;
    use crate::raft::log_record::{Flushed, Told};

    #[test]
    fn what_the_writer_drops_counts_as_failed_and_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(raft_log::chunked_wal::Config::chunk_file_name(raft_log::ChunkId(0)));
        fs::write(&file, [7; 100]).unwrap();
        let writing =
            Arc::new(Writing::new(dir.path(), Synced::new(60), Histogram::of_seconds(), Weak::new()));
        let (told, mut waiting) = oneshot::channel();
        drop(Flushed::new(100, writing.clone(), Told::Waiter(told)));
        assert!(waiting.try_recv().unwrap().is_err());
        assert_eq!((writing.synced.bytes(), fs::metadata(&file).unwrap().len()), (60, 60));
    }

    #[test]
    fn nothing_is_written_after_a_failure() {
        let dir = tempfile::tempdir().unwrap();
        let writing = Writing::new(dir.path(), Synced::new(0), Histogram::of_seconds(), Weak::new());
        writing.refuse_after_failure().unwrap();
        writing.failed(&io::Error::other("gone"));
        let refused = writing.refuse_after_failure().unwrap_err().to_string();
        assert!(refused.contains("the log cannot be written: gone"), "{refused}");
    }

    #[test]
    fn what_was_not_synced_is_cut_off_in_every_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = |begin: u64| {
            dir.path().join(raft_log::chunked_wal::Config::chunk_file_name(raft_log::ChunkId(begin)))
        };
        for (end, lengths) in
            [(250, [100, 100, 50]), (200, [100, 100, 0]), (120, [100, 20, 0]), (0, [0, 0, 0])]
        {
            for begin in [0, 100, 200] {
                fs::write(file(begin), [7; 100]).unwrap();
            }
            cut_off_from(dir.path(), end).unwrap();
            let found = [0, 100, 200].map(|begin| fs::metadata(file(begin)).unwrap().len());
            assert_eq!(found, lengths, "cut off from byte {end}");
        }
    }
}
