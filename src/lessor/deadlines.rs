//! When each lease runs out, in buckets: a look at the time costs what is due, not what is held.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use foldhash::HashMap;

use super::tally::{Standing, Tallies};
use crate::registry::{AppName, Key, Lease, Scope};

/// A lease found run out is found again after this, in case its expiry was not decided.
const AGAIN_AFTER_MS: u64 = 1000;

/// No lease is filed further ahead, so that one which was removed is soon forgotten, however long it
/// was to last.
const FURTHEST_LOOK_MS: u64 = 60_000;

/// Leases that are due at once, at most: few enough that a renewal hardly waits for their end.
const DUE_AT_ONCE: usize = 200;
/// Leases looked at at once, at most: whatever is applied waits for that.
const LOOKS_AT_ONCE: usize = 2000;

#[derive(Debug)]
pub struct Deadlines {
    bucket_ms: u64,
    window_ms: u64,
    /// Keys by the bucket they are to be looked at in. A renewal leaves a key where it is; it moves
    /// on when its bucket comes up.
    buckets: BTreeMap<u64, Vec<Key>>,
    leases: HashMap<Key, Deadline>,
    tallies: Tallies,
    held: BTreeMap<AppName, BTreeSet<Key>>,
}

#[derive(Debug, Clone, Copy)]
struct Deadline {
    at_ms: u64,
    duration_ms: u64,
    renew_seq: u64,
    /// Of the entries a key may have in several buckets, the one that counts.
    bucket: u64,
    standing: Standing,
}

/// A lease that has run out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub key: Key,
    /// The sequence it ran out at.
    pub renew_seq: u64,
    /// How long ago it ran out.
    pub overdue_ms: u64,
}

/// Since when a lease is known to its leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It was renewed just now.
    Renewed,
    /// It was there when this node began to lead.
    Inherited,
}

impl Deadlines {
    /// Deadlines that are looked at every `bucket`. A lease counts as silent from `window` before its
    /// end, but not before two thirds of its duration are over.
    pub fn new(bucket: Duration, window: Duration) -> Self {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self {
            bucket_ms: millis(bucket).max(1),
            window_ms: millis(window),
            buckets: BTreeMap::new(),
            leases: HashMap::default(),
            tallies: Tallies::default(),
            held: BTreeMap::new(),
        }
    }

    pub fn clear(&mut self) {
        self.buckets = BTreeMap::new();
        self.leases = HashMap::default();
        self.tallies = Tallies::default();
        self.held = BTreeMap::new();
    }

    /// Makes room for that many leases at once: growing with each costs as much again as filing them.
    pub fn make_room(&mut self, leases: usize) {
        self.leases.reserve(leases);
    }

    /// Whether there is a deadline for this lease.
    pub fn has(&self, key: &Key) -> bool {
        self.leases.contains_key(key)
    }

    pub fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// The lease runs out its duration after `now_ms`.
    pub fn renew(&mut self, key: &Key, lease: &Lease, known: Known, now_ms: u64) {
        let standing = match known {
            Known::Renewed => Standing::Heard,
            Known::Inherited => Standing::Unheard,
        };
        let mut renewed = Deadline {
            at_ms: now_ms.saturating_add(lease.duration_ms),
            duration_ms: lease.duration_ms,
            renew_seq: lease.renew_seq,
            bucket: 0,
            standing,
        };
        renewed.bucket = self.bucket(self.next_look_ms(&renewed, now_ms));
        let Some(deadline) = self.leases.get_mut(key) else {
            self.buckets.entry(renewed.bucket).or_default().push(key.clone());
            self.leases.insert(key.clone(), renewed);
            return self.stands(key, None, Some(standing));
        };
        let former = *deadline;
        if former.bucket <= renewed.bucket {
            renewed.bucket = former.bucket;
        } else {
            self.buckets.entry(renewed.bucket).or_default().push(key.clone());
        }
        *deadline = renewed;
        self.stands(key, Some(former.standing), Some(standing));
    }

    pub fn remove(&mut self, key: &Key) {
        if let Some(former) = self.leases.remove(key) {
            self.stands(key, Some(former.standing), None);
        }
    }

    /// Leases whose time is over at `now_ms`, those first that were to be looked at first; not all of them if
    /// they are many, see [`Deadlines::is_behind`].
    pub fn due(&mut self, now_ms: u64) -> Vec<Due> {
        let mut due = Vec::new();
        let mut looks = 0;
        while due.len() < DUE_AT_ONCE
            && looks < LOOKS_AT_ONCE
            && let Some(mut bucket) = self.buckets.first_entry()
            && *bucket.key() <= now_ms / self.bucket_ms
        {
            let at = *bucket.key();
            let key = bucket.get_mut().pop();
            if bucket.get().is_empty() {
                bucket.remove();
            }
            looks += 1;
            due.extend(key.and_then(|key| self.look_at(key, at, now_ms)));
        }
        due
    }

    /// Whether there are leases left that are to be looked at at `now_ms`.
    pub fn is_behind(&self, now_ms: u64) -> bool {
        self.buckets.first_key_value().is_some_and(|(bucket, _)| *bucket <= now_ms / self.bucket_ms)
    }

    /// Keeps a lease that is due; it comes up again at `until_ms`.
    pub fn hold(&mut self, key: &Key, until_ms: u64) {
        self.refile(key, until_ms, Standing::Held);
    }

    /// Lets go of what is held in a scope, unless its application is `kept`. Each comes up again when
    /// `until_ms` says, which is told when the lease ran out and what its duration is.
    pub fn release(
        &mut self,
        scope: &Scope,
        kept: impl Fn(&AppName) -> bool,
        until_ms: impl Fn(u64, u64) -> u64,
    ) {
        let of_scope = |app: &AppName| scope.application().is_none_or(|of| of == app) && !kept(app);
        let released = self.held.iter().filter(|(app, _)| of_scope(app));
        let released: Vec<Key> = released.flat_map(|(_, keys)| keys.iter().cloned()).collect();
        for key in released {
            let Some(Deadline { at_ms, duration_ms, .. }) = self.leases.get(&key).copied() else {
                continue;
            };
            self.refile(&key, until_ms(at_ms, duration_ms), Standing::Silent);
        }
    }

    fn look_at(&mut self, key: Key, bucket: u64, now_ms: u64) -> Option<Due> {
        let deadline = *self.leases.get(&key).filter(|deadline| deadline.bucket == bucket)?;
        let standing = match deadline.standing {
            Standing::Held => Standing::Held,
            _ if self.silent_at_ms(&deadline) <= now_ms => Standing::Silent,
            earlier => earlier,
        };
        self.refile(&key, self.next_look_ms(&deadline, now_ms), standing);
        let overdue_ms = now_ms.checked_sub(deadline.at_ms)?;
        Some(Due { key, renew_seq: deadline.renew_seq, overdue_ms })
    }

    fn next_look_ms(&self, deadline: &Deadline, now_ms: u64) -> u64 {
        let silent_at_ms = self.silent_at_ms(deadline);
        let wanted_ms = match () {
            () if deadline.at_ms <= now_ms => now_ms + AGAIN_AFTER_MS,
            () if silent_at_ms <= now_ms => deadline.at_ms,
            () => silent_at_ms,
        };
        wanted_ms.min(now_ms.saturating_add(FURTHEST_LOOK_MS))
    }

    fn silent_at_ms(&self, deadline: &Deadline) -> u64 {
        deadline.at_ms - self.window_ms.min(deadline.duration_ms / 3)
    }

    /// Has a lease looked at at that time and no other, and stand like that from now on.
    fn refile(&mut self, key: &Key, look_ms: u64, standing: Standing) {
        let bucket = self.bucket(look_ms);
        let Some(deadline) = self.leases.get_mut(key) else {
            return;
        };
        deadline.bucket = bucket;
        let before = std::mem::replace(&mut deadline.standing, standing);
        self.buckets.entry(bucket).or_default().push(key.clone());
        self.stands(key, Some(before), Some(standing));
    }

    /// Counts a lease by how it stands now and no longer by how it stood.
    fn stands(&mut self, key: &Key, before: Option<Standing>, after: Option<Standing>) {
        if before == after {
            return;
        }
        self.tallies.change(&key.app, before, after);
        if after == Some(Standing::Held) {
            self.held.entry(key.app.clone()).or_default().insert(key.clone());
        } else if before == Some(Standing::Held)
            && let Some(keys) = self.held.get_mut(&key.app)
        {
            keys.remove(key);
            if keys.is_empty() {
                self.held.remove(&key.app);
            }
        }
    }

    /// The first bucket that begins when that time has come.
    fn bucket(&self, at_ms: u64) -> u64 {
        at_ms.div_ceil(self.bucket_ms)
    }
}

#[cfg(test)]
mod tests;
