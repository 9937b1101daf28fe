//! When which lease is to be renewed next.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use crate::registry::Key;

/// Leases in the order in which they are due.
#[derive(Debug, Default)]
pub struct Renewals {
    due: BTreeSet<(Instant, Key)>,
    at: HashMap<Key, Instant>,
}

impl Renewals {
    /// Has a lease renewed for the first time within an interval from now: those that begin together are spread over
    /// it.
    pub fn begin(&mut self, key: &Key, interval: Duration, now: Instant) {
        self.set(key, now + interval.mul_f64(share(key)));
    }

    /// Has a lease that was due renewed an interval after that, unless that is over too.
    pub fn go_on(&mut self, key: &Key, interval: Duration, now: Instant) {
        match self.at.get(key).map(|at| *at + interval) {
            Some(next) if next > now => self.set(key, next),
            _ => self.begin(key, interval, now),
        }
    }

    pub fn remove(&mut self, key: &Key) {
        if let Some(at) = self.at.remove(key) {
            self.due.remove(&(at, key.clone()));
        }
    }

    /// Those that are due, the longest first. They stay so until they go on or are removed.
    pub fn due(&self, now: Instant) -> impl Iterator<Item = &Key> {
        self.due.iter().take_while(move |(at, _)| *at <= now).map(|(_, key)| key)
    }

    pub fn len(&self) -> usize {
        self.at.len()
    }

    fn set(&mut self, key: &Key, at: Instant) {
        self.remove(key);
        self.due.insert((at, key.clone()));
        self.at.insert(key.clone(), at);
    }
}

/// Which part of an interval is a lease's own, from 0 to 1, the same each time.
fn share(key: &Key) -> f64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    // The upper half, which a float holds exactly.
    f64::from((hasher.finish() >> 32) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{AppName, InstanceId};

    const INTERVAL: Duration = Duration::from_secs(30);

    fn key(number: usize) -> Key {
        let id = InstanceId::parse(&format!("i-{number}")).expect("an id");
        Key::new(AppName::parse("APP").expect("a name"), id)
    }

    #[test]
    fn leases_that_begin_together_are_spread_over_their_interval() {
        let now = Instant::now();
        let mut renewals = Renewals::default();
        (0..3_000).for_each(|number| renewals.begin(&key(number), INTERVAL, now));
        for second in 1..=30 {
            let due = renewals.due(now + Duration::from_secs(second)).count();
            let even = usize::try_from(second * 100).expect("few");
            assert!(due.abs_diff(even) < 150, "{due} after {second} s");
        }
        assert_eq!(renewals.due(now + INTERVAL).count(), 3_000);
    }

    #[test]
    fn a_lease_is_due_an_interval_after_it_was() {
        let now = Instant::now();
        let mut renewals = Renewals::default();
        renewals.begin(&key(1), INTERVAL, now);
        let first = *renewals.at.get(&key(1)).expect("a time");
        assert_eq!(renewals.due(first).collect::<Vec<_>>(), [&key(1)]);
        renewals.go_on(&key(1), INTERVAL, first + Duration::from_secs(3));
        assert_eq!(renewals.at.get(&key(1)), Some(&(first + INTERVAL)));
        assert_eq!(renewals.due(first + Duration::from_secs(29)).count(), 0);
        // After an outage all are late, and are not to come together ever after.
        let late = first + INTERVAL * 10;
        renewals.go_on(&key(1), INTERVAL, late);
        let next = *renewals.at.get(&key(1)).expect("a time");
        assert!(next >= late && next <= late + INTERVAL);
    }

    #[test]
    fn what_is_removed_is_never_due() {
        let now = Instant::now();
        let mut renewals = Renewals::default();
        renewals.begin(&key(1), INTERVAL, now);
        renewals.remove(&key(1));
        renewals.remove(&key(2));
        assert_eq!((renewals.due(now + INTERVAL).count(), renewals.len()), (0, 0));
    }
}
