//! What nodes tell of the Eureka servers that they replicate to, and count of what such servers send.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::harness::{Cluster, Document, Request, Samples, done, until};

/// Nobody answers there.
const AWAY: &str = "http://127.0.0.1:1/eureka";

fn told(addr: SocketAddr) -> Vec<Value> {
    let cluster = Request::get("/api/cluster").expect(addr).value();
    cluster["eureka_peers"].as_array().expect("a list").clone()
}

fn batch(items: Value) -> Request {
    Request::post("/eureka/peerreplication/batch/").json(json!({"replicationList": items}).to_string())
}

#[test]
fn the_leader_tells_how_each_eureka_server_is() {
    let server = Cluster::start(1);
    let url = format!("http://{}/eureka", server.addrs()[0]);
    let mut cluster = Cluster::start_with(3, &["--eureka-peer", &format!("{url},{AWAY}")]);
    let (leader, follower) = (cluster.leader(), cluster.follower());
    let addrs = cluster.addrs();
    assert_eq!(Document::new("TOLD", "t-1").register().expect(addrs[follower]).status, 204);

    let [reached, away] = until("one server is told, and the other cannot be", || {
        let [reached, away]: [Value; 2] = told(addrs[leader]).try_into().expect("two servers");
        let is_so = reached["items"] == 1 && reached["queue"] == 0 && away["reachable"] == false;
        if is_so { Ok([reached, away]) } else { Err(format!("{reached} {away}")) }
    });
    assert_eq!((&reached["url"], &reached["reachable"]), (&json!(url), &json!(true)));
    assert_eq!((&reached["last_error"], &reached["lag_ms"]), (&Value::Null, &json!(0)));
    assert_eq!((&away["url"], &away["queue"], &away["items"]), (&json!(AWAY), &json!(1), &json!(0)));
    assert!(away["last_error"].as_str().is_some_and(|error| error.contains("127.0.0.1:1")), "{away}");
    assert!(away["last_error_age_ms"].is_u64() && away["failed"].as_u64() > Some(0), "{away}");
    for elsewhere in told(addrs[follower]) {
        assert_eq!(
            (&elsewhere["told_from_here"], &elsewhere["reachable"]),
            (&json!(false), &Value::Null),
            "{elsewhere}"
        );
    }

    let figure = |samples: &Samples, name: &str, url: &str| {
        samples.value(&format!("rs_registry_eureka_peer_{name}{{url=\"{url}\"}}"))
    };
    let leads = Samples::of(addrs[leader]);
    assert_eq!(figure(&leads, "reachable", &url), 1.0);
    assert_eq!(figure(&leads, "items_total", &url), 1.0);
    assert_eq!(figure(&leads, "reachable", AWAY), 0.0);
    assert_eq!(figure(&leads, "queue", AWAY), 1.0);
    assert!(figure(&leads, "lag_seconds", AWAY) > 0.0, "{leads:#?}");
    let follows = Samples::of(addrs[follower]);
    assert_eq!(figure(&follows, "told_from_here", &url), 0.0);
    assert_eq!(follows.sum("rs_registry_eureka_peer_reachable"), 0.0);
    assert_eq!(
        Samples::of(server.addrs()[0]).value("rs_registry_replicated_items_total{result=\"done\"}"),
        1.0
    );
}

#[test]
fn cluster_status_has_a_line_for_each_eureka_server() {
    let mut cluster = Cluster::start_with(2, &["--eureka-peer", AWAY]);
    let (leader, follower) = (cluster.leader(), cluster.follower());
    assert_eq!(Document::new("TOLD", "t-1").register().expect(cluster.addrs()[follower]).status, 204);
    let urls = format!("http://{}", cluster.addrs()[follower]);
    until("the status of a follower has what the leader knows", || {
        let status = done(&["cluster", "status", "--urls", &urls]);
        let is_there = status.lines().any(|line| line.starts_with(&format!("  {AWAY}  unreachable  1 ")));
        if is_there { Ok(()) } else { Err(status) }
    });
    cluster.nodes[leader].kill();
    let alone = done(&["cluster", "status", "--urls", &urls]);
    assert!(alone.contains(&format!("  {AWAY}  not known  -")), "{alone}");
    assert!(
        alone.contains("only the leader knows how far each node is, and how Eureka servers are"),
        "{alone}"
    );
}

#[test]
fn what_becomes_of_items_of_eureka_servers_is_counted() {
    let mut cluster = Cluster::start(2);
    let leader = cluster.leader();
    let addr = cluster.addrs()[leader];
    let count = |result: &str| {
        Samples::of(addr).value(&format!("rs_registry_replicated_items_total{{result=\"{result}\"}}"))
    };
    let renewal = |id: &str, last_dirty_ms: i64| {
        json!({
            "action": "Heartbeat", "appName": "SENT", "id": id, "lastDirtyTimestamp": last_dirty_ms,
        })
    };
    let newer = Document::new("SENT", "s-1").set("lastDirtyTimestamp", "2000000000000".into());
    assert_eq!(newer.register().expect(addr).status, 204);
    let items = json!([
        renewal("s-1", 2_000_000_000_000),
        renewal("s-1", 1_000_000_000_000),
        renewal("nobody", 1),
        {"action": "Register", "appName": "SENT", "id": "s-2"},
    ]);
    assert_eq!(batch(items).expect(addr).status, 200);
    for result in ["done", "conflict", "not_found", "refused"] {
        assert_eq!(count(result), 1.0, "{result}");
    }
    cluster.nodes[1 - leader].kill();
    until("a batch without a quorum is answered 503", || {
        let status = batch(json!([renewal("s-1", 2_000_000_000_000)])).expect(addr).status;
        if status == 503 { Ok(()) } else { Err(status.to_string()) }
    });
    assert_eq!(count("unavailable"), 1.0);
}
