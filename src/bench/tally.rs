//! What came of requests: each connection counts by itself, and the counts are added up at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::connection::{Answer, Failure};
use super::window::Window;

#[derive(Debug, Clone)]
pub struct Tally {
    /// Microseconds, to three digits, of what succeeded and began within the window.
    latency: Histogram<u64>,
    /// Successes whose answer came within the window, whenever they began.
    in_time: u64,
    /// Their bodies.
    in_time_bytes: u64,
    /// By what went wrong.
    failures: BTreeMap<String, u64>,
    /// What was due within the window and not sent.
    pub not_sent: u64,
    /// Connections that were made again.
    pub reconnects: u64,
}

const SIGNIFICANT_DIGITS: u8 = 3;

impl Default for Tally {
    fn default() -> Self {
        let latency = Histogram::new(SIGNIFICANT_DIGITS).expect("histograms have up to five digits");
        let (in_time, in_time_bytes, not_sent, reconnects) = (0, 0, 0, 0);
        Self { latency, in_time, in_time_bytes, failures: BTreeMap::new(), not_sent, reconnects }
    }
}

impl Tally {
    /// Counts a request that was due at `began` and has its outcome now.
    pub fn take(&mut self, window: &Window, began: Instant, outcome: &Result<Answer, Failure>) {
        match outcome {
            Ok(answer) => self.succeeded(window, began, Instant::now(), answer.body_bytes),
            Err(failure) if window.counts(began) => self.failed(failure.to_string()),
            Err(_) => {}
        }
    }

    pub fn succeeded(&mut self, window: &Window, began: Instant, ended: Instant, body_bytes: u64) {
        if window.counts(ended) {
            self.in_time += 1;
            self.in_time_bytes += body_bytes;
        }
        if window.counts(began) {
            let micros = ended.saturating_duration_since(began).as_micros();
            let micros = u64::try_from(micros).unwrap_or(u64::MAX);
            // It grows as it needs to, so none is refused.
            let recorded = self.latency.record(micros);
            debug_assert!(recorded.is_ok(), "{recorded:?}");
        }
    }

    pub fn failed(&mut self, what: String) {
        *self.failures.entry(what).or_default() += 1;
    }

    pub fn add(&mut self, other: &Self) {
        // Both grow as they need to.
        let added = self.latency.add(&other.latency);
        debug_assert!(added.is_ok(), "{added:?}");
        self.in_time += other.in_time;
        self.in_time_bytes += other.in_time_bytes;
        for (what, count) in &other.failures {
            *self.failures.entry(what.clone()).or_default() += count;
        }
        self.not_sent += other.not_sent;
        self.reconnects += other.reconnects;
    }

    pub fn count(&self) -> u64 {
        self.latency.len()
    }

    pub fn per_second(&self, duration: Duration) -> f64 {
        self.in_time as f64 / duration.as_secs_f64()
    }

    pub fn bytes_per_second(&self, duration: Duration) -> f64 {
        self.in_time_bytes as f64 / duration.as_secs_f64()
    }

    /// In milliseconds; 0 if there is none.
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e3
    }

    pub fn failures(&self) -> &BTreeMap<String, u64> {
        &self.failures
    }

    pub fn errors(&self) -> u64 {
        self.failures.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::window::Halt;
    use super::*;

    fn window() -> Window {
        Window::starting_now(Duration::from_secs(1), Duration::from_secs(2), Halt::default())
    }

    #[tokio::test(start_paused = true)]
    async fn latency_counts_by_the_beginning_and_the_rate_by_the_end() {
        let (window, mut tally) = (window(), Tally::default());
        let at = |ms| window.start + Duration::from_millis(ms);
        tally.succeeded(&window, at(100), at(900), 10);
        tally.succeeded(&window, at(900), at(1100), 10);
        tally.succeeded(&window, at(1500), at(1600), 10);
        tally.succeeded(&window, at(2900), at(3400), 10);
        assert_eq!(tally.count(), 2);
        assert!((tally.per_second(window.duration()) - 1.0).abs() < 1e-9);
        assert!((tally.bytes_per_second(window.duration()) - 10.0).abs() < 1e-9);
        assert!((tally.quantile_ms(1.0) - 500.0).abs() < 1.0, "{}", tally.quantile_ms(1.0));
    }

    #[tokio::test(start_paused = true)]
    async fn tallies_add_up() {
        let window = window();
        let mut sum = Tally::default();
        for ms in 1..=100 {
            let mut tally = Tally { not_sent: 1, reconnects: 2, ..Tally::default() };
            tally.succeeded(&window, window.begin, window.begin + Duration::from_millis(ms), 0);
            tally.take(&window, window.begin, &Err(Failure::Status(404)));
            tally.take(&window, window.start, &Err(Failure::Closed));
            sum.add(&tally);
        }
        assert_eq!((sum.count(), sum.errors(), sum.not_sent, sum.reconnects), (100, 100, 100, 200));
        assert_eq!(sum.failures().get("answer 404"), Some(&100));
        assert!((sum.quantile_ms(0.5) - 50.0).abs() < 0.1, "{}", sum.quantile_ms(0.5));
        assert!((sum.quantile_ms(0.99) - 99.0).abs() < 0.1, "{}", sum.quantile_ms(0.99));
        assert!(Tally::default().quantile_ms(0.99).abs() < 1e-9);
    }
}
