//! What a node counts while it runs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use super::histogram::Histogram;
use super::http::Http;
use crate::trace::Traces;

#[derive(Debug)]
pub struct Metrics {
    /// Times that this node learned who leads, and in which term.
    pub leader_changes: Counter,
    pub proposals: Proposals,
    pub applied: Applied,
    pub replicated: Replicated,
    pub pages: Pages,
    pub http: Http,
    /// Where what is timed of single requests goes.
    pub traces: Traces,
    /// From handing something to the log to having it on disk.
    pub log_sync_seconds: Histogram,
    round_trip_seconds: Mutex<BTreeMap<u64, Histogram>>,
}

/// What is on its way into the log.
#[derive(Debug)]
pub struct Proposals {
    pub pending: Gauge,
    pub failed: FailedProposals,
    /// Commands of a batch that leaves.
    pub batch_commands: Histogram,
    /// At the leader: from proposing a batch to its being applied.
    pub commit_seconds: Histogram,
    /// At a follower: from sending a batch to the leader to its being applied here.
    pub forward_seconds: Histogram,
}

/// By reason.
#[derive(Debug, Default)]
pub struct FailedProposals {
    pub overloaded: Counter,
    pub not_leader: Counter,
    pub no_quorum: Counter,
    pub unknown: Counter,
    pub stopped: Counter,
}

/// Commands that did what they were to do, counted where they are applied: at every node.
#[derive(Debug, Default)]
pub struct Applied {
    pub renewals: Counter,
    pub registrations: Counter,
    pub cancellations: Counter,
    pub expirations: Counter,
}

/// Items of batches that Eureka servers and imports sent to this node, by what became of them.
#[derive(Debug, Default)]
pub struct Replicated {
    pub done: Counter,
    pub not_found: Counter,
    pub conflict: Counter,
    /// Those that make no sense.
    pub refused: Counter,
    /// Those that are not known to be written: their batch was answered 503.
    pub unavailable: Counter,
}

/// The pages that are kept once they are made.
#[derive(Debug, Default)]
pub struct Pages {
    pub apps: PageReads,
    pub delta: PageReads,
    pub app: PageReads,
}

#[derive(Debug, Default)]
pub struct PageReads {
    hits: Counter,
    misses: Counter,
}

/// Counts as one of a gauge for as long as it is there.
#[derive(Debug)]
pub struct Held(Gauge);

impl Metrics {
    pub fn with_traces(traces: Traces) -> Self {
        Self { traces, ..Self::default() }
    }

    /// Of the calls to one peer, for whoever makes them.
    pub fn round_trip_seconds(&self, peer: u64) -> Histogram {
        let mut peers = self.round_trip_seconds.lock().unwrap_or_else(PoisonError::into_inner);
        peers.entry(peer).or_insert_with(Histogram::of_seconds).clone()
    }

    pub(super) fn round_trips(&self) -> BTreeMap<u64, Histogram> {
        self.round_trip_seconds.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            leader_changes: Counter::default(),
            proposals: Proposals::default(),
            applied: Applied::default(),
            replicated: Replicated::default(),
            pages: Pages::default(),
            http: Http::default(),
            traces: Traces::default(),
            log_sync_seconds: Histogram::of_seconds(),
            round_trip_seconds: Mutex::default(),
        }
    }
}

impl Default for Proposals {
    fn default() -> Self {
        Self {
            pending: Gauge::default(),
            failed: FailedProposals::default(),
            batch_commands: Histogram::of_sizes(),
            commit_seconds: Histogram::of_seconds(),
            forward_seconds: Histogram::of_seconds(),
        }
    }
}

impl PageReads {
    /// Counts a read of a page that was made already, or not.
    pub fn read(&self, was_made: bool) {
        if was_made {
            self.hits.inc()
        } else {
            self.misses.inc()
        };
    }

    pub(super) fn hits(&self) -> &Counter {
        &self.hits
    }

    pub(super) fn misses(&self) -> &Counter {
        &self.misses
    }
}

impl Held {
    pub fn of(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_counts_what_is_held() {
        let gauge = Gauge::default();
        let (one, two) = (Held::of(&gauge), Held::of(&gauge));
        assert_eq!(gauge.get(), 2);
        drop((one, two));
        assert_eq!(gauge.get(), 0);
    }

    #[test]
    fn a_peer_has_one_histogram_whoever_calls_it() {
        let metrics = Metrics::default();
        metrics.round_trip_seconds(2).observe(std::time::Duration::from_millis(1));
        metrics.round_trip_seconds(2).observe(std::time::Duration::from_millis(1));
        metrics.round_trip_seconds(3).observe(std::time::Duration::from_millis(1));
        let counts: Vec<u64> = metrics.round_trips().values().map(Histogram::count).collect();
        assert_eq!(counts, [2, 1]);
    }
}
