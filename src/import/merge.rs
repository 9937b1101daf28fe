//! What all sources list, what of that is here, and so what there is to do. Pure: it is told what was read, what was
//! answered, and what time it is.

mod answers;
mod entry;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::answers::Outcome;
use self::entry::{Claim, Entry, Here};
use super::listed::Listed;
use super::renewals::Renewals;
use super::source::Reading;
use super::task::Task;
use crate::eureka::StatusCounts;
use crate::registry::{Key, Status};

/// How long an instance goes on being renewed that is no longer listed, for a reason that may be the source's: Eureka
/// servers restart, with nothing in them.
pub const DOUBT: Duration = Duration::from_secs(5 * 60);

/// A source that at once no longer lists more than half of its instances, and as many as this, has been restarted.
const MASS: usize = 5;

/// All instances that any source lists.
#[derive(Debug)]
pub struct Merged {
    entries: BTreeMap<Key, Entry>,
    sources: Vec<Seen>,
    /// What is not here as it is listed.
    open: BTreeSet<Key>,
    renewals: Renewals,
}

/// What is known of a source.
#[derive(Debug, Default)]
struct Seen {
    /// Of what it lists without doubt.
    counts: StatusCounts,
    /// By how much its own counts are more; none if it does not count.
    surplus: Option<[i64; Status::ALL.len()]>,
}

impl Merged {
    pub fn new(sources: usize) -> Self {
        let sources = (0..sources).map(|_| Seen::default()).collect();
        let (entries, open, renewals) = Default::default();
        Self { entries, sources, open, renewals }
    }

    pub fn instance_count(&self) -> usize {
        self.entries.len()
    }

    pub fn application_count(&self) -> usize {
        self.entries.keys().map(|key| &key.app).collect::<HashSet<_>>().len()
    }

    pub fn renewed_count(&self) -> usize {
        self.renewals.len()
    }

    /// Takes all that a source lists. What it listed before is `certain`ly gone if it always lists everything, and in
    /// doubt if its delta would have told.
    pub fn take_all(&mut self, source: usize, reading: Reading, certain: bool, now: Instant) {
        let before = self.sources[source].counts.total();
        let listed: HashSet<Key> = reading.listed.iter().map(|(key, _)| key.clone()).collect();
        for (key, listed) in reading.listed {
            self.claim(source, key, listed);
        }
        let claimed = |entry: &Entry| entry.claims.iter().any(|claim| claim.source == source);
        let missing = self.entries.iter().filter(|(key, entry)| claimed(entry) && !listed.contains(*key));
        let missing: Vec<Key> = missing.map(|(key, _)| key.clone()).collect();
        let en_masse = missing.len() >= MASS && missing.len() as u64 * 2 > before;
        for key in missing {
            if certain && !en_masse && !self.is_doubted(source, &key) {
                self.delete(source, &key);
            } else {
                self.doubt(source, &key, now);
            }
        }
        let seen = &mut self.sources[source];
        seen.surplus = reading.counts.map(|counts| difference(&counts, &seen.counts));
    }

    /// Takes what changed at a source, and says whether it is then known all that it has.
    pub fn take_delta(&mut self, source: usize, reading: Reading) -> bool {
        for (key, listed) in reading.listed {
            self.claim(source, key, listed);
        }
        for key in reading.deleted {
            self.delete(source, &key);
        }
        let seen = &self.sources[source];
        match (reading.counts, seen.surplus) {
            (Some(counts), Some(surplus)) => difference(&counts, &seen.counts) == surplus,
            _ => true,
        }
    }

    /// All that a source listed is in doubt: it does not answer.
    pub fn take_silence(&mut self, source: usize, now: Instant) {
        let keys: Vec<Key> = self.entries.keys().cloned().collect();
        keys.iter().for_each(|key| self.doubt(source, key, now));
    }

    /// Leaves to their leases what was in doubt for too long, and says how many.
    pub fn give_up(&mut self, now: Instant) -> usize {
        let before = self.entries.len();
        let (open, renewals) = (&mut self.open, &mut self.renewals);
        self.entries.retain(|key, entry| {
            let claims = entry.claims.len();
            entry.claims.retain(|claim| claim.doubted_until.is_none_or(|until| until > now));
            let given_up = claims > 0 && entry.claims.is_empty();
            if given_up {
                open.remove(key);
                renewals.remove(key);
            }
            !given_up
        });
        before - self.entries.len()
    }

    /// How an instance is here before anything is written; of one that no source lists, nothing is kept.
    pub fn find(&mut self, key: &Key, listed: Arc<Listed>) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.here = Here::Found(listed);
        }
    }

    /// How many were found as they are listed, and not written since.
    pub fn found_count(&self) -> usize {
        let found = |entry: &&Entry| match (&entry.here, entry.newest()) {
            (Here::Found(found), Some(listed)) => found.shows_the_same(listed),
            _ => false,
        };
        self.entries.values().filter(found).count()
    }

    /// What to do now, at most so much. Half of it are renewals if there are as many.
    pub fn tasks(&self, now: Instant, max: usize) -> Vec<Task> {
        let renewals = || self.renewals.due(now).filter(|key| !self.open.contains(*key));
        let renewals: Vec<Task> = renewals().take(max).filter_map(|key| self.renewal(key)).collect();
        let open = self.open.len().min(max.saturating_sub(renewals.len().min(max / 2)));
        let open = self.open.iter().take(open).filter_map(|key| self.change(key));
        let mut tasks: Vec<Task> = open.collect();
        let left = max - tasks.len();
        tasks.extend(renewals.into_iter().take(left));
        tasks
    }

    /// How many instances are not here as they are listed.
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    fn renewal(&self, key: &Key) -> Option<Task> {
        match &self.entries.get(key)?.here {
            Here::Registered(listed) => Some(Task::renew(key.clone(), listed)),
            _ => None,
        }
    }

    fn change(&self, key: &Key) -> Option<Task> {
        let entry = self.entries.get(key)?;
        let Some(listed) = entry.newest() else { return Some(Task::cancel(key.clone())) };
        Some(match &entry.here {
            Here::Found(found) if found.shows_the_same(listed) => Task::renew(key.clone(), listed),
            here => {
                let overridden = here.listed().and_then(|here| here.overridden());
                Task::register(key.clone(), listed, overridden)
            }
        })
    }

    fn claim(&mut self, source: usize, key: Key, listed: Arc<Listed>) {
        let entry = self.entries.entry(key.clone()).or_default();
        let counts = &mut self.sources[source].counts;
        counts.add(listed.status());
        let claim = Claim { source, listed, doubted_until: None };
        match entry.claims.iter_mut().find(|claim| claim.source == source) {
            Some(former) => {
                let former = std::mem::replace(former, claim);
                former.uncount(counts);
            }
            None => entry.claims.push(claim),
        }
        self.refresh(&key);
    }

    /// A source says that it has an instance no more. What others said of it that are in doubt themselves is nothing.
    fn delete(&mut self, source: usize, key: &Key) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let counts = &mut self.sources[source].counts;
        entry.claims.retain(|claim| {
            let goes = claim.source == source || claim.doubted_until.is_some();
            if goes {
                claim.uncount(counts);
            }
            !goes
        });
        self.refresh(key);
    }

    fn doubt(&mut self, source: usize, key: &Key, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let claim = entry.claims.iter_mut().find(|claim| claim.source == source);
        if let Some(claim) = claim.filter(|claim| claim.doubted_until.is_none()) {
            claim.uncount(&mut self.sources[source].counts);
            claim.doubted_until = Some(now + DOUBT);
        }
        self.refresh(key);
    }

    fn is_doubted(&self, source: usize, key: &Key) -> bool {
        let claims = self.entries.get(key).map_or(&[][..], |entry| &entry.claims);
        claims.iter().any(|claim| claim.source == source && claim.doubted_until.is_some())
    }

    /// Whether there is something to do about an instance, after something of it changed.
    fn refresh(&mut self, key: &Key) {
        let Some(entry) = self.entries.get(key) else { return };
        let open = match (entry.newest(), &entry.here) {
            (None, Here::Unknown | Here::LeftAlone(_)) => {
                self.entries.remove(key);
                false
            }
            (None, Here::Found(_) | Here::Registered(_)) => true,
            (Some(_), Here::Unknown | Here::Found(_)) => true,
            (Some(listed), Here::Registered(here) | Here::LeftAlone(here)) => !listed.shows_the_same(here),
        };
        if open {
            self.open.insert(key.clone());
        } else {
            self.open.remove(key);
        }
    }
}

fn difference(these: &StatusCounts, those: &StatusCounts) -> [i64; Status::ALL.len()] {
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    Status::ALL.map(|status| signed(these.count(status)).saturating_sub(signed(those.count(status))))
}

#[cfg(test)]
mod tests;
