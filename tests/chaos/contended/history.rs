//! All that clients did, in a file as it happens and in memory until it was judged.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::linearizability::Operation;

/// An operation, and whose it was.
#[derive(Debug, Clone, Serialize)]
pub struct Done {
    pub client: u64,
    pub node: u64,
    pub instance: String,
    #[serde(flatten)]
    pub operation: Operation,
}

pub struct History {
    start: Instant,
    kept: Mutex<Kept>,
}

struct Kept {
    file: File,
    unjudged: Vec<Done>,
    odd: Vec<String>,
}

impl History {
    /// Writes a line of JSON for each operation to a file of this name.
    pub fn create(path: &Path) -> Self {
        let file = File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let kept = Kept { file, unjudged: Vec::new(), odd: Vec::new() };
        Self { start: Instant::now(), kept: Mutex::new(kept) }
    }

    /// Since the beginning, by a clock that never jumps.
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub fn add(&self, done: Done) {
        let line = serde_json::to_string(&done).expect("plain values");
        let mut kept = self.kept();
        writeln!(kept.file, "{line}").expect("a file that can be written");
        kept.unjudged.push(done);
    }

    /// There was an answer that is none to what was asked.
    pub fn odd(&self, what: &str) {
        let told = format!("{:.3} s: {what}", self.now().as_secs_f64());
        self.kept().odd.push(told);
    }

    /// What was done since this was asked for last, for each instance in the order of the requests.
    ///
    /// # Panics
    /// When there was an odd answer.
    pub fn take(&self) -> BTreeMap<String, Vec<Done>> {
        let mut kept = self.kept();
        assert!(kept.odd.is_empty(), "odd answers:\n{}", kept.odd.join("\n"));
        let mut instances: BTreeMap<String, Vec<Done>> = BTreeMap::new();
        for done in kept.unjudged.drain(..) {
            instances.entry(done.instance.clone()).or_default().push(done);
        }
        instances.values_mut().for_each(|done| done.sort_by_key(|done| done.operation.invoked));
        instances
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
