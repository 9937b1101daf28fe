//! What numbers may be, each by itself and beside others.

use std::ops::RangeInclusive;

use super::{Config, GIB, MIB, Violation};
use crate::eureka::MAX_DOCUMENT_BYTES;

impl Config {
    pub(super) fn check_ranges(&self) -> Result<(), Violation> {
        let ranges: [(&'static str, u64, RangeInclusive<u64>); 21] = [
            ("node_id", self.node_id, 1..=u64::MAX),
            ("heartbeat_interval_ms", self.heartbeat_interval_ms, 10..=10_000),
            ("election_timeout_min_ms", self.election_timeout_min_ms, 30..=60_000),
            ("election_timeout_max_ms", self.election_timeout_max_ms, 31..=120_000),
            ("snapshot_entries", self.snapshot_entries, 100..=100_000_000),
            ("snapshot_log_bytes", self.snapshot_log_bytes, 32 * MIB..=64 * GIB),
            ("snapshot_keep_entries", self.snapshot_keep_entries, 0..=100_000_000),
            ("state_flush_interval_ms", self.state_flush_interval_ms, 10..=600_000),
            ("lease_tick_ms", self.lease_tick_ms, 10..=250),
            ("self_preservation_threshold_percent", self.self_preservation_threshold_percent.into(), 1..=99),
            ("self_preservation_window_ms", self.self_preservation_window_ms, 100..=3_600_000),
            ("self_preservation_longest_hold_ms", self.self_preservation_longest_hold_ms, 1000..=86_400_000),
            ("write_timeout_ms", self.write_timeout_ms, 50..=60_000),
            ("replication_timeout_ms", self.replication_timeout_ms, 10..=60_000),
            ("threads", self.threads as u64, 1..=1024),
            ("max_connections", self.max_connections as u64, 1..=1_000_000),
            ("max_requests_in_flight", self.max_requests_in_flight as u64, 1..=1_000_000),
            ("max_body_bytes", self.max_body_bytes as u64, 1024..=MAX_DOCUMENT_BYTES as u64),
            ("request_header_timeout_ms", self.request_header_timeout_ms, 10..=600_000),
            ("otlp_sample_one_in", self.otlp_sample_one_in, 1..=1_000_000_000),
            ("stop_timeout_ms", self.stop_timeout_ms, 10..=600_000),
        ];
        match ranges.into_iter().find(|(_, value, range)| !range.contains(value)) {
            Some((key, value, range)) => Err(Violation {
                key,
                problem: format!("{value} is not in {} to {}", range.start(), range.end()),
            }),
            None => Ok(()),
        }
    }

    pub(super) fn check_election(&self) -> Result<(), Violation> {
        // It begins a leader's lease, which is longer, and then this after the last heartbeat: with fewer than three
        // heartbeats in that time a single lost packet would start an election.
        let least_ms = self.heartbeat_interval_ms * 3 / 2;
        if self.election_timeout_min_ms < least_ms {
            let problem = format!(
                "{} is below {least_ms}, 1.5 times heartbeat_interval_ms",
                self.election_timeout_min_ms
            );
            return Err(Violation { key: "election_timeout_min_ms", problem });
        }
        if self.election_timeout_max_ms <= self.election_timeout_min_ms {
            let problem = format!(
                "{} is not above election_timeout_min_ms, {}",
                self.election_timeout_max_ms, self.election_timeout_min_ms
            );
            return Err(Violation { key: "election_timeout_max_ms", problem });
        }
        Ok(())
    }
}
