//! When each lease runs out, in buckets: a look at the time costs what is due, not what is held.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::registry::{Key, Lease};

/// A lease found run out is found again after this, in case its expiry was not decided.
const AGAIN_AFTER_MS: u64 = 1000;

/// No lease is filed further ahead, so that one which was removed is soon forgotten, however long it
/// was to last.
const FURTHEST_LOOK_MS: u64 = 60_000;

#[derive(Debug)]
pub struct Deadlines {
    bucket_ms: u64,
    /// Keys by the bucket they are to be looked at in. A renewal leaves a key where it is; it moves
    /// on when its bucket comes up.
    buckets: BTreeMap<u64, Vec<Key>>,
    leases: HashMap<Key, Deadline>,
}

#[derive(Debug, Clone, Copy)]
struct Deadline {
    at_ms: u64,
    renew_seq: u64,
    /// Of the entries a key may have in several buckets, the one that counts.
    bucket: u64,
}

impl Deadlines {
    pub fn new(bucket: Duration) -> Self {
        let bucket_ms = u64::try_from(bucket.as_millis()).unwrap_or(u64::MAX).max(1);
        Self { bucket_ms, buckets: BTreeMap::new(), leases: HashMap::new() }
    }

    pub fn clear(&mut self) {
        self.buckets = BTreeMap::new();
        self.leases = HashMap::new();
    }

    /// The lease runs out its duration after `now_ms`.
    pub fn renew(&mut self, key: &Key, lease: &Lease, now_ms: u64) {
        let at_ms = now_ms.saturating_add(lease.duration_ms);
        let wanted = self.bucket(at_ms.min(now_ms.saturating_add(FURTHEST_LOOK_MS)));
        let renew_seq = lease.renew_seq;
        match self.leases.get_mut(key) {
            Some(deadline) if deadline.bucket <= wanted => {
                *deadline = Deadline { at_ms, renew_seq, ..*deadline };
            }
            _ => {
                self.leases.insert(key.clone(), Deadline { at_ms, renew_seq, bucket: wanted });
                self.buckets.entry(wanted).or_default().push(key.clone());
            }
        }
    }

    pub fn remove(&mut self, key: &Key) {
        self.leases.remove(key);
    }

    /// The leases whose time is over at `now_ms`, with the sequence each ran out at.
    pub fn due(&mut self, now_ms: u64) -> Vec<(Key, u64)> {
        let mut due = Vec::new();
        while let Some(entry) = self.buckets.first_entry() {
            if *entry.key() > now_ms / self.bucket_ms {
                break;
            }
            let (bucket, keys) = entry.remove_entry();
            for key in keys {
                self.look_at(key, bucket, now_ms, &mut due);
            }
        }
        due
    }

    fn look_at(&mut self, key: Key, bucket: u64, now_ms: u64, due: &mut Vec<(Key, u64)>) {
        let bucket_ms = self.bucket_ms;
        let Some(deadline) = self.leases.get_mut(&key).filter(|deadline| deadline.bucket == bucket) else {
            return;
        };
        let next_look_ms = if deadline.at_ms <= now_ms {
            due.push((key.clone(), deadline.renew_seq));
            now_ms + AGAIN_AFTER_MS
        } else {
            deadline.at_ms.min(now_ms.saturating_add(FURTHEST_LOOK_MS))
        };
        deadline.bucket = next_look_ms.div_ceil(bucket_ms);
        self.buckets.entry(deadline.bucket).or_default().push(key);
    }

    /// The first bucket that begins when the deadline has passed.
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
        Deadlines::new(Duration::from_millis(100))
    }

    #[test]
    fn a_lease_is_due_within_a_bucket_after_its_duration_and_never_before() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(1000, 1), 50);
        assert!(deadlines.due(1049).is_empty());
        assert_eq!(deadlines.due(1100), [(key("a"), 1)]);
    }

    #[test]
    fn a_renewal_moves_the_deadline() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(1000, 1), 0);
        deadlines.renew(&key("a"), &lease(1000, 2), 900);
        assert!(deadlines.due(1800).is_empty());
        assert_eq!(deadlines.due(1900), [(key("a"), 2)]);
    }

    #[test]
    fn a_shorter_duration_takes_effect_at_once() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(90_000, 1), 0);
        deadlines.renew(&key("a"), &lease(1000, 2), 0);
        assert_eq!(deadlines.due(1000), [(key("a"), 2)]);
        assert_eq!(deadlines.due(90_000), [(key("a"), 2)], "still undecided, so once more, not twice");
    }

    #[test]
    fn an_expiry_that_was_not_decided_comes_up_again() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(1000, 1), 0);
        assert_eq!(deadlines.due(1000).len(), 1);
        assert!(deadlines.due(1900).is_empty());
        assert_eq!(deadlines.due(2000), [(key("a"), 1)]);
    }

    #[test]
    fn a_removed_lease_is_forgotten() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(1000, 1), 0);
        deadlines.remove(&key("a"));
        assert!(deadlines.due(10_000).is_empty());
    }

    #[test]
    fn a_key_that_comes_back_is_due_once() {
        let mut deadlines = deadlines();
        deadlines.renew(&key("a"), &lease(1000, 1), 0);
        deadlines.remove(&key("a"));
        deadlines.renew(&key("a"), &lease(1000, 2), 0);
        assert_eq!(deadlines.due(1000), [(key("a"), 2)]);
    }
}
