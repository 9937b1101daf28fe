//! SIGTERM: a node goes in order, and a leader hands over first.

use super::harness::{Cluster, Document, until};

#[test]
fn a_leader_that_is_asked_to_stop_hands_over_and_exits_with_0() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let document = Document::new("STOP", "i-1");
    assert_eq!(document.register().expect(cluster.addrs()[leader]).status, 204);

    let status = cluster.nodes[leader].terminate();
    assert_eq!(status.code(), Some(0), "{status}");

    let next = cluster.leader();
    assert_ne!(next, leader);
    let addr = cluster.addrs()[next];
    assert_eq!(document.renew().expect(addr).status, 200);

    cluster.nodes[leader].start();
    cluster.nodes[leader].wait_ready();
    cluster.assert_states_equal();
    assert_eq!(document.read().expect(cluster.addrs()[leader]).status, 200);
}

#[test]
fn a_single_node_exits_with_0() {
    let mut cluster = Cluster::start(1);
    let status = cluster.nodes[0].terminate();
    assert_eq!(status.code(), Some(0), "{status}");
}

#[test]
fn a_node_that_stood_still_takes_part_again() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    cluster.nodes[leader].pause();
    let addrs = cluster.addrs();
    let other = addrs[(leader + 1) % addrs.len()];
    let document = Document::new("PAUSE", "i-1");
    until("the others accept writes without the paused leader", || match document.register().send(other) {
        Ok(response) if response.status == 204 => Ok(()),
        Ok(response) => Err(format!("{}", response.status)),
        Err(error) => Err(error.to_string()),
    });
    cluster.nodes[leader].resume();
    cluster.assert_states_equal();
    assert_eq!(document.read().expect(addrs[leader]).status, 200);
}
