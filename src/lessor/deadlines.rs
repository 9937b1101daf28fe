//! When each lease runs out, in buckets: a look at the time costs what is due, not what is held.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::tally::{Standing, Tallies};
use crate::registry::{AppName, Key, Lease, Scope};

/// A lease found run out is found again after this, in case its expiry was not decided.
const AGAIN_AFTER_MS: u64 = 1000;

/// No lease is filed further ahead, so that one which was removed is soon forgotten, however long it
/// was to last.
const FURTHEST_LOOK_MS: u64 = 60_000;

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
            leases: HashMap::new(),
            tallies: Tallies::default(),
            held: BTreeMap::new(),
        }
    }

    pub fn clear(&mut self) {
        self.buckets = BTreeMap::new();
        self.leases = HashMap::new();
        self.tallies = Tallies::default();
        self.held = BTreeMap::new();
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
        let wanted = self.bucket(self.next_look_ms(&renewed, now_ms));
        let former = self.leases.get(key).copied();
        self.stand(key, former.map(|former| former.standing), Some(standing));
        renewed.bucket = match former {
            Some(former) if former.bucket <= wanted => former.bucket,
            _ => {
                self.buckets.entry(wanted).or_default().push(key.clone());
                wanted
            }
        };
        self.leases.insert(key.clone(), renewed);
    }

    pub fn remove(&mut self, key: &Key) {
        if let Some(former) = self.leases.remove(key) {
            self.stand(key, Some(former.standing), None);
        }
    }

    /// The leases whose time is over at `now_ms`.
    pub fn due(&mut self, now_ms: u64) -> Vec<Due> {
        let mut due = Vec::new();
        while let Some(entry) = self.buckets.first_entry() {
            if *entry.key() > now_ms / self.bucket_ms {
                break;
            }
            let (bucket, keys) = entry.remove_entry();
            for key in keys {
                due.extend(self.look_at(key, bucket, now_ms));
            }
        }
        due
    }

    /// Keeps a lease that is due; it comes up again at `until_ms`.
    pub fn hold(&mut self, key: &Key, until_ms: u64) {
        if let Some(standing) = self.refile(key, until_ms) {
            self.stand(key, Some(standing), Some(Standing::Held));
        }
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
            if let Some(standing) = self.refile(&key, until_ms(at_ms, duration_ms)) {
                self.stand(&key, Some(standing), Some(Standing::Silent));
            }
        }
    }

    fn look_at(&mut self, key: Key, bucket: u64, now_ms: u64) -> Option<Due> {
        let mut deadline = *self.leases.get(&key).filter(|deadline| deadline.bucket == bucket)?;
        let before = deadline.standing;
        if self.silent_at_ms(&deadline) <= now_ms && before != Standing::Held {
            deadline.standing = Standing::Silent;
        }
        let due = (deadline.at_ms <= now_ms).then(|| Due {
            key: key.clone(),
            renew_seq: deadline.renew_seq,
            overdue_ms: now_ms - deadline.at_ms,
        });
        deadline.bucket = self.bucket(self.next_look_ms(&deadline, now_ms));
        self.stand(&key, Some(before), Some(deadline.standing));
        self.leases.insert(key.clone(), deadline);
        self.buckets.entry(deadline.bucket).or_default().push(key);
        due
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

    /// Has a lease looked at at that time and no other; gives its standing.
    fn refile(&mut self, key: &Key, look_ms: u64) -> Option<Standing> {
        let bucket = self.bucket(look_ms);
        let deadline = self.leases.get_mut(key)?;
        deadline.bucket = bucket;
        self.buckets.entry(bucket).or_default().push(key.clone());
        Some(deadline.standing)
    }

    fn stand(&mut self, key: &Key, before: Option<Standing>, after: Option<Standing>) {
        if before == after {
            return;
        }
        self.tallies.change(&key.app, before, after);
        if let Some(deadline) = self.leases.get_mut(key)
            && let Some(after) = after
        {
            deadline.standing = after;
        }
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
mod tests {
    use super::*;
    use crate::registry::{AppName, InstanceId};

    fn key(id: &str) -> Key {
        Key::new(AppName::parse("app").unwrap(), InstanceId::parse(id).unwrap())
    }

    fn lease(duration_ms: u64, renew_seq: u64) -> Lease {
        let (registered_ms, renewed_ms, evicted_ms, service_up_ms) = (0, 0, 0, 0);
        Lease { duration_ms, registered_ms, renewed_ms, evicted_ms, service_up_ms, renew_seq }
    }

    fn deadlines() -> Deadlines {
        Deadlines::new(Duration::from_millis(100), Duration::from_secs(30))
    }

    fn due(deadlines: &mut Deadlines, now_ms: u64) -> Vec<(Key, u64)> {
        deadlines.due(now_ms).into_iter().map(|due| (due.key, due.renew_seq)).collect()
    }

    #[test]
    fn a_lease_is_due_within_a_bucket_after_its_duration_and_never_before() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(1000, 1), Known::Renewed, 50);
        assert!(due(&mut deadlines, 1049).is_empty());
        assert_eq!(due(&mut deadlines, 1100), [(key("a"), 1)]);
    }

    #[test]
    fn a_renewal_moves_the_deadline() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(1000, 1), Known::Renewed, 0);
        deadlines.renew(&key("a"), &lease(1000, 2), Known::Renewed, 900);
        assert!(due(&mut deadlines, 1800).is_empty());
        assert_eq!(due(&mut deadlines, 1900), [(key("a"), 2)]);
    }

    #[test]
    fn a_shorter_duration_takes_effect_at_once() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(90_000, 1), Known::Renewed, 0);
        deadlines.renew(&key("a"), &lease(1000, 2), Known::Renewed, 0);
        assert_eq!(due(&mut deadlines, 1000), [(key("a"), 2)]);
        assert_eq!(due(&mut deadlines, 90_000), [(key("a"), 2)], "still undecided, so once more, not twice");
    }

    #[test]
    fn an_expiry_that_was_not_decided_comes_up_again() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(1000, 1), Known::Renewed, 0);
        assert_eq!(due(&mut deadlines, 1000).len(), 1);
        assert!(due(&mut deadlines, 1900).is_empty());
        assert_eq!(due(&mut deadlines, 2000), [(key("a"), 1)]);
    }

    #[test]
    fn a_removed_lease_is_forgotten() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(1000, 1), Known::Renewed, 0);
        deadlines.remove(&key("a"));
        assert!(due(&mut deadlines, 10_000).is_empty());
    }

    #[test]
    fn a_key_that_comes_back_is_due_once() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(1000, 1), Known::Renewed, 0);
        deadlines.remove(&key("a"));
        deadlines.renew(&key("a"), &lease(1000, 2), Known::Renewed, 0);
        assert_eq!(due(&mut deadlines, 1000), [(key("a"), 2)]);
    }

    fn silent(deadlines: &Deadlines) -> u32 {
        deadlines.tallies().of(&Scope::Cluster).silent
    }

    #[test]
    fn a_lease_is_silent_from_the_window_before_its_end_until_it_is_renewed() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(90_000, 1), Known::Renewed, 0);
        deadlines.renew(&key("b"), &lease(600_000, 1), Known::Renewed, 0);
        due(&mut deadlines, 59_900);
        assert_eq!(silent(&deadlines), 0);
        due(&mut deadlines, 60_000);
        assert_eq!(silent(&deadlines), 1);
        deadlines.renew(&key("a"), &lease(90_000, 2), Known::Renewed, 60_050);
        assert_eq!(silent(&deadlines), 0);
        due(&mut deadlines, 570_000);
        assert_eq!(silent(&deadlines), 2);
        deadlines.remove(&key("b"));
        assert_eq!(silent(&deadlines), 1);
    }

    #[test]
    fn a_short_lease_is_silent_after_two_thirds_of_its_duration() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(3_000, 1), Known::Renewed, 0);
        due(&mut deadlines, 1_900);
        assert_eq!(silent(&deadlines), 0);
        due(&mut deadlines, 2_000);
        assert_eq!(silent(&deadlines), 1);
    }

    #[test]
    fn a_held_lease_is_due_again_at_its_time_and_not_before() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(1_000, 1), Known::Renewed, 0);
        assert_eq!(due(&mut deadlines, 1_000), [(key("a"), 1)]);
        deadlines.hold(&key("a"), 200_000);
        assert!(due(&mut deadlines, 199_900).is_empty());
        let due = deadlines.due(200_000);
        assert_eq!(due, [Due { key: key("a"), renew_seq: 1, overdue_ms: 199_000 }]);
    }

    #[test]
    fn a_renewal_ends_a_hold() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(1_000, 1), Known::Renewed, 0);
        due(&mut deadlines, 1_000);
        deadlines.hold(&key("a"), 200_000);
        deadlines.renew(&key("a"), &lease(1_000, 2), Known::Renewed, 5_000);
        assert_eq!(silent(&deadlines), 0);
        assert_eq!(due(&mut deadlines, 6_000), [(key("a"), 2)]);
        deadlines.release(&Scope::Cluster, |_| false, |_, _| 7_000);
        assert!(due(&mut deadlines, 6_900).is_empty(), "it was not held any more");
    }

    #[test]
    fn what_is_released_is_due_when_it_is_told_to_be() {
        let mut deadlines = deadlines();
        for id in ["a", "b"] {
            deadlines.renew(&key(id), &lease(1_000, 1), Known::Renewed, 0);
        }
        due(&mut deadlines, 1_000);
        deadlines.hold(&key("a"), 200_000);
        deadlines.hold(&key("b"), 200_000);
        let other = Scope::Application(AppName::parse("other").unwrap());
        deadlines.release(&other, |_| false, |_, _| 2_000);
        deadlines.release(&Scope::Cluster, |app| app.as_str() == "APP", |_, _| 2_000);
        assert!(due(&mut deadlines, 2_000).is_empty());
        deadlines.release(&Scope::Cluster, |_| false, |ran_out_ms, duration_ms| ran_out_ms + 2 * duration_ms);
        assert!(due(&mut deadlines, 2_900).is_empty());
        assert_eq!(due(&mut deadlines, 3_000).len(), 2);
    }
}
