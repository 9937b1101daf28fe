//! What of a node's disk cannot be written now, in words that say what to do: for the log, and for
//! whoever asks.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

/// What is written by itself, and fails by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Without it a node can promise nothing: it takes no part in the cluster until it is restarted.
    Log,
    /// Tried again until it can be written.
    Snapshot,
    /// Derived from the log.
    State,
}

impl Part {
    pub const ALL: [Part; 3] = [Part::Log, Part::Snapshot, Part::State];

    pub fn as_str(self) -> &'static str {
        match self {
            Part::Log => "log",
            Part::Snapshot => "snapshot",
            Part::State => "state",
        }
    }
}

/// Clones are the same.
#[derive(Debug, Clone)]
pub struct Failures(Arc<watch::Sender<BTreeMap<Part, String>>>);

impl Default for Failures {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::default()))
    }
}

impl Failures {
    /// Something in `dir` could not be written. What is known to fail already is not told again.
    pub fn begin(&self, part: Part, dir: &Path, error: &io::Error) {
        let reason = reason(part, dir, error);
        let is_new = self.0.send_if_modified(|failures| {
            let is_new = !failures.contains_key(&part);
            failures.entry(part).or_insert_with(|| reason.clone());
            is_new
        });
        if is_new {
            tracing::error!(part = part.as_str(), "{reason}");
        }
    }

    /// It was written, to its end.
    pub fn end(&self, part: Part) {
        if self.0.send_if_modified(|failures| failures.remove(&part).is_some()) {
            tracing::info!(part = part.as_str(), "it can be written again");
        }
    }

    /// Why this cannot be written, if it cannot.
    pub fn of(&self, part: Part) -> Option<String> {
        self.0.borrow().get(&part).cloned()
    }

    /// Sees each change.
    pub fn watch(&self) -> watch::Receiver<BTreeMap<Part, String>> {
        self.0.subscribe()
    }
}

fn reason(part: Part, dir: &Path, error: &io::Error) -> String {
    let (dir, remedy) = (dir.display(), remedy(error));
    match part {
        Part::Log => format!("the log cannot be written: {error} ({dir}); {remedy}, then restart this node"),
        Part::Snapshot => format!(
            "no snapshot can be written: {error} ({dir}); {remedy}, then it is written by itself: until then the \
             log only grows"
        ),
        Part::State => format!(
            "the state cannot be written: {error} ({dir}); {remedy}, then restart this node: nothing is lost, but \
             its start reads more of the log"
        ),
    }
}

/// What a person can do about it.
pub fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free space",
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => "make it writable",
        _ => "mend the disk",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_SPACE: i32 = 28;
    const INPUT_OUTPUT: i32 = 5;

    #[test]
    fn the_reason_names_the_error_the_place_and_what_to_do() {
        let error = io::Error::from_raw_os_error(NO_SPACE);
        assert_eq!(
            reason(Part::Log, Path::new("/data/log"), &error),
            "the log cannot be written: No space left on device (os error 28) (/data/log); free space, then \
             restart this node"
        );
        let error = io::Error::from_raw_os_error(INPUT_OUTPUT);
        let mended = reason(Part::Log, Path::new("/data/log"), &error);
        assert!(
            mended.contains("Input/output error (os error 5) (/data/log); mend the disk, then"),
            "{mended}"
        );
        let error = io::Error::from(ErrorKind::ReadOnlyFilesystem);
        for part in Part::ALL {
            let told = reason(part, Path::new("/data/it"), &error);
            assert!(told.contains("(/data/it); make it writable, then"), "{told}");
        }
    }

    #[test]
    fn what_failed_first_is_told_until_it_is_over() {
        let failures = Failures::default();
        let mut watched = failures.watch();
        assert_eq!(failures.of(Part::State), None);
        for error in [NO_SPACE, INPUT_OUTPUT] {
            failures.begin(Part::State, Path::new("s"), &io::Error::from_raw_os_error(error));
            assert!(failures.of(Part::State).is_some_and(|told| told.contains("os error 28")));
            assert_eq!(watched.has_changed().unwrap(), error == NO_SPACE);
            watched.mark_unchanged();
        }
        assert_eq!(failures.of(Part::Log), None);
        failures.end(Part::Log);
        assert!(!watched.has_changed().unwrap());
        failures.end(Part::State);
        assert!(watched.has_changed().unwrap());
        assert_eq!(failures.of(Part::State), None);
    }
}
