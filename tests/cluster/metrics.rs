//! What a cluster does shows in the metrics of its nodes.

use std::net::SocketAddr;

use super::harness::{Cluster, Document, Request, Samples, until};

fn get(path: &str, addr: SocketAddr) -> u16 {
    Request::get(path).accept_json().expect(addr).status
}

/// Waits until a node tells what is wanted.
fn until_told(addr: SocketAddr, what: &str, is_wanted: impl Fn(&Samples) -> bool) -> Samples {
    until(what, || {
        let samples = Samples::of(addr);
        if is_wanted(&samples) { Ok(samples) } else { Err(format!("{samples:#?}")) }
    })
}

#[test]
fn every_node_counts_what_the_cluster_applies() {
    let cluster = Cluster::start_with(3, &["--self-preservation", "false"]);
    let addrs = cluster.addrs();
    let documents = ["a", "b", "c"].map(|id| Document::new("COUNTED", id));
    for (document, addr) in documents.iter().zip(&addrs) {
        assert_eq!(document.register().expect(*addr).status, 204);
        assert_eq!(document.renew().expect(*addr).status, 200);
        assert_eq!(document.renew().expect(*addr).status, 200);
    }
    assert_eq!(Document::new("COUNTED", "nobody").renew().expect(addrs[0]).status, 404);
    let out_of_service = format!("{}/status?value=OUT_OF_SERVICE", documents[1].path());
    assert_eq!(Request::put(&out_of_service).expect(addrs[1]).status, 200);
    assert_eq!(documents[2].cancel().expect(addrs[2]).status, 200);
    assert_eq!(Document::new("COUNTED", "brief").lease_secs(1).register().expect(addrs[0]).status, 204);

    for addr in addrs {
        let told = until_told(addr, "the lease of a second has run out", |told| {
            told.value("rs_registry_expirations_total") == 1.0
        });
        assert_eq!(told.value("rs_registry_registrations_total"), 4.0);
        assert_eq!(told.value("rs_registry_renewals_total"), 6.0);
        assert_eq!(told.value("rs_registry_cancellations_total"), 1.0);
        assert_eq!(told.value("rs_registry_instances{status=\"UP\"}"), 1.0);
        assert_eq!(told.value("rs_registry_instances{status=\"OUT_OF_SERVICE\"}"), 1.0);
        assert_eq!(told.sum("rs_registry_instances"), 2.0);
        // One entry for each of the instances that there were.
        assert_eq!(told.value("rs_registry_delta_entries"), 4.0);
        assert_eq!(told.value("rs_registry_ready"), 1.0);
    }
}

#[test]
fn batches_syncs_and_heartbeats_are_timed_where_they_happen() {
    let mut cluster = Cluster::start(3);
    let addrs = cluster.addrs();
    let (leader, follower) = (cluster.leader(), cluster.follower());
    let document = Document::new("TIMED", "i-1");
    assert_eq!(document.register().expect(addrs[leader]).status, 204);
    assert_eq!(document.renew().expect(addrs[follower]).status, 200);

    let heartbeats: Vec<String> = (1..=3)
        .filter(|id| *id != leader + 1)
        .map(|peer| format!("rs_registry_peer_round_trip_seconds_count{{peer=\"{peer}\"}}"))
        .collect();
    let leads = until_told(addrs[leader], "both peers have answered heartbeats", |told| {
        heartbeats.iter().all(|peer| told.value(peer) > 0.0)
    });
    assert!(leads.value("rs_registry_commit_seconds_count") >= 2.0, "{leads:#?}");
    assert_eq!(leads.value("rs_registry_forward_seconds_count"), 0.0);
    assert!(leads.value("rs_registry_batch_commands_sum") >= 2.0, "{leads:#?}");
    let follows = Samples::of(addrs[follower]);
    assert_eq!(follows.value("rs_registry_commit_seconds_count"), 0.0);
    assert_eq!(follows.value("rs_registry_forward_seconds_count"), 1.0);
    assert_eq!(follows.value("rs_registry_batch_commands_count"), 1.0);
    for told in [leads, follows] {
        assert!(told.value("rs_registry_log_sync_seconds_count") >= 2.0, "{told:#?}");
        assert!(told.value("rs_registry_log_sync_seconds_sum") > 0.0, "{told:#?}");
        assert_eq!(told.value("rs_registry_proposals_pending"), 0.0);
    }
}

#[test]
fn requests_and_pages_are_counted_at_the_node_that_was_asked() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let document = Document::new("READ", "i-1");
    let before = Samples::of(addr);
    assert_eq!(document.register().expect(addr).status, 204);
    for path in ["/eureka/apps", "/eureka/apps/delta", "/eureka/apps/READ"] {
        for _ in 0..3 {
            assert_eq!(get(path, addr), 200, "{path}");
        }
    }
    assert_eq!(get("/eureka/apps/READ/nobody", addr), 404);
    assert_eq!(Request::post("/metrics").expect(addr).status, 405);

    let told = Samples::of(addr);
    for page in ["apps", "delta", "app"] {
        assert_eq!(told.value(&format!("rs_registry_page_cache_misses_total{{page=\"{page}\"}}")), 1.0);
        assert_eq!(told.value(&format!("rs_registry_page_cache_hits_total{{page=\"{page}\"}}")), 2.0);
        let answered = format!("rs_registry_http_requests_total{{route=\"{page}\",status=\"200\"}}");
        assert_eq!(told.value(&answered), 3.0);
        assert_eq!(told.value(&format!("rs_registry_http_request_seconds_count{{route=\"{page}\"}}")), 3.0);
    }
    let answered = |route, status| {
        told.value(&format!("rs_registry_http_requests_total{{route=\"{route}\",status=\"{status}\"}}"))
    };
    assert_eq!(answered("register", 204), 1.0);
    assert_eq!(answered("instance", 404), 1.0);
    assert_eq!(answered("metrics", 405), 1.0);
    // This connection, and maybe some whose end the node has not seen yet.
    assert!((1.0..=3.0).contains(&told.value("rs_registry_http_connections")), "{told:#?}");
    for name in ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"] {
        assert!(told.value(name) > 0.0, "{name}");
    }
    assert_eq!(told.value("process_start_time_seconds"), before.value("process_start_time_seconds"));
}

#[test]
fn the_death_of_the_leader_and_writes_without_a_quorum_are_counted() {
    let mut cluster = Cluster::start(3);
    let addrs = cluster.addrs();
    let (leader, survivor) = (cluster.leader(), cluster.follower());
    let before = Samples::of(addrs[survivor]);
    assert_eq!(before.value("rs_registry_proposals_failed_total{reason=\"no_quorum\"}"), 0.0);
    cluster.nodes[leader].kill();
    let changes = before.value("rs_registry_leader_changes_total");
    let after = until_told(addrs[survivor], "a new leader is counted", |told| {
        told.value("rs_registry_leader_changes_total") > changes
    });
    assert!(after.value("rs_registry_term") > before.value("rs_registry_term"), "{after:#?}");

    let last = cluster.leader();
    let other = (0..3).find(|place| ![leader, last].contains(place)).expect("a third");
    cluster.nodes[other].kill();
    until_told(addrs[last], "it is known that there is no quorum", |told| {
        told.value("rs_registry_has_leader") == 0.0 && told.value("rs_registry_ready") == 0.0
    });
    assert_eq!(Document::new("LOST", "i-1").register().expect(addrs[last]).status, 503);
    let alone = Samples::of(addrs[last]);
    assert!(alone.sum("rs_registry_proposals_failed_total") >= 1.0, "{alone:#?}");
    assert!(alone.value("rs_registry_last_contact_seconds") > 0.3, "{alone:#?}");
}
