//! Durations and their percentiles.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Microseconds, to three digits.
#[derive(Debug, Clone)]
pub struct Latency(Histogram<u64>);

impl Default for Latency {
    fn default() -> Self {
        Self(Histogram::new(3).unwrap_or_else(|error| panic!("a histogram of three digits: {error}")))
    }
}

impl Latency {
    pub fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.0.record(micros).unwrap_or_else(|error| panic!("a histogram that grows: {error}"));
    }

    pub fn count(&self) -> u64 {
        self.0.len()
    }

    pub fn max(&self) -> Duration {
        Duration::from_micros(self.0.max())
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |quantile| Duration::from_micros(self.0.value_at_quantile(quantile)).as_secs_f64() * 1e3;
        write!(
            f,
            "p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, max {:.1} ms (n {})",
            ms(0.5),
            ms(0.9),
            ms(0.99),
            ms(1.0),
            self.count()
        )
    }
}
