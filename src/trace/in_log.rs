//! Whose entries are in the log and not applied yet. Raft carries no more than an entry's bytes from one to the other.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::context::Context;

/// More than are ever on their way; an entry that another leader replaced is never applied.
const MOST: usize = 1024;

#[derive(Debug, Default)]
pub struct InLog(Mutex<BTreeMap<u64, Context>>);

impl InLog {
    pub fn put(&self, index: u64, context: Context) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.insert(index, context);
        if entries.len() > MOST {
            entries.pop_first();
        }
    }

    pub fn take(&self, index: u64) -> Option<Context> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_applied_is_forgotten_at_last() {
        let in_log = InLog::default();
        (0..=MOST as u64).for_each(|index| in_log.put(index, Context::root()));
        assert!(in_log.take(0).is_none());
        assert!(in_log.take(1).is_some());
    }
}
