//! A node that acknowledged a write shows it in its own next read, whoever leads.

use serde_json::json;

use super::harness::{Cluster, Document, Request};

const ROUNDS: usize = 300;

#[test]
fn a_follower_shows_what_it_acknowledged() {
    let mut cluster = Cluster::start(3);
    let follower = cluster.follower();
    let addr = cluster.addrs()[follower];
    for round in 0..ROUNDS {
        let document = Document::new("RYW", &format!("i-{round}"));
        assert_eq!(document.register().expect(addr).status, 204, "round {round}");
        assert_eq!(document.read().expect(addr).status, 200, "round {round}");
        let list = Request::get("/eureka/apps/RYW").accept_json().expect(addr).text();
        assert!(list.contains(&format!("\"{}\"", document.id)), "the list in round {round}");
        let down = Request::put(&format!("{}/status?value=DOWN", document.path()));
        assert_eq!(down.expect(addr).status, 200, "round {round}");
        assert_eq!(document.read().expect(addr).value()["instance"]["status"], "DOWN", "round {round}");
        if round % 2 == 0 {
            assert_eq!(document.cancel().expect(addr).status, 200, "round {round}");
            assert_eq!(document.read().expect(addr).status, 404, "round {round}");
        }
    }
    cluster.assert_states_equal();
}

#[test]
fn a_linearizable_read_shows_what_another_node_acknowledged() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let addrs = cluster.addrs();
    for round in 0..ROUNDS / 3 {
        let document = Document::new("LIN", &format!("i-{round}"));
        assert_eq!(document.register().expect(addrs[leader]).status, 204, "round {round}");
        for addr in &addrs {
            let path = format!("{}?consistency=linearizable", document.path());
            let response = Request::get(&path).accept_json().expect(*addr);
            assert_eq!(response.status, 200, "round {round} at {addr}");
        }
    }
}

#[test]
fn every_read_can_be_linearizable() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let addrs = cluster.addrs();
    for round in 0..ROUNDS / 10 {
        let id = format!("i-{round}");
        let document =
            Document::new("EVERY", &id).set("vipAddress", json!(id)).set("secureVipAddress", json!(id));
        assert_eq!(document.register().expect(addrs[leader]).status, 204, "round {round}");
        let overriding = Request::put(&format!("{}/status?value=OUT_OF_SERVICE", document.path()));
        assert_eq!(overriding.expect(addrs[leader]).status, 200, "round {round}");
        let reads = [
            "/eureka/apps".to_owned(),
            "/eureka/apps/delta".to_owned(),
            document.app_path(),
            document.path(),
            format!("/eureka/instances/{id}"),
            format!("/eureka/vips/{id}"),
            format!("/eureka/svips/{id}"),
            "/serverinfo/statusoverrides".to_owned(),
        ];
        for (addr, read) in addrs.iter().flat_map(|addr| reads.iter().map(move |read| (addr, read))) {
            let response =
                Request::get(&format!("{read}?consistency=linearizable")).accept_json().expect(*addr);
            assert_eq!(response.status, 200, "{read} in round {round} at {addr}");
            let text = response.text();
            assert!(text.contains(&format!("\"{id}\"")), "{read} in round {round} at {addr}: {text}");
            assert!(text.contains("OUT_OF_SERVICE"), "{read} in round {round} at {addr}: {text}");
        }
    }
}
