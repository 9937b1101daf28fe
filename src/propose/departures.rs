//! When those leave that wait for company.

use std::time::Duration;

use crate::wall_clock::WallClock;

/// Between two departures: longer than batches take, and short beside a second, the shortest time in which a lease is
/// renewed.
pub const PERIOD: Duration = Duration::from_millis(100);
/// And no more than this part of the time in which a command has to be decided.
const OF_TIMEOUT: u32 = 10;
/// So much of the period later than followers' is the leader's departure: what they forward has arrived then.
const OF_PERIOD_AT_LEADER: i64 = 20;

/// Moments that are the same in all nodes, as far as their wall clocks agree. Where they do not, or go wrong, what a
/// follower forwards waits for the leader's next departure, and nothing for longer than a period in each node.
pub struct Departures {
    wall_clock: WallClock,
    period_ms: i64,
}

impl Departures {
    pub fn new(wall_clock: WallClock, write_timeout: Duration) -> Self {
        let period = PERIOD.min(write_timeout / OF_TIMEOUT);
        Self { wall_clock, period_ms: i64::try_from(period.as_millis()).unwrap_or(i64::MAX).max(1) }
    }

    /// How long it is to the next one, at a node that leads or at one that does not.
    pub fn next(&self, leads: bool) -> Duration {
        let later_ms = if leads { self.period_ms / OF_PERIOD_AT_LEADER } else { 0 };
        let since_last_ms = self.wall_clock.epoch_ms().wrapping_sub(later_ms).rem_euclid(self.period_ms);
        Duration::from_millis((self.period_ms - since_last_ms).unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(epoch_ms: i64, leads: bool) -> u128 {
        let departures = Departures::new(WallClock::new(move || epoch_ms), Duration::from_secs(2));
        departures.next(leads).as_millis()
    }

    #[test]
    fn the_leader_leaves_soon_after_the_others() {
        for epoch_ms in [-1, 0, 1, 99, 100, 1_700_000_000_003] {
            let (follower, leader) = (next(epoch_ms, false), next(epoch_ms, true));
            assert!((1..=100).contains(&follower) && (1..=100).contains(&leader), "{follower} {leader}");
            assert_eq!((leader + 100 - follower) % 100, 5, "at {epoch_ms}");
        }
        assert_eq!((next(1, false), next(1, true)), (99, 4));
    }

    #[test]
    fn nobody_waits_for_most_of_the_time_that_there_is() {
        let departures = Departures::new(WallClock::new(|| 3), Duration::from_millis(100));
        assert_eq!(departures.next(false), Duration::from_millis(7));
        let departures = Departures::new(WallClock::new(|| 3), Duration::from_millis(1));
        assert_eq!(departures.next(true), Duration::from_millis(1));
    }
}
