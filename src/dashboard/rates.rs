//! How much of what happens in a second, from what is counted anyway.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

use crate::metrics::{Metrics, Route};

const READS: [Route; 7] = [
    Route::Apps,
    Route::Delta,
    Route::App,
    Route::Instance,
    Route::InstanceById,
    Route::Vip,
    Route::SecureVip,
];

/// Rates that are kept for whoever begins to look.
const KEPT: usize = 120;

/// What was counted since the start.
#[derive(Debug, Clone, Copy)]
pub struct Totals {
    renewals: u64,
    registrations: u64,
    cancellations: u64,
    expirations: u64,
    reads: u64,
    commits: u64,
    commit_seconds: f64,
}

/// Of one span of time, in a second. Reads and commits are this node's; what is applied, the cluster's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rates {
    renewals: f64,
    registrations: f64,
    cancellations: f64,
    expirations: f64,
    reads: f64,
    /// Mean time from sending a batch on its way to its being applied; `None` if there was none.
    commit_ms: Option<f64>,
}

/// The last rates, oldest first.
#[derive(Debug, Default)]
pub struct Series(VecDeque<Rates>);

impl Totals {
    pub fn of(metrics: &Metrics) -> Self {
        let (applied, proposals) = (&metrics.applied, &metrics.proposals);
        let (led, forwarded) = (&proposals.commit_seconds, &proposals.forward_seconds);
        Self {
            renewals: applied.renewals.get(),
            registrations: applied.registrations.get(),
            cancellations: applied.cancellations.get(),
            expirations: applied.expirations.get(),
            reads: metrics.http.count_of(&READS),
            commits: led.count() + forwarded.count(),
            commit_seconds: led.sum() + forwarded.sum(),
        }
    }
}

impl Rates {
    pub fn between(former: &Totals, new: &Totals, passed: Duration) -> Self {
        let seconds = passed.as_secs_f64().max(f64::EPSILON);
        let rate = |former: u64, new: u64| rounded(new.saturating_sub(former) as f64 / seconds);
        let commits = new.commits.saturating_sub(former.commits);
        let took_ms = (new.commit_seconds - former.commit_seconds).max(0.0) * 1000.0;
        Self {
            renewals: rate(former.renewals, new.renewals),
            registrations: rate(former.registrations, new.registrations),
            cancellations: rate(former.cancellations, new.cancellations),
            expirations: rate(former.expirations, new.expirations),
            reads: rate(former.reads, new.reads),
            commit_ms: (commits > 0).then(|| rounded(took_ms / commits as f64)),
        }
    }
}

/// More digits mean nothing, and are sent every second.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

impl Series {
    pub fn add(&mut self, rates: Rates) {
        self.0.push_back(rates);
        while self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    pub fn to_vec(&self) -> Vec<Rates> {
        self.0.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_a_second() {
        let metrics = Metrics::default();
        let former = Totals::of(&metrics);
        metrics.applied.renewals.inc_by(10);
        metrics.http.answered(Route::Apps, 200, Duration::ZERO);
        metrics.http.answered(Route::Metrics, 200, Duration::ZERO);
        metrics.proposals.commit_seconds.observe(Duration::from_millis(2));
        metrics.proposals.forward_seconds.observe(Duration::from_millis(4));
        let rates = Rates::between(&former, &Totals::of(&metrics), Duration::from_secs(2));
        assert_eq!((rates.renewals, rates.reads, rates.registrations), (5.0, 0.5, 0.0));
        assert_eq!(rates.commit_ms, Some(3.0));
        let still = Rates::between(&Totals::of(&metrics), &Totals::of(&metrics), Duration::from_secs(1));
        assert_eq!(still.commit_ms, None);
    }

    #[test]
    fn the_last_rates_are_kept() {
        let (totals, mut series) = (Totals::of(&Metrics::default()), Series::default());
        for _ in 0..KEPT + 5 {
            series.add(Rates::between(&totals, &totals, Duration::from_secs(1)));
        }
        assert_eq!(series.to_vec().len(), KEPT);
    }
}
