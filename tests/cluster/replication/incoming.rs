//! What Eureka servers replicate to a cluster, and what is imported into it.

use serde_json::{Value, json};

use super::{batch, item};
use crate::harness::{Cluster, Document, Request, applications};

fn document(id: &str) -> Document {
    Document::new("APP", id).set("lastDirtyTimestamp", "1700000000000".into())
}

fn register(id: &str) -> Value {
    let document: Value = serde_json::from_str(&document(id).json()).expect("JSON");
    let mut register = item("Register", id);
    register["instanceInfo"] = document["instance"].clone();
    register
}

fn codes(request: &Request, addr: std::net::SocketAddr) -> Vec<u64> {
    let response = request.expect(addr);
    assert_eq!(response.status, 200);
    let list = response.value()["responseList"].as_array().expect("a list").clone();
    list.iter().map(|answer| answer["statusCode"].as_u64().expect("a code")).collect()
}

/// Eureka's servers wait 200 ms, far less than clients do.
#[test]
fn without_a_leader_a_eureka_server_is_not_kept_waiting_as_clients_are() {
    let mut cluster =
        Cluster::start_with(3, &["--write-timeout-ms", "60000", "--replication-timeout-ms", "150"]);
    let addrs = cluster.addrs();
    assert_eq!(document("i-1").register().expect(addrs[0]).status, 204);
    cluster.nodes[1].kill();
    cluster.nodes[2].kill();
    // They send a batch again after a 503, and only then.
    let replication = ("x-netflix-discovery-replication", "true");
    for request in [
        batch(&[register("i-2"), item("Heartbeat", "i-1")]),
        document("i-2").register().header(replication.0, replication.1),
        document("i-1").renew().header(replication.0, replication.1),
        document("i-1").cancel().header(replication.0, replication.1),
        Request::put(&format!("{}/status?value=DOWN", document("i-1").path()))
            .header(replication.0, replication.1),
    ] {
        let response = request.expect(addrs[0]);
        assert_eq!((response.status, response.header("Retry-After")), (503, Some("1")), "{}", request.path());
    }
}

#[test]
fn a_batch_that_comes_again_and_to_every_node_has_one_effect() {
    let cluster = Cluster::start(3);
    let addrs = cluster.addrs();
    let mut register = register("i-1");
    register["instanceInfo"]["overriddenStatus"] = json!("OUT_OF_SERVICE");
    let batch = batch(&[register, item("Heartbeat", "i-1")]);
    assert_eq!(codes(&batch, addrs[0]), [200, 200]);
    let before = document("i-1").read().expect(addrs[0]);
    for addr in &addrs {
        assert_eq!(codes(&batch, *addr), [200, 200]);
        assert_eq!(codes(&batch, *addr), [200, 200]);
        let read = document("i-1").read().expect(*addr);
        assert_eq!(read.header("ETag"), before.header("ETag"), "readers see no change");
    }
    let delta = Request::get("/eureka/apps/delta").accept_json().expect(addrs[0]).value();
    let changes = &delta["applications"]["application"][0]["instance"];
    assert_eq!(changes.as_array().map(Vec::len), Some(1), "{delta}");
}

#[test]
fn what_is_imported_yields_to_what_clients_and_eureka_servers_keep() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let import = |items: &[Value]| batch(items).header("X-Registry-Import", "true");
    assert_eq!(document("client").register().expect(addr).status, 204);
    assert_eq!(codes(&batch(&[register("peer")]), addr), [200]);
    for id in ["client", "peer"] {
        let mut newer = register(id);
        newer["instanceInfo"]["lastDirtyTimestamp"] = "1700000000001".into();
        newer["instanceInfo"]["hostName"] = "elsewhere.local".into();
        let all =
            ["Heartbeat", "StatusUpdate", "DeleteStatusOverride", "Cancel"].map(|action| item(action, id));
        let items: Vec<Value> = [newer].into_iter().chain(all).collect();
        assert_eq!(codes(&import(&items), addr), [409; 5], "{id}");
        assert_eq!(document(id).read().expect(addr).value()["instance"]["hostName"], "host.local");
    }
    // What it may do with its own.
    assert_eq!(codes(&import(&[register("copy"), item("Heartbeat", "copy")]), addr), [200, 200]);
    assert_eq!(codes(&import(&[item("Cancel", "copy"), item("Heartbeat", "copy")]), addr), [200, 404]);
    assert_eq!(codes(&import(&[register("copy")]), addr), [200]);
    // Whose client comes is the client's.
    assert_eq!(document("copy").renew().expect(addr).status, 200);
    assert_eq!(codes(&import(&[item("Cancel", "copy")]), addr), [409]);
    assert!(applications(addr).values().any(|instances| instances.contains_key("copy")));
}

#[test]
fn an_import_is_told_what_is_refused() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let mut nameless = register("i-1");
    nameless["instanceInfo"]["hostName"] = "".into();
    nameless["instanceInfo"]["instanceId"] = "".into();
    let mut large = register("i-2");
    large["instanceInfo"]["metadata"] = json!({"long": "x".repeat(70_000)});
    let items = [nameless, large];
    assert_eq!(codes(&batch(&items).header("X-Registry-Import", "true"), addr), [400, 413]);
    // A Eureka server would send it again.
    assert_eq!(codes(&batch(&items), addr), [200, 200]);
    assert!(applications(addr).is_empty());
}
