//! A restart keeps what was registered, to the last timestamp.

use super::harness::{Cluster, Document, Request, applications, until};

#[test]
fn a_single_node_keeps_its_registry_over_kill_and_stop() {
    let mut cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    change_everything(&cluster);
    let before = applications(addr);
    cluster.nodes[0].restart();
    assert_eq!(applications(addr), before, "after kill -9");
    cluster.nodes[0].terminate();
    cluster.nodes[0].start();
    cluster.nodes[0].wait_ready();
    assert_eq!(applications(addr), before, "after SIGTERM");
}

#[test]
fn a_cluster_keeps_its_registry_over_the_restart_of_each_node_and_of_all() {
    let mut cluster = Cluster::start(3);
    change_everything(&cluster);
    cluster.assert_states_equal();
    let before = applications(cluster.addrs()[0]);
    for place in 0..cluster.nodes.len() {
        cluster.nodes[place].restart();
        cluster.assert_states_equal();
        assert_eq!(applications(cluster.addrs()[place]), before, "after the restart of node {}", place + 1);
    }
    cluster.nodes.iter_mut().for_each(|node| node.kill());
    cluster.nodes.iter_mut().for_each(|node| node.start());
    cluster.nodes.iter_mut().for_each(|node| node.wait_ready());
    cluster.assert_states_equal();
    for addr in cluster.addrs() {
        assert_eq!(applications(addr), before, "at {addr} after the restart of all");
    }
}

#[test]
fn nodes_that_start_together_wait_for_no_election_timeout() {
    const SHORTEST_MS: u64 = 10_000;
    let shortest = SHORTEST_MS.to_string();
    let flags = ["--election-timeout-min-ms", &shortest, "--election-timeout-max-ms", "100000"];
    let mut cluster = Cluster::start_with(3, &flags);
    cluster.nodes.iter_mut().for_each(|node| node.kill());
    cluster.nodes.iter_mut().for_each(|node| node.start());
    cluster.nodes.iter_mut().for_each(|node| node.wait_ready());
    let leader = cluster.leader();
    let log = cluster.nodes[leader].log();
    let (_, since_start) = log.rsplit_once("serving").expect("a log of two starts");
    let (_, silence) = since_start.split_once("heard nothing from a leader for ").expect("an election");
    let silence_ms: u64 = silence.split(' ').next().and_then(|ms| ms.parse().ok()).expect("milliseconds");
    assert!(silence_ms < SHORTEST_MS, "{silence_ms}");
}

/// Registers, renews, overrides and cancels, so that each kind of write is in the log.
fn change_everything(cluster: &Cluster) {
    for (number, addr) in cluster.addrs().iter().cycle().take(12).enumerate() {
        let document = Document::new(&format!("RESTART-{}", number % 3), &format!("i-{number}"));
        let changes = [
            (204, document.register()),
            (200, document.renew()),
            (200, Request::put(&format!("{}/metadata?zone=z{number}", document.path()))),
            (200, Request::put(&format!("{}/status?value=OUT_OF_SERVICE", document.path()))),
        ];
        for (status, change) in changes {
            assert_eq!(change.expect(*addr).status, status, "{change:?}");
        }
        if number % 4 == 0 {
            assert_eq!(document.cancel().expect(*addr).status, 200);
        }
    }
}

#[test]
fn the_leader_tells_who_is_gone_and_who_is_back() {
    let mut cluster = Cluster::start(3);
    let (leader, follower) = (cluster.leader(), cluster.follower());
    let told = |cluster: &Cluster, text: &str| {
        until(text, || {
            let log = cluster.nodes[leader].log();
            log.contains(text).then_some(()).ok_or(log)
        });
    };
    cluster.nodes[follower].kill();
    told(&cluster, "a peer cannot be reached");
    cluster.nodes[follower].start();
    told(&cluster, "the peer is reached again");
}
