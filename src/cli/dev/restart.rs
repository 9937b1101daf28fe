//! When a node that dies again and again is left alone.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The pause between the death of a node and its next start.
pub const RESTART_DELAY: Duration = Duration::from_secs(1);
/// With this many deaths within [`DEATHS_WINDOW`] a node is not started again.
pub const DEATHS_MAX: usize = 5;
pub const DEATHS_WINDOW: Duration = Duration::from_secs(30);

/// The latest deaths of one node.
#[derive(Debug, Default)]
pub struct Deaths {
    times: VecDeque<Instant>,
}

impl Deaths {
    /// Notes a death at `now`, and answers whether the node may be started again.
    pub fn note(&mut self, now: Instant) -> bool {
        self.times.push_back(now);
        while self.times.front().is_some_and(|first| now.duration_since(*first) > DEATHS_WINDOW) {
            self.times.pop_front();
        }
        self.times.len() < DEATHS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_death_in_half_a_minute_is_the_last() {
        let mut deaths = Deaths::default();
        let start = Instant::now();
        let restarts: Vec<bool> = (0..5).map(|n| deaths.note(start + n * Duration::from_secs(7))).collect();
        assert_eq!(restarts, [true, true, true, true, false]);
    }

    #[test]
    fn deaths_further_apart_do_not_count() {
        let mut deaths = Deaths::default();
        let start = Instant::now();
        assert!((0..50).all(|n| deaths.note(start + n * Duration::from_secs(8))));
        assert!(deaths.times.len() < DEATHS_MAX, "the list does not grow");
    }
}
