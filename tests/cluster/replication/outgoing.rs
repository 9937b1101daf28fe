//! What clients do at any node reaches the Eureka servers of the setting `eureka_peer`, from one node alone.

use serde_json::{Value, json};

use super::eureka_server::{EurekaServer, answers};
use super::{batch, item};
use crate::harness::{Cluster, Document, Request, until};

const DIRTY_MS: i64 = 1_700_000_000_000;

fn peers_of(server: &EurekaServer) -> Cluster {
    // The next leader would tell some of it again; on a busy machine there is not to be one for nothing.
    let patient = ["--election-timeout-min-ms", "1000", "--election-timeout-max-ms", "2000"];
    Cluster::start_with(3, &[&["--eureka-peer", &server.url()][..], &patient[..]].concat())
}

fn document(id: &str) -> Document {
    Document::new("APP", id).set("lastDirtyTimestamp", DIRTY_MS.to_string().into())
}

fn sent(request: &Request, addr: std::net::SocketAddr) -> u16 {
    request.expect(addr).status
}

/// Waits until every node remembers that the server was told of an instance as it is now.
fn until_remembered(cluster: &Cluster, id: &str) {
    let read = document(id).read().expect(cluster.addrs()[0]).value();
    let updated = read["instance"]["lastUpdatedTimestamp"].as_str().and_then(|ms| ms.parse::<i64>().ok());
    // More may come in the same millisecond.
    let wanted = updated.expect("a time") - 1;
    until("the cluster remembers how far the server is", || {
        for addr in cluster.addrs() {
            let told =
                Request::get("/api/cluster").expect(addr).value()["eureka_peers"][0]["told_up_to_ms"].clone();
            if told.as_i64().is_none_or(|told| told < wanted) {
                return Err(format!("{told} at {addr}, not {wanted}"));
            }
        }
        Ok(())
    });
}

#[test]
fn what_clients_do_at_any_node_is_told_once_and_in_order() {
    let server = EurekaServer::start();
    let cluster = peers_of(&server);
    let addrs = cluster.addrs();
    let document = document("i-1");
    let status = format!("{}/status", document.path());
    let mut told = Vec::new();
    for (turn, (request, action)) in [
        (document.register(), "Register"),
        (document.renew(), "Heartbeat"),
        (Request::put(&format!("{status}?value=OUT_OF_SERVICE")), "StatusUpdate"),
        (document.renew(), "Heartbeat"),
        (Request::put(&format!("{}/metadata?zone=a", document.path())), "Register"),
        (Request::delete(&format!("{status}?value=UP")), "DeleteStatusOverride"),
        (document.cancel(), "Cancel"),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(matches!(sent(&request, addrs[turn % addrs.len()]), 200 | 204), "{action}");
        told.push(action);
        server.until_told("i-1", &told);
    }

    let told = server.told_of("i-1");
    let register = &told[0];
    assert_eq!(register["appName"], "APP");
    assert_eq!(register["lastDirtyTimestamp"], DIRTY_MS);
    assert_eq!(register["status"], "UP");
    assert_eq!(register["instanceInfo"]["instanceId"], "i-1");
    assert_eq!(register["instanceInfo"]["lastDirtyTimestamp"], DIRTY_MS.to_string());
    assert_eq!((&told[2]["status"], &told[2]["overriddenStatus"]), (&json!("OUT_OF_SERVICE"), &Value::Null));
    assert_eq!(told[3]["overriddenStatus"], "OUT_OF_SERVICE");
    assert_eq!(told[4]["instanceInfo"]["metadata"]["zone"], "a");
    assert_eq!(told[4]["instanceInfo"]["overriddenStatus"], "OUT_OF_SERVICE");
    assert_eq!(told[5]["status"], "UP");
    let members: Vec<&str> = told[6].as_object().expect("an item").keys().map(String::as_str).collect();
    assert_eq!(members, ["action", "appName", "id"], "nothing that is null is sent");
}

#[test]
fn what_a_eureka_server_replicated_or_somebody_imported_is_not_passed_on() {
    let server = EurekaServer::start();
    let cluster = peers_of(&server);
    let addrs = cluster.addrs();
    let register = |id: &str| {
        let document: Value = serde_json::from_str(&document(id).json()).expect("JSON");
        let mut register = item("Register", id);
        register["instanceInfo"] = document["instance"].clone();
        register
    };
    let replicated = [register("theirs"), item("Heartbeat", "theirs"), item("StatusUpdate", "theirs")];
    assert_eq!(sent(&batch(&replicated), addrs[1]), 200);
    let imported =
        batch(&[register("copied"), item("Heartbeat", "copied")]).header("X-Registry-Import", "true");
    assert_eq!(sent(&imported, addrs[2]), 200);
    let single = document("single").register().header("x-netflix-discovery-replication", "true");
    assert_eq!(sent(&single, addrs[0]), 204);
    // What is told later would come after them.
    assert_eq!(sent(&document("ours").register(), addrs[0]), 204);
    server.until_told("ours", &["Register"]);
    for id in ["theirs", "copied", "single"] {
        assert_eq!(document(id).read().expect(addrs[0]).status, 200, "{id}");
        server.until_told(id, &[]);
    }
}

#[test]
fn the_next_leader_goes_on_where_the_last_one_stopped() {
    let server = EurekaServer::start();
    let mut cluster = peers_of(&server);
    let addrs = cluster.addrs();
    for id in ["changes", "goes", "stays"] {
        assert_eq!(sent(&document(id).register(), addrs[0]), 204);
        server.until_told(id, &["Register"]);
    }
    until_remembered(&cluster, "stays");
    server.be_busy();
    let leader = cluster.leader();
    let put = Request::put(&format!("{}/status?value=DOWN", document("changes").path()));
    assert_eq!(sent(&put, addrs[leader]), 200);
    assert_eq!(sent(&document("goes").cancel(), addrs[leader]), 200);
    assert_eq!(sent(&document("comes").register(), addrs[leader]), 204);
    // Of what it has applied before it leads, the next leader does not know what exactly was done.
    until("all nodes have applied that", || {
        let missing = addrs.iter().find(|addr| document("comes").read().expect(**addr).status != 200);
        missing.map_or(Ok(()), |addr| Err(format!("not the one at {addr}")))
    });
    cluster.nodes[leader].kill();
    let next = cluster.leader();
    server.take_all();
    assert_eq!(sent(&document("stays").renew(), addrs[next]), 200);
    server.until_told("comes", &["DeleteStatusOverride", "Register"]);
    server.until_told("goes", &["Register", "Cancel"]);
    server.until_told("changes", &["Register", "StatusUpdate", "Register"]);
    // The last change may be told twice, for more could have come in its millisecond; a registration renews, too.
    until("the renewal is told", || match &server.actions_of("stays")[1..] {
        [.., last] if last == "Heartbeat" || last == "Register" => Ok(()),
        told => Err(format!("{told:?}")),
    });
}

#[test]
fn what_was_not_told_when_all_nodes_lost_power_is_told_after_their_restart() {
    let server = EurekaServer::start();
    let mut cluster = peers_of(&server);
    let addrs = cluster.addrs();
    assert_eq!(sent(&document("goes").register(), addrs[0]), 204);
    server.until_told("goes", &["Register"]);
    until_remembered(&cluster, "goes");
    server.be_busy();
    assert_eq!(sent(&document("comes").register(), addrs[1]), 204);
    assert_eq!(sent(&document("goes").cancel(), addrs[2]), 200);
    cluster.nodes.iter_mut().for_each(|node| node.kill());
    server.take_all();
    cluster.nodes.iter_mut().for_each(|node| node.start());
    until("the server is told of both", || {
        let (comes, goes) = (server.actions_of("comes"), server.actions_of("goes"));
        let is_told = comes.last().is_some_and(|last| last == "Register")
            && goes.last().is_some_and(|last| last == "Cancel");
        if is_told { Ok(()) } else { Err(format!("{comes:?} {goes:?}")) }
    });
}

#[test]
fn a_server_that_does_not_know_an_instance_is_told_all_of_it() {
    let server = EurekaServer::start();
    let cluster = peers_of(&server);
    let addrs = cluster.addrs();
    assert_eq!(sent(&document("i-1").register(), addrs[0]), 204);
    server.until_told("i-1", &["Register"]);
    server.answer(|items| {
        answers(items, |item| json!({"statusCode": if item["action"] == "Register" { 200 } else { 404 }}))
    });
    assert_eq!(sent(&document("i-1").renew(), addrs[1]), 200);
    server.until_told("i-1", &["Register", "Heartbeat", "Register"]);
}

#[test]
fn what_a_server_knows_better_is_taken_from_it() {
    let server = EurekaServer::start();
    let cluster = peers_of(&server);
    let addrs = cluster.addrs();
    assert_eq!(sent(&document("i-1").register(), addrs[0]), 204);
    server.until_told("i-1", &["Register"]);
    let newer = document("i-1")
        .set("lastDirtyTimestamp", (DIRTY_MS + 1).to_string().into())
        .set("hostName", "moved.local".into())
        .set("overriddenStatus", "OUT_OF_SERVICE".into());
    let newer: Value = serde_json::from_str(&newer.json()).expect("JSON");
    server.answer(move |items| {
        answers(items, |_| json!({"statusCode": 409, "responseEntity": newer["instance"]}))
    });
    assert_eq!(sent(&document("i-1").renew(), addrs[1]), 200);
    until("every node has what the server knows", || {
        for addr in &addrs {
            let read = document("i-1").read().expect(*addr).value();
            let instance = &read["instance"];
            if instance["hostName"] != "moved.local" || instance["status"] != "OUT_OF_SERVICE" {
                return Err(instance.to_string());
            }
        }
        Ok(())
    });
}

#[test]
fn what_a_server_cannot_read_keeps_nothing_else_from_it() {
    let server = EurekaServer::start();
    let cluster = peers_of(&server);
    let addr = cluster.addrs()[0];
    server.answer(|items| match items.iter().any(|item| item["id"] == "spoils") {
        true => (400, Value::Null),
        false => answers(items, |_| json!({"statusCode": 200})),
    });
    let ids: Vec<String> = (0..12).map(|number| format!("i-{number}")).collect();
    let all =
        ids[..6].iter().map(String::as_str).chain(["spoils"]).chain(ids[6..].iter().map(String::as_str));
    all.for_each(|id| assert_eq!(sent(&document(id).register(), addr), 204));
    ids.iter().for_each(|id| server.until_told(id, &["Register"]));
    server.until_told("spoils", &[]);
}
