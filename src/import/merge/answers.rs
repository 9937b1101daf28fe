//! What this cluster answered to what was to be done.

use std::sync::Arc;
use std::time::Instant;

use super::Merged;
use super::entry::Here;
use crate::import::listed::Listed;
use crate::import::task::{Step, Task};
use crate::registry::Key;

/// What became of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Registered {
        overridden: bool,
    },
    /// It was here as it is listed before anything was written, and is renewed.
    Confirmed,
    Renewed,
    /// It is not here any more, and will be registered.
    Gone,
    Cancelled,
    /// Its own client, or a peer, keeps it here.
    Kept,
    /// Not taken, by this status.
    Refused(u16),
}

impl Merged {
    /// Takes the statuses that the steps of a task were answered with.
    pub fn answered(&mut self, task: &Task, statuses: &[u16], now: Instant) -> Outcome {
        let steps = || task.steps.iter().zip(statuses.iter().copied());
        let registered = steps().find_map(|(step, status)| match step {
            Step::Register(listed) => Some((listed, status)),
            _ => None,
        });
        let outcome = match (registered, task.steps.first(), statuses.first()) {
            (Some((listed, status)), ..) => {
                let overridden =
                    steps().any(|(step, status)| matches!(step, Step::SetStatus(_)) && status == 200);
                self.registered(&task.key, listed, status, overridden, now)
            }
            (None, Some(Step::Renew(listed)), Some(status)) => self.renewed(&task.key, listed, *status, now),
            (None, _, status) => self.cancelled(&task.key, status.copied().unwrap_or(0)),
        };
        self.refresh(&task.key);
        outcome
    }

    fn registered(
        &mut self,
        key: &Key,
        listed: &Arc<Listed>,
        status: u16,
        overridden: bool,
        now: Instant,
    ) -> Outcome {
        let (here, outcome) = match status {
            200 => (Here::Registered(listed.clone()), Outcome::Registered { overridden }),
            409 => (Here::LeftAlone(listed.clone()), Outcome::Kept),
            status => (Here::LeftAlone(listed.clone()), Outcome::Refused(status)),
        };
        match &here {
            Here::Registered(listed) => self.renewals.begin(key, listed.renewal_interval(), now),
            _ => self.renewals.remove(key),
        }
        self.set_here(key, here);
        outcome
    }

    fn renewed(&mut self, key: &Key, listed: &Arc<Listed>, status: u16, now: Instant) -> Outcome {
        match status {
            404 => {
                self.renewals.remove(key);
                self.set_here(key, Here::Unknown);
                Outcome::Gone
            }
            409 => {
                self.renewals.remove(key);
                self.set_here(key, Here::LeftAlone(listed.clone()));
                Outcome::Kept
            }
            status => {
                let found = self.entries.get(key).is_some_and(|entry| matches!(entry.here, Here::Found(_)));
                self.renewals.go_on(key, listed.renewal_interval(), now);
                self.set_here(key, Here::Registered(listed.clone()));
                match status {
                    200 if found => Outcome::Confirmed,
                    200 => Outcome::Renewed,
                    status => Outcome::Refused(status),
                }
            }
        }
    }

    fn cancelled(&mut self, key: &Key, status: u16) -> Outcome {
        self.renewals.remove(key);
        self.set_here(key, Here::Unknown);
        match status {
            200 | 404 => Outcome::Cancelled,
            409 => Outcome::Kept,
            status => Outcome::Refused(status),
        }
    }

    fn set_here(&mut self, key: &Key, here: Here) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.here = here;
        }
    }
}
