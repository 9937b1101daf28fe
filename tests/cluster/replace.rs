//! A new node takes the place of one whose disk is lost.

use super::harness::{Cluster, Document, Node, NodeSpec, applications, free_addr, until};

/// What node 4 is started with to replace a node of a cluster of three.
fn replacement(cluster: &Cluster, id: u64, replaces: u64) -> NodeSpec {
    let peer = free_addr();
    let others = cluster.nodes.iter().filter(|node| ![id, replaces].contains(&node.spec.id));
    let others = others.map(|node| format!("{}={}", node.spec.id, node.spec.peer));
    let all: Vec<String> = others.chain([format!("{id}={peer}")]).collect();
    NodeSpec {
        id,
        http: free_addr(),
        peer,
        data_dir: cluster.scratch(&format!("replacement-{id}")),
        log_file: cluster.scratch(&format!("replacement-{id}.log")),
        initial_cluster: all.join(","),
        extra_flags: vec!["--replaces".to_owned(), replaces.to_string()],
        ..cluster.nodes[0].spec.clone()
    }
}

fn register(cluster: &Cluster, place: usize, id: &str) {
    let response = Document::new("DEMO", id).register().expect(cluster.nodes[place].spec.http);
    assert_eq!(response.status, 204, "{id}");
}

#[test]
fn a_lost_node_is_replaced_and_its_successor_keeps_the_quorum() {
    let mut cluster = Cluster::start_with(3, &["--snapshot-entries", "100", "--snapshot-keep-entries", "10"]);
    for number in 0..150 {
        register(&cluster, number % 3, &format!("i-{number}"));
    }
    let lost = cluster.leader();
    let lost_id = cluster.nodes[lost].spec.id;
    cluster.nodes[lost].kill();
    let mut new = Node::spawn(replacement(&cluster, 4, lost_id));
    new.wait_ready();
    until("the new node votes and the lost one does not", || {
        let text = super::harness::Request::get("/api/cluster").expect(new.spec.http).value();
        let voters: Vec<u64> = serde_json::from_value(text["voters"].clone()).expect("ids");
        let is_so = voters.contains(&4) && !voters.contains(&lost_id) && voters.len() == 3;
        is_so.then_some(()).ok_or(format!("{text}"))
    });

    // With one of the two old ones gone too, the other and the new one are the quorum.
    cluster.nodes.remove(lost);
    cluster.nodes.push(new);
    cluster.nodes[0].kill();
    cluster.leader();
    register(&cluster, 1, "at-the-old");
    register(&cluster, 2, "at-the-new");
    cluster.nodes[0].start();
    cluster.nodes[0].wait_ready();
    cluster.assert_states_equal();
    let shown = applications(cluster.nodes[2].spec.http);
    assert_eq!(shown["DEMO"].len(), 152);

    // It needs no flag any more, and none is in its way.
    for flags in [Vec::new(), vec!["--replaces".to_owned(), lost_id.to_string()]] {
        cluster.nodes[2].kill();
        cluster.nodes[2].spec.extra_flags = flags;
        cluster.nodes[2].start();
        cluster.nodes[2].wait_ready();
    }
    cluster.assert_states_equal();
}

#[test]
fn a_node_that_answers_is_not_replaced() {
    let mut cluster = Cluster::start(3);
    let new = Node::spawn(replacement(&cluster, 4, 3));
    until("the new node says why it is not taken", || {
        let log = new.log();
        log.contains("node 3 is not lost, it answers").then_some(()).ok_or(log)
    });
    assert_eq!(cluster.settled()[0].nodes.len(), 3);
}
