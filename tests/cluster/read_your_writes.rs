//! A node that acknowledged a write shows it in its own next read, whoever leads.

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
