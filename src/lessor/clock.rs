//! Time as leases see it: monotonic, and only as long as this node was there to see it pass.

use std::time::Duration;

use tokio::time::Instant;

/// Advances by what passed between two pulses, but never by more than twice what is between them: when
/// this process was stopped, frozen or starved, renewals could not be taken either, and no lease may pay
/// for that.
#[derive(Debug)]
pub struct LeaseClock {
    longest_step: Duration,
    last_pulse: Instant,
    at_last_pulse: Duration,
}

impl LeaseClock {
    /// A clock that is moved on every `pulse`.
    pub fn new(pulse: Duration, now: Instant) -> Self {
        Self { longest_step: pulse * 2, last_pulse: now, at_last_pulse: Duration::ZERO }
    }

    /// Moves on to now; stands still if not `counting`.
    pub fn pulse(&mut self, now: Instant, counting: bool) {
        if counting {
            self.at_last_pulse += self.step(now);
        }
        self.last_pulse = now;
    }

    /// The time of the last pulse in milliseconds.
    pub fn at_last_pulse_ms(&self) -> u64 {
        millis(self.at_last_pulse)
    }

    /// The time in milliseconds, between two pulses.
    pub fn read_ms(&self, now: Instant) -> u64 {
        // Rounded up: a deadline counted from it must not come early.
        millis(self.at_last_pulse + self.step(now)) + 1
    }

    fn step(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_pulse).min(self.longest_step)
    }
}

pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PULSE: Duration = Duration::from_millis(50);

    #[test]
    fn passes_with_the_pulses() {
        let start = Instant::now();
        let mut clock = LeaseClock::new(PULSE, start);
        clock.pulse(start + PULSE, true);
        assert_eq!(clock.at_last_pulse_ms(), 50);
        clock.pulse(start + PULSE * 3, true);
        assert_eq!(clock.at_last_pulse_ms(), 150);
    }

    #[test]
    fn a_stop_of_the_process_counts_as_two_pulses_at_most() {
        let start = Instant::now();
        let mut clock = LeaseClock::new(PULSE, start);
        clock.pulse(start + Duration::from_secs(60), true);
        assert_eq!(clock.at_last_pulse_ms(), 100);
        assert!(clock.read_ms(start + Duration::from_secs(120)) <= 201);
    }

    #[test]
    fn stands_still_while_not_counting() {
        let start = Instant::now();
        let mut clock = LeaseClock::new(PULSE, start);
        clock.pulse(start + PULSE, false);
        assert_eq!(clock.at_last_pulse_ms(), 0);
        clock.pulse(start + PULSE * 2, true);
        assert_eq!(clock.at_last_pulse_ms(), 50);
    }
}
