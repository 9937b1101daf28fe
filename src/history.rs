//! What lately changed of single instances, as this node saw it: in memory, of so many bytes and no more, and gone
//! after a restart. For people who look; nothing is decided by it.
//!
//! First registrations and renewals are not noted: the lease tells of them, and they must cost nothing.

use std::collections::VecDeque;

use crate::registry::{Cause, Change, Key, Registration, Status};

/// Of all instances together, names included.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Something that happened to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// What readers see of it changed, or its client registered it again.
    Changed(Difference),
    Cancelled,
    Expired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    pub status: (Status, Status),
    pub overridden: (Option<Status>, Option<Status>),
    pub is_registered_again: bool,
    pub is_another_document: bool,
}

impl Difference {
    fn between(former: &Registration, new: &Registration) -> Self {
        Self {
            status: (former.status, new.status),
            overridden: (former.overridden, new.overridden),
            is_registered_again: former.lease.registered_ms != new.lease.registered_ms,
            is_another_document: former.instance != new.instance,
        }
    }
}

#[derive(Debug, Clone)]
struct Noted {
    at_ms: i64,
    key: Key,
    event: Event,
}

impl Noted {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.key.app.as_str().len() + self.key.id.as_str().len()
    }
}

/// The last events of all instances, oldest first. Times are the log's.
#[derive(Debug)]
pub struct History {
    noted: VecDeque<Noted>,
    bytes: usize,
    since_ms: i64,
}

impl History {
    /// One that knows of everything from now on.
    pub fn since(now_ms: i64) -> Self {
        Self { noted: VecDeque::new(), bytes: 0, since_ms: now_ms }
    }

    /// Notes a change that took the place of `former`.
    pub fn changed(&mut self, at_ms: i64, change: &Change, former: &Registration) {
        match change {
            Change::Put { key, registration, .. } => {
                self.note(at_ms, key, Event::Changed(Difference::between(former, registration)));
            }
            Change::Removed { key, cause } => {
                let is_expired = *cause == Cause::Expired;
                self.note(at_ms, key, if is_expired { Event::Expired } else { Event::Cancelled });
            }
            _ => {}
        }
    }

    fn note(&mut self, at_ms: i64, key: &Key, event: Event) {
        let noted = Noted { at_ms, key: key.clone(), event };
        self.bytes += noted.bytes();
        self.noted.push_back(noted);
        while self.bytes > MAX_BYTES
            && let Some(oldest) = self.noted.pop_front()
        {
            self.bytes -= oldest.bytes();
            self.since_ms = oldest.at_ms;
        }
    }

    /// From when on it knows of every event.
    pub fn since_ms(&self) -> i64 {
        self.since_ms
    }

    /// The last events of one instance, newest first, with their times.
    pub fn of(&self, key: &Key, most: usize) -> Vec<(i64, Event)> {
        let of_key = self.noted.iter().rev().filter(|noted| noted.key == *key);
        of_key.take(most).map(|noted| (noted.at_ms, noted.event)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{AppName, InstanceId};

    fn key(id: &str) -> Key {
        Key::new(AppName::parse("A").unwrap(), InstanceId::parse(id).unwrap())
    }

    #[test]
    fn the_last_events_of_an_instance_are_told_newest_first() {
        let mut history = History::since(10);
        history.note(11, &key("i"), Event::Expired);
        history.note(12, &key("j"), Event::Expired);
        history.note(13, &key("i"), Event::Cancelled);
        history.note(14, &key("i"), Event::Expired);
        assert_eq!(history.of(&key("i"), 2), [(14, Event::Expired), (13, Event::Cancelled)]);
        assert_eq!(history.since_ms(), 10);
    }

    #[test]
    fn it_holds_so_many_bytes_and_says_since_when_it_knows() {
        let mut history = History::since(0);
        let long = "x".repeat(1000);
        for at_ms in 1..=10_000 {
            history.note(at_ms, &key(&long), Event::Expired);
        }
        let held: usize = history.noted.iter().map(Noted::bytes).sum();
        assert_eq!(history.bytes, held);
        assert!(held <= MAX_BYTES && held > MAX_BYTES - 2000, "{held}");
        let oldest = history.noted.front().map(|noted| noted.at_ms);
        assert_eq!(oldest, Some(history.since_ms() + 1));
    }
}
