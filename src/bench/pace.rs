//! When one connection sends: as fast as answers come, or when its requests are due.

use tokio::time::Instant;

use super::alarm::Alarm;
use super::schedule::Schedule;
use super::window::Window;

pub enum Pace {
    /// After each answer.
    Answers,
    Due(Schedule, Alarm),
}

impl Pace {
    /// That of one of `lanes` connections, which have a rate together or none.
    pub fn new(rate: Option<f64>, lane: usize, lanes: usize, window: &Window) -> Self {
        match rate {
            None => Self::Answers,
            Some(rate) => Self::Due(Schedule::share(window.start, rate, lane, lanes), Alarm::fine()),
        }
    }

    /// Waits for the next request's moment, from which on its latency counts; none at the end of the window.
    pub async fn next(&mut self, window: &Window) -> Option<Instant> {
        match self {
            Self::Answers => Some(Instant::now()).filter(|now| !window.is_over(*now)),
            Self::Due(schedule, alarm) => {
                let due = schedule.due();
                if due >= window.end || !alarm.until(due, window).await || window.is_past(Instant::now()) {
                    return None;
                }
                schedule.advance();
                Some(due)
            }
        }
    }

    /// How many requests were due within the window and were not sent, not even a second after it.
    pub fn not_sent(&self, window: &Window) -> u64 {
        match self {
            Self::Answers => 0,
            Self::Due(schedule, _) => schedule.left_in(window.begin, window.end),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::sleep;

    use super::super::window::Halt;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_due_and_not_sent_is_counted() {
        let window = Window::starting_now(Duration::from_secs(1), Duration::from_secs(2), Halt::default());
        let mut pace = Pace::Due(Schedule::share(window.start, 10.0, 0, 1), Alarm::coarse());
        let mut sent = 0;
        // Answers take twice as long as the pace allows for.
        while let Some(due) = pace.next(&window).await {
            sent += u64::from(window.counts(due));
            sleep(Duration::from_millis(200)).await;
        }
        assert_eq!((sent, pace.not_sent(&window)), (10, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_the_next_begins_at_the_answer() {
        let window = Window::starting_now(Duration::ZERO, Duration::from_secs(1), Halt::default());
        let mut pace = Pace::Answers;
        let mut begun = Vec::new();
        while let Some(moment) = pace.next(&window).await {
            begun.push(moment.duration_since(window.start).as_millis());
            sleep(Duration::from_millis(400)).await;
        }
        assert_eq!(begun, [0, 400, 800]);
        assert_eq!(pace.not_sent(&window), 0);
    }
}
