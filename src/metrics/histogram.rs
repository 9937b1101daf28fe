//! A histogram of atomics. That of prometheus-client takes a lock for each observation, also while it is read.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

const NANOS_PER_SECOND: f64 = 1e9;

/// Upper ends of the buckets in nanoseconds: from a fast disk's sync to where requests are given up.
const SECONDS: [u64; 15] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
];
/// Up to the most commands that a batch has.
const SIZES: [u64; 13] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

/// A handle; clones are the same histogram.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bounds: &'static [u64],
    /// How many of a bound's unit are one of what is told.
    unit: f64,
    /// One for each bound, and one for what is beyond the last.
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    pub fn of_seconds() -> Self {
        Self::new(&SECONDS, NANOS_PER_SECOND)
    }

    pub fn of_sizes() -> Self {
        Self::new(&SIZES, 1.0)
    }

    fn new(bounds: &'static [u64], unit: f64) -> Self {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Inner { bounds, unit, buckets, sum: AtomicU64::new(0) }))
    }

    /// Notes how long something took.
    pub fn observe(&self, took: Duration) {
        self.observe_value(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Notes how large something is.
    pub fn observe_size(&self, size: u64) {
        self.observe_value(size);
    }

    fn observe_value(&self, value: u64) {
        let bucket = self.0.bounds.partition_point(|bound| *bound < value);
        if let Some(bucket) = self.0.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.0.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Of all that was observed: seconds, or sizes.
    pub fn sum(&self) -> f64 {
        self.0.sum.load(Ordering::Relaxed) as f64 / self.0.unit
    }

    pub fn count(&self) -> u64 {
        self.0.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder) -> fmt::Result {
        let Inner { bounds, unit, buckets, .. } = &*self.0;
        let ends = bounds.iter().map(|bound| *bound as f64 / unit).chain([f64::INFINITY]);
        let counts = buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = ends.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(self.sum(), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    fn told(histogram: &Histogram) -> String {
        let mut registry = Registry::default();
        registry.register("h", "Of a test", histogram.clone());
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    #[track_caller]
    fn assert_has(text: &str, line: &str) {
        assert!(text.lines().any(|found| found == line), "{line} in:\n{text}");
    }

    #[test]
    fn durations_are_counted_up_to_each_bound() {
        let histogram = Histogram::of_seconds();
        for micros in [50, 100, 101, 3_000, 60_000_000] {
            histogram.observe(Duration::from_micros(micros));
        }
        let text = told(&histogram);
        assert_has(&text, "h_bucket{le=\"0.0001\"} 2");
        assert_has(&text, "h_bucket{le=\"0.00025\"} 3");
        assert_has(&text, "h_bucket{le=\"0.0025\"} 3");
        assert_has(&text, "h_bucket{le=\"0.005\"} 4");
        assert_has(&text, "h_bucket{le=\"5.0\"} 4");
        assert_has(&text, "h_bucket{le=\"+Inf\"} 5");
        assert_has(&text, "h_count 5");
        assert_has(&text, "h_sum 60.003251");
    }

    #[test]
    fn sizes_are_counted_as_they_are() {
        let histogram = Histogram::of_sizes();
        [1, 64, 65].iter().for_each(|size| histogram.observe_size(*size));
        let text = told(&histogram);
        assert_has(&text, "h_bucket{le=\"1.0\"} 1");
        assert_has(&text, "h_bucket{le=\"64.0\"} 2");
        assert_has(&text, "h_bucket{le=\"128.0\"} 3");
        assert_has(&text, "h_sum 130.0");
    }
}
