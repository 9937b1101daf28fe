//! What one Eureka server has not been told yet: for each instance what happened to it since, and no more than once.
//! What is sent is then taken from the registry as it is, so that a server that was away for long is told the last word
//! only. Pure: time is given.

use std::collections::{BTreeMap, HashMap};

use tokio::time::{Duration, Instant};

use crate::registry::Key;

/// Instances of which something can wait. What comes then is not noted, but looked for in the registry when there is room.
pub const MOST_WAITING: usize = 100_000;

/// How long changes wait for others to be sent with. Short beside the half second of Eureka's servers: who was taken out
/// of service must be so everywhere soon, and who left here must not be taken away there after coming back.
const CHANGE_COMPANY: Duration = Duration::from_millis(10);
/// And renewals, which are in no hurry: as Eureka's servers do it.
const RENEWAL_COMPANY: Duration = Duration::from_millis(500);

/// Something that a client did to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Registered,
    Renewed,
    StatusSet,
    StatusRemoved,
    Cancelled,
}

/// What is to be told of an override.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusDeed {
    Set,
    Removed,
}

/// All that is to be told of one instance, in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    pub cancelled: bool,
    pub status: Option<StatusDeed>,
    pub registered: bool,
    pub renewed: bool,
}

impl Told {
    fn of(deed: Deed) -> Self {
        let none = Self::default();
        match deed {
            Deed::Registered => Self { registered: true, ..none },
            Deed::Renewed => Self { renewed: true, ..none },
            Deed::StatusSet => Self { status: Some(StatusDeed::Set), ..none },
            Deed::StatusRemoved => Self { status: Some(StatusDeed::Removed), ..none },
            Deed::Cancelled => Self { cancelled: true, ..none },
        }
    }

    /// This, and then `later`.
    fn and(self, later: Self) -> Self {
        // What was before a cancellation is over.
        if later.cancelled {
            return later;
        }
        Self {
            cancelled: self.cancelled,
            status: later.status.or(self.status),
            registered: self.registered || later.registered,
            renewed: self.renewed || later.renewed,
        }
    }

    /// Whether a server that misses it shows something else.
    fn is_change(self) -> bool {
        self.cancelled || self.status.is_some() || self.registered
    }
}

/// One instance and what is to be told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub key: Key,
    pub told: Told,
    /// Place in the order in which instances had something to tell.
    ticket: u64,
    since: Instant,
    /// The same by the log's clock, epoch milliseconds; what counts for [`Outbox::progress_ms`].
    since_ms: i64,
    /// Whether it counts as a change although it is a renewal: the server was never told of this instance.
    is_first: bool,
}

impl Entry {
    fn is_change(&self) -> bool {
        self.is_first || self.told.is_change()
    }
}

#[derive(Debug, Default)]
pub struct Outbox {
    /// Which of this server's it is: what was taken from one cannot be put back into the next.
    epoch: u64,
    entries: HashMap<Key, Entry>,
    changes: BTreeMap<u64, Key>,
    renewals: BTreeMap<u64, Key>,
    on_the_way: usize,
    /// Since when changes that are on their way were to be told, by both clocks.
    on_the_way_since: Option<(Instant, i64)>,
    /// When the first change came for which there was no room.
    overflowed_ms: Option<i64>,
    /// When the last change was noted.
    last_ms: i64,
    tickets: u64,
}

impl Outbox {
    /// One that is up to date at this time of the log's clock, epoch milliseconds.
    pub fn up_to_date_at(now_ms: i64, epoch: u64) -> Self {
        Self { last_ms: now_ms, epoch, ..Self::default() }
    }

    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// When the last change was noted, by the log's clock, epoch milliseconds.
    pub fn last_ms(&self) -> i64 {
        self.last_ms
    }

    /// Notes what a client did at a time of the log's clock.
    pub fn note(&mut self, key: &Key, deed: Deed, at_ms: i64, now: Instant) {
        self.add(key, Told::of(deed), at_ms, now, false);
    }

    /// Notes an instance of which the server may never have heard.
    pub fn introduce(&mut self, key: &Key, now: Instant) {
        self.add(key, Told::of(Deed::Renewed), i64::MIN, now, true);
    }

    fn add(&mut self, key: &Key, told: Told, at_ms: i64, now: Instant, is_first: bool) {
        let is_change = is_first || told.is_change();
        if is_change {
            self.last_ms = self.last_ms.max(at_ms);
        }
        if let Some(waiting) = self.entries.get_mut(key) {
            let was_change = waiting.is_change();
            waiting.told = waiting.told.and(told);
            waiting.is_first |= is_first;
            if is_change && !was_change {
                self.renewals.remove(&waiting.ticket);
                self.tickets += 1;
                // A renewal that waited long does not make the change older than it is.
                (waiting.ticket, waiting.since, waiting.since_ms) = (self.tickets, now, at_ms);
                self.changes.insert(waiting.ticket, key.clone());
            }
            return;
        }
        // Of first words there are no more than instances, and who looks again would find the same ones.
        if self.entries.len() >= MOST_WAITING && !is_first {
            if is_change {
                self.overflowed_ms.get_or_insert(at_ms);
            }
            return;
        }
        self.tickets += 1;
        let ticket = self.tickets;
        self.queue(Entry { key: key.clone(), told, ticket, since: now, since_ms: at_ms, is_first });
    }

    fn queue(&mut self, entry: Entry) {
        let lane = if entry.is_change() { &mut self.changes } else { &mut self.renewals };
        lane.insert(entry.ticket, entry.key.clone());
        self.entries.insert(entry.key.clone(), entry);
    }

    /// Takes what is told next, of at most so many instances; it is on its way until [`Outbox::arrived`] or
    /// [`Outbox::put_back`]. Changes go first, but half of the places are the renewals' if they need them.
    pub fn take(&mut self, most: usize) -> Vec<Entry> {
        let renewals = self.renewals.len().min(most / 2);
        let changes = self.changes.len().min(most - renewals);
        let renewals = self.renewals.len().min(most - changes);
        let mut taken = Vec::with_capacity(changes + renewals);
        for lane in [(&mut self.changes, changes), (&mut self.renewals, renewals)] {
            let (lane, count) = lane;
            for _ in 0..count {
                let entry = lane.pop_first().and_then(|(_, key)| self.entries.remove(&key));
                taken.extend(entry);
            }
        }
        self.on_the_way = taken.len();
        let changes = taken.iter().filter(|entry| entry.is_change());
        self.on_the_way_since =
            changes.min_by_key(|entry| entry.ticket).map(|entry| (entry.since, entry.since_ms));
        taken
    }

    /// What was taken is told.
    pub fn arrived(&mut self) {
        (self.on_the_way, self.on_the_way_since) = (0, None);
    }

    /// Some of what was taken is not told: it comes first again, before what has happened since.
    pub fn put_back(&mut self, entries: impl IntoIterator<Item = Entry>) {
        for entry in entries {
            self.on_the_way = self.on_the_way.saturating_sub(1);
            match self.entries.remove(&entry.key) {
                None => self.queue(entry),
                Some(later) => {
                    self.changes.remove(&later.ticket);
                    self.renewals.remove(&later.ticket);
                    let told = entry.told.and(later.told);
                    let is_first = entry.is_first || later.is_first;
                    let older = if later.is_change() && !entry.is_change() { later } else { entry };
                    self.queue(Entry { told, is_first, ..older });
                }
            }
        }
    }

    /// When the next batch of so many should leave; `None`: there is nothing to tell.
    pub fn due(&self, full: usize) -> Option<Instant> {
        let first = |lane: &BTreeMap<u64, Key>, company: Duration| {
            let entry = lane.first_key_value().and_then(|(_, key)| self.entries.get(key))?;
            Some(if lane.len() >= full { entry.since } else { entry.since + company })
        };
        let due = [first(&self.changes, CHANGE_COMPANY), first(&self.renewals, RENEWAL_COMPANY)];
        due.into_iter().flatten().min()
    }

    /// Up to which time of the log's clock, epoch milliseconds, everything that clients did is told; `None`: the server
    /// was not told of everything there is yet.
    pub fn progress_ms(&self) -> Option<i64> {
        let waiting = self.first_change().map(|entry| entry.since_ms);
        let on_the_way = self.on_the_way_since.map(|(_, since_ms)| since_ms);
        let open = waiting.into_iter().chain(on_the_way).chain(self.overflowed_ms).min();
        match open {
            Some(i64::MIN) => None,
            // More may come with the time of the last.
            open => Some(open.unwrap_or(self.last_ms).saturating_sub(1)),
        }
    }

    /// Whether all that there was room for is told, and there was more.
    pub fn lacks_some(&self) -> bool {
        self.overflowed_ms.is_some() && self.entries.is_empty() && self.on_the_way == 0
    }

    /// How many instances there is something to tell of.
    pub fn len(&self) -> usize {
        self.entries.len() + self.on_the_way
    }

    /// Since when the change waits that waits longest, on its way or not.
    pub fn oldest_change(&self) -> Option<Instant> {
        let on_the_way = self.on_the_way_since.map(|(since, _)| since);
        on_the_way.or_else(|| self.first_change().map(|entry| entry.since))
    }

    /// Tickets are in the order of time, for a change keeps that of its first.
    fn first_change(&self) -> Option<&Entry> {
        self.changes.first_key_value().and_then(|(_, key)| self.entries.get(key))
    }
}

#[cfg(test)]
mod tests;
