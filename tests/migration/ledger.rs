//! Which client processes are alive and registered, as the test that starts and stops them knows it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The instances of one application that live, by id: the number of each one's life. A process that
/// is started again under the same id has another life.
pub type Lives = BTreeMap<String, u64>;

#[derive(Default)]
pub struct Ledger(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    by_app: BTreeMap<String, Lives>,
    last: u64,
}

impl Ledger {
    /// To be told when a client has registered.
    pub fn begin(&self, app: &str, id: &str) {
        let mut entries = self.entries();
        entries.last += 1;
        let life = entries.last;
        entries.by_app.entry(app.to_owned()).or_default().insert(id.to_owned(), life);
    }

    /// To be told before a client is asked to stop.
    pub fn end(&self, app: &str, id: &str) {
        let mut entries = self.entries();
        if let Some(lives) = entries.by_app.get_mut(app) {
            lives.remove(id);
        }
    }

    pub fn life(&self, app: &str, id: &str) -> Option<u64> {
        self.entries().by_app.get(app)?.get(id).copied()
    }

    /// Of one application.
    pub fn lives(&self, app: &str) -> Lives {
        self.entries().by_app.get(app).cloned().unwrap_or_default()
    }

    /// The applications that have had a client.
    pub fn apps(&self) -> Vec<String> {
        self.entries().by_app.keys().cloned().collect()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
