//! When requests are due, whatever became of those before: the load is that of clients that do not
//! wait for each other.

use std::time::Duration;

use tokio::time::Instant;

/// Moments that come round at the same distance; each is computed from the start, so that no error adds up.
#[derive(Debug, Clone)]
pub struct Schedule {
    start: Instant,
    /// From the start to the first one.
    phase: Duration,
    interval_secs: f64,
    next: u64,
}

impl Schedule {
    /// The share of one of `lanes` in `rate` moments a second, which take turns.
    pub fn share(start: Instant, rate: f64, lane: usize, lanes: usize) -> Self {
        let phase = Duration::from_secs_f64(lane as f64 / rate);
        Self { start, phase, interval_secs: lanes as f64 / rate, next: 0 }
    }

    /// The next moment.
    pub fn due(&self) -> Instant {
        self.start + self.phase + Duration::from_secs_f64(self.next as f64 * self.interval_secs)
    }

    pub fn advance(&mut self) {
        self.next += 1;
    }

    /// How many moments are still to come in this time.
    pub fn left_in(&self, begin: Instant, end: Instant) -> u64 {
        self.number_at(end).saturating_sub(self.next.max(self.number_at(begin)))
    }

    /// The number of the first moment that is not before this one.
    fn number_at(&self, moment: Instant) -> u64 {
        let since_first = moment.saturating_duration_since(self.start + self.phase);
        (since_first.as_secs_f64() / self.interval_secs).ceil() as u64
    }
}

/// What many clients on one connection do, each at the same interval and at a phase of its own.
#[derive(Debug, Clone)]
pub struct Turns {
    start: Instant,
    interval: Duration,
    /// In ascending order, below the interval.
    phases: Vec<Duration>,
    next: usize,
}

impl Turns {
    /// The clients `lane`, `lane + lanes`, … of all, whose phases are spread evenly over the interval. `offset` is a part of
    /// the distance of two phases, so that two kinds of request of one client do not fall together.
    pub fn new(
        start: Instant,
        interval: Duration,
        clients: usize,
        lane: usize,
        lanes: usize,
        offset: f64,
    ) -> Self {
        let phase = |client: usize| interval.mul_f64(((client as f64 + offset) / clients as f64).min(1.0));
        Self { start, interval, phases: (lane..clients).step_by(lanes).map(phase).collect(), next: 0 }
    }

    /// When the next one is due, and whose turn it is, counted within the lane; none without clients.
    pub fn due(&self) -> Option<(Instant, usize)> {
        let client = self.next.checked_rem(self.phases.len())?;
        let round = u32::try_from(self.next / self.phases.len()).ok()?;
        Some((self.start + self.interval * round + self.phases[client], client))
    }

    pub fn advance(&mut self) {
        self.next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::alarm::Alarm;
    use super::super::window::{Halt, Window};
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_over_all_lanes() {
        let window = Window::starting_now(SECOND, 10 * SECOND, Halt::default());
        let mut sent = 0;
        for lane in 0..7 {
            let mut schedule = Schedule::share(window.start, 300.0, lane, 7);
            while schedule.due() < window.end {
                sent += u64::from(window.counts(schedule.due()));
                schedule.advance();
            }
        }
        assert!((2999..=3001).contains(&sent), "{sent}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_late_does_not_shift_what_follows() {
        let window = Window::starting_now(Duration::ZERO, 10 * SECOND, Halt::default());
        let (alarm, mut schedule) = (Alarm::coarse(), Schedule::share(window.start, 10.0, 0, 1));
        let mut waits = Vec::new();
        for answer_ms in [350, 0, 0, 0, 0] {
            assert!(alarm.until(schedule.due(), &window).await);
            tokio::time::sleep(Duration::from_millis(answer_ms)).await;
            waits.push(Instant::now().duration_since(schedule.due()).as_millis());
            schedule.advance();
        }
        // Those that should have been sent meanwhile have waited since they were due.
        assert_eq!(waits, [350, 250, 150, 50, 0]);
        assert_eq!(Instant::now().duration_since(window.start), Duration::from_millis(400));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_counted_within_the_window() {
        let start = Instant::now();
        let schedule = Schedule::share(start, 10.0, 0, 1);
        assert_eq!(schedule.left_in(start, start + SECOND), 10);
        assert_eq!(schedule.left_in(start + SECOND / 2, start + SECOND), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn each_client_has_its_turn_once_in_an_interval() {
        let start = Instant::now();
        let mut all = Vec::new();
        for lane in 0..3 {
            let mut turns = Turns::new(start, 30 * SECOND, 10, lane, 3, 0.0);
            while let Some((due, client)) = turns.due().filter(|(due, _)| *due < start + 60 * SECOND) {
                all.push((due.duration_since(start).as_millis(), lane + 3 * client));
                turns.advance();
            }
        }
        all.sort_unstable();
        let expected: Vec<(u128, usize)> = (0..20).map(|turn| (turn as u128 * 3000, turn % 10)).collect();
        assert_eq!(all, expected);
        let offset = Turns::new(start, 30 * SECOND, 10, 1, 3, 0.5).due();
        assert_eq!(offset, Some((start + Duration::from_millis(4500), 0)));
        assert!(Turns::new(start, SECOND, 2, 5, 8, 0.5).due().is_none());
    }
}
