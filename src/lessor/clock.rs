//! Time as leases see it: monotonic, and only as long as this node was there to see it pass.

use std::time::Duration;

use tokio::time::Instant;

/// Advances by what passed between two ticks, but never by more than two ticks' length: when this
/// process was stopped, frozen or held up, renewals could not be taken either, and no lease may
/// pay for that.
#[derive(Debug)]
pub struct LeaseClock {
    longest_step: Duration,
    last_tick: Instant,
    at_last_tick: Duration,
}

impl LeaseClock {
    pub fn new(tick: Duration, now: Instant) -> Self {
        Self { longest_step: tick * 2, last_tick: now, at_last_tick: Duration::ZERO }
    }

    /// Moves on to now; stands still if not `counting`. Gives the time in milliseconds.
    pub fn tick(&mut self, now: Instant, counting: bool) -> u64 {
        if counting {
            self.at_last_tick += self.step(now);
        }
        self.last_tick = now;
        millis(self.at_last_tick)
    }

    /// The time in milliseconds, between two ticks.
    pub fn read_ms(&self, now: Instant) -> u64 {
        // Rounded up: a deadline counted from it must not come early.
        millis(self.at_last_tick + self.step(now)) + 1
    }

    fn step(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_tick).min(self.longest_step)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(100);

    #[test]
    fn passes_with_the_ticks() {
        let start = Instant::now();
        let mut clock = LeaseClock::new(TICK, start);
        assert_eq!(clock.tick(start + TICK, true), 100);
        assert_eq!(clock.tick(start + TICK * 3, true), 300);
    }

    #[test]
    fn a_stop_of_the_process_counts_as_two_ticks_at_most() {
        let start = Instant::now();
        let mut clock = LeaseClock::new(TICK, start);
        assert_eq!(clock.tick(start + Duration::from_secs(60), true), 200);
        assert!(clock.read_ms(start + Duration::from_secs(120)) <= 401);
    }

    #[test]
    fn stands_still_while_not_counting() {
        let start = Instant::now();
        let mut clock = LeaseClock::new(TICK, start);
        assert_eq!(clock.tick(start + TICK, false), 0);
        assert_eq!(clock.tick(start + TICK * 2, true), 100);
    }
}
