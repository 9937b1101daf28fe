//! Nodes come and go while the cluster serves, by the command line.

use std::process::Command;

use serde_json::Value;

use super::harness::{Cluster, Document, Node, NodeSpec, Request, applications, free_addr, until};

/// A node that waits to be added.
fn newcomer(cluster: &Cluster, id: u64) -> Node {
    let peer = free_addr();
    let others = cluster.nodes.iter().map(|node| format!("{}={}", node.spec.id, node.spec.peer));
    let all: Vec<String> = others.chain([format!("{id}={peer}")]).collect();
    Node::spawn(NodeSpec {
        id,
        http: free_addr(),
        peer,
        data_dir: cluster.scratch(&format!("newcomer-{id}")),
        log_file: cluster.scratch(&format!("newcomer-{id}.log")),
        initial_cluster: all.join(","),
        extra_flags: vec!["--join".to_owned()],
        ..cluster.nodes[0].spec.clone()
    })
}

/// What `rs-registry cluster` says, to standard output if it is done and else to standard error.
fn cluster_verb(asked: &Node, verb: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_rs-registry"))
        .args(["cluster", "--urls", &format!("http://{}", asked.spec.http)])
        .args(verb)
        .output()
        .expect("the command runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    match output.status.success() {
        true => Ok(text(output.stdout)),
        false => Err(text(output.stderr)),
    }
}

fn register(node: &Node, id: &str) {
    let response = Document::new("DEMO", id).register().expect(node.spec.http);
    assert_eq!(response.status, 204, "{id}");
}

fn members(node: &Node, which: &str) -> Vec<u64> {
    let status = Request::get("/api/cluster").expect(node.spec.http).value();
    serde_json::from_value(status[which].clone()).expect("ids")
}

fn leader_id(node: &Node) -> Option<u64> {
    Request::get("/api/cluster").expect(node.spec.http).value()["leader_id"].as_u64()
}

#[test]
fn a_node_joins_learns_votes_and_the_cluster_goes_on_without_an_old_one() {
    let mut cluster = Cluster::start_with(3, &["--snapshot-entries", "100", "--snapshot-keep-entries", "10"]);
    for number in 0..150 {
        register(&cluster.nodes[number % 3], &format!("i-{number}"));
    }
    let follower = cluster.follower();
    let new = newcomer(&cluster, 4);
    until("the new node listens", || new.log().contains("serving").then_some(()).ok_or(new.log()));
    let member = format!("4={}", new.spec.peer);
    let added = cluster_verb(&cluster.nodes[follower], &["add-learner", &member]).expect("added");
    assert!(added.contains("node 4"), "{added}");
    cluster_verb(&cluster.nodes[follower], &["wait-healthy"]).expect("healthy");
    assert_eq!(members(&cluster.nodes[0], "learners"), [4]);
    until("the learner is ready", || match Request::get("/readyz").expect(new.spec.http).status {
        200 => Ok(()),
        status => Err(status.to_string()),
    });
    assert_eq!(applications(new.spec.http)["DEMO"].len(), 150, "a learner serves reads");
    register(&new, "at-the-learner");

    let table = cluster_verb(&new, &["status"]).expect("a status");
    assert!(table.contains("3 voters (quorum 2), 1 learner"), "{table}");
    cluster_verb(&new, &["promote", "4"]).expect("promoted");
    assert_eq!(members(&cluster.nodes[0], "voters"), [1, 2, 3, 4]);

    let leader = leader_id(&cluster.nodes[follower]).expect("a leader");
    let refused = cluster_verb(&new, &["remove", &leader.to_string()]).expect_err("it leads");
    assert!(refused.contains("transfer-leader"), "{refused}");
    cluster_verb(&new, &["transfer-leader", "4"]).expect("transferred");
    until("node 4 leads", || match leader_id(&new) {
        Some(4) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    cluster_verb(&cluster.nodes[follower], &["remove", &leader.to_string()]).expect("removed");
    let removed = cluster.nodes.iter().position(|node| node.spec.id == leader).expect("a place");
    cluster.nodes[removed].kill();
    cluster.nodes.remove(removed);
    cluster.nodes.push(new);
    assert_eq!(members(&cluster.nodes[0], "voters").len(), 3);
    let healthy = cluster_verb(&cluster.nodes[0], &["wait-healthy"]).expect("healthy");
    assert!(healthy.contains("3 voters"), "{healthy}");
    register(&cluster.nodes[0], "after-all");
    cluster.assert_states_equal();

    // The new node is of the quorum: without one of the old ones the cluster goes on.
    cluster.nodes[0].kill();
    cluster.leader();
    register(&cluster.nodes[2], "with-two-of-three");
}

#[test]
fn what_would_cost_the_quorum_is_refused() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let followers: Vec<usize> = (0..3).filter(|place| *place != leader).collect();
    let ids: Vec<String> = cluster.nodes.iter().map(|node| node.spec.id.to_string()).collect();
    let nobody = cluster_verb(&cluster.nodes[leader], &["add-learner", &format!("4={}", free_addr())]);
    let nobody = nobody.expect_err("nobody is there");
    assert!(nobody.contains("start it with --join first"), "{nobody}");
    let late = cluster_verb(&cluster.nodes[leader], &["add-learner", &format!("1={}", free_addr())]);
    assert!(late.expect_err("id 1 is taken").contains("is a member already"));

    cluster.nodes[followers[0]].kill();
    let missing = format!("node {} has not answered", ids[followers[0]]);
    until("it is told that a node is down", || {
        match cluster_verb(&cluster.nodes[leader], &["wait-healthy", "--timeout-secs", "1"]) {
            Err(reason) if reason.contains(&missing) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    let refused = cluster_verb(&cluster.nodes[followers[1]], &["remove", &ids[followers[1]]]);
    let refused = refused.expect_err("it would be the end of the quorum");
    assert!(refused.contains("1 of 2 voters answering, and a quorum is 2"), "{refused}");
    assert_eq!(members(&cluster.nodes[leader], "voters").len(), 3, "nothing was changed");

    // The one that is down may go: two of two answer then.
    cluster_verb(&cluster.nodes[followers[1]], &["remove", &ids[followers[0]]]).expect("removed");
    assert_eq!(members(&cluster.nodes[leader], "voters").len(), 2);
    register(&cluster.nodes[leader], "a");

    cluster.nodes[followers[1]].kill();
    until("nobody is left to lead", || match cluster_verb(&cluster.nodes[leader], &["transfer-leader"]) {
        Err(reason) if reason.contains("no other voter") || reason.contains("503") => Ok(()),
        other => Err(format!("{other:?}")),
    });
}

#[test]
fn the_members_api_takes_json_and_nothing_that_a_form_can_send() {
    let cluster = Cluster::start(1);
    let addr = cluster.nodes[0].spec.http;
    let post = |path: &str, content_type: Option<&str>, body: &str| {
        let request = Request::post(path).body(body);
        let request = match content_type {
            Some(content_type) => request.header("Content-Type", content_type),
            None => request,
        };
        request.expect(addr)
    };
    let members = "/api/cluster/members";
    assert_eq!(post(members, None, r#"{"node_id":2,"peer_addr":"h:1"}"#).status, 415);
    assert_eq!(post(members, Some("text/plain"), r#"{"node_id":2,"peer_addr":"h:1"}"#).status, 415);
    assert_eq!(post("/api/cluster/transfer-leader", None, "").status, 415);
    for body in [
        "",
        "[]",
        r#"{"node_id":2}"#,
        r#"{"node_id":"x","peer_addr":"h:1"}"#,
        r#"{"node_id":2,"peer_addr":"h"}"#,
    ] {
        let answer = post(members, Some("application/json"), body);
        assert_eq!(answer.status, 400, "{body}");
        let told: Value = answer.value();
        assert!(told["error"].is_string(), "{told}");
    }
    assert_eq!(Request::delete("/api/cluster/members/x").expect(addr).status, 400);
    assert_eq!(Request::delete("/api/cluster/members/1").expect(addr).status, 409, "the only voter");
    assert_eq!(Request::get(members).expect(addr).status, 405);
}
