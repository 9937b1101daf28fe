//! The table of metrics names what a node serves, and nothing else.

#[path = "../watching/documented.rs"]
mod documented;

use super::harness::{Cluster, Samples};

use documented::documented;

#[test]
fn every_metric_is_documented_and_nothing_else_is() {
    let cluster = Cluster::start_with(1, &["--eureka-peer", "http://127.0.0.1:1"]);
    let mut served = Samples::of(cluster.addrs()[0]).names().clone();
    let documented = documented();
    // Where there is no limit.
    if documented.contains("process_max_fds") {
        served.insert("process_max_fds".to_owned());
    }
    assert_eq!(served, documented);
}
