//! What each setting may be.

use std::path::Path;

use super::*;

pub(super) fn base() -> [(&'static str, &'static str); 5] {
    [
        ("node_id", "2"),
        ("data_dir", "/data"),
        ("http_addr", "127.0.0.1:8762"),
        ("peer_addr", "127.0.0.1:9762"),
        ("initial_cluster", "1=127.0.0.1:9761,2=127.0.0.1:9762"),
    ]
}

pub(super) fn config() -> Config {
    Config::load(&Flags::from_pairs(base()), None, []).expect("a good config")
}

pub(super) fn violation(change: impl FnOnce(&mut Config)) -> (&'static str, String) {
    let mut config = config();
    change(&mut config);
    let violation = config.check().expect_err("a violation");
    (violation.key, violation.problem)
}

#[test]
fn the_node_must_be_in_its_cluster_at_its_own_address() {
    let (key, problem) = violation(|c| c.node_id = 3);
    assert_eq!(key, "initial_cluster");
    assert!(problem.contains("add 3=127.0.0.1:9762"), "{problem}");

    let (key, problem) = violation(|c| c.peer_addr = "127.0.0.1:9999".parse().expect("an address"));
    assert_eq!(key, "initial_cluster");
    assert!(problem.contains("127.0.0.1:9762") && problem.contains("127.0.0.1:9999"), "{problem}");
}

#[test]
fn a_node_that_is_replaced_is_not_there() {
    assert_eq!(violation(|c| c.replaces = Some(1)).0, "replaces");
    let mut config = config();
    config.replaces = Some(3);
    assert_eq!(config.check(), Ok(()));
    config.join = true;
    assert_eq!(config.check().expect_err("two ways to join").key, "join");
}

#[test]
fn clients_and_peers_need_a_port_each() {
    let (key, _) = violation(|c| c.http_addr = "127.0.0.1:9762".parse().expect("an address"));
    assert_eq!(key, "peer_addr");
}

#[test]
fn elections_wait_for_three_heartbeats() {
    let (key, problem) = violation(|c| c.heartbeat_interval_ms = 101);
    assert_eq!(key, "election_timeout_min_ms");
    assert!(problem.contains("below 151"), "{problem}");
    let mut at_the_edge = config();
    at_the_edge.heartbeat_interval_ms = 100;
    assert_eq!(at_the_edge.check(), Ok(()));
    assert_eq!(violation(|c| c.election_timeout_max_ms = 150).0, "election_timeout_max_ms");
}

#[test]
fn each_number_has_a_range() {
    assert_eq!(violation(|c| c.max_connections = 0), ("max_connections", "0 is not in 1 to 1000000".into()));
    assert_eq!(violation(|c| c.lease_tick_ms = 251).0, "lease_tick_ms");
    assert_eq!(violation(|c| c.heartbeat_interval_ms = u64::MAX).0, "heartbeat_interval_ms");
}

#[test]
fn the_cluster_name_is_plain() {
    for name in ["", "two words", "a\nb", &"x".repeat(65)] {
        assert_eq!(violation(|c| c.cluster_name = name.into()).0, "cluster_name", "{name:?}");
    }
}

#[test]
fn a_wildcard_is_not_advertised() {
    let mut config = config();
    assert_eq!(config.advertised_http_addr().as_str(), "127.0.0.1:8762");
    config.http_addr = "0.0.0.0:8762".parse().expect("an address");
    config.peer_addr = "node2.internal:9762".parse().expect("an address");
    assert_eq!(config.advertised_http_addr().as_str(), "node2.internal:8762");
    config.http_advertise = Some("registry.example:80".parse().expect("an address"));
    assert_eq!(config.advertised_http_addr().as_str(), "registry.example:80");
}

#[test]
fn the_format_is_raised_no_further_than_allowed_or_read() {
    let highest = |max_format| {
        let config = Config { max_format, formats: Formats::THIS.and_the_next(), ..config() };
        config.highest_format().number()
    };
    assert_eq!([None, Some(0), Some(1), Some(2), Some(9)].map(highest), [2, 1, 1, 2, 2]);
}

#[test]
fn what_is_installed_with_systemd_fits_the_settings() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/systemd");
    let example = dir.join("node.toml");
    let config = Config::load(&Flags::default(), Some(&example), []).expect("a good example");
    let unit = std::fs::read_to_string(dir.join("rs-registry.service")).expect("the unit");
    let number = |key: &str| -> u64 {
        let value = unit.lines().find_map(|line| line.strip_prefix(key)).expect(key);
        value.trim_end_matches('s').parse().expect(key)
    };
    assert!(number("TimeoutStopSec=") * 1000 > config.stop_timeout_ms, "a stop is cut short");
    assert!(number("LimitNOFILE=") > config.max_connections as u64, "no files left for connections");
}
