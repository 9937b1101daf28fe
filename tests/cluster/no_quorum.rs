//! Without a majority: reads go on and say so, writes are refused at once, and none is lost.

use std::net::SocketAddr;
use std::time::Duration;

use super::harness::{Cluster, Document, Request, applications, until};

/// Well beyond the time in which a node has to refuse; only a write that hangs takes longer.
const HANGS_AFTER: Duration = Duration::from_secs(10);

#[test]
fn one_of_three_reads_on_and_refuses_writes() {
    let mut cluster = Cluster::start(3);
    let document = Document::new("ALONE", "i-1");
    let place = cluster.follower();
    let addr = cluster.addrs()[place];
    assert_eq!(document.register().expect(addr).status, 204);
    let before = applications(addr);
    let others: Vec<usize> = (0..3).filter(|other| *other != place).collect();
    others.iter().for_each(|other| cluster.nodes[*other].kill());

    assert_writes_are_refused(&document, addr);
    assert_eq!(applications(addr), before);
    until("the node says that it knows no leader", || {
        let read = Request::get("/eureka/apps").expect(addr);
        match read.header("x-registry-known-leader") {
            Some("false") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    for read in [
        "/eureka/apps",
        "/eureka/apps/delta",
        &document.app_path(),
        &document.path(),
        &format!("/eureka/instances/{}", document.id),
        "/eureka/vips/vip",
        "/eureka/svips/vip",
        "/eureka/status",
        "/serverinfo/statusoverrides",
    ] {
        let strong = Request::get(&format!("{read}?consistency=linearizable"));
        let strong = strong.accept_json().read_timeout(HANGS_AFTER).expect(addr);
        assert_eq!(strong.status, 503, "a linearizable {read}");
        assert_eq!(strong.header("retry-after"), Some("1"), "a linearizable {read}");
    }

    for other in others {
        cluster.nodes[other].start();
        cluster.nodes[other].wait_ready();
    }
    cluster.leader();
    assert_eq!(document.renew().expect(addr).status, 200);
    assert_eq!(document.cancel().expect(addr).status, 200);
    cluster.assert_states_equal();
}

#[test]
fn a_leader_left_alone_refuses_writes_and_agrees_with_the_others_again() {
    let mut cluster = Cluster::start(3);
    let place = cluster.leader();
    let addr = cluster.addrs()[place];
    let kept = Document::new("ALONE", "kept");
    assert_eq!(kept.register().expect(addr).status, 204);
    let others: Vec<usize> = (0..3).filter(|other| *other != place).collect();
    others.iter().for_each(|other| cluster.nodes[*other].kill());
    // It is in this leader's log, so that it may yet come to be, or not.
    assert_refused(&Document::new("ALONE", "undecided").register(), addr);
    assert_eq!(kept.read().expect(addr).status, 200);

    for other in others {
        cluster.nodes[other].start();
        cluster.nodes[other].wait_ready();
    }
    cluster.leader();
    assert_eq!(kept.renew().expect(addr).status, 200);
    cluster.assert_states_equal();
    let registries: Vec<_> = cluster.addrs().into_iter().map(applications).collect();
    assert!(registries.iter().all(|registry| *registry == registries[0]), "{registries:?}");
}

fn assert_writes_are_refused(document: &Document, addr: SocketAddr) {
    let writes = [
        document.register(),
        document.renew(),
        Request::put(&format!("{}/status?value=DOWN", document.path())),
        Request::delete(&format!("{}/status", document.path())),
        Request::put(&format!("{}/metadata?k=v", document.path())),
        document.cancel(),
        Document::new("ALONE", "unknown").renew(),
    ];
    for write in writes {
        assert_refused(&write, addr);
    }
}

fn assert_refused(write: &Request, addr: SocketAddr) {
    let response = write.clone().read_timeout(HANGS_AFTER).expect(addr);
    assert_eq!(response.status, 503, "{write:?}: {response:?}");
    assert!(response.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok()), "{response:?}");
    assert!(response.body.is_empty(), "{response:?}");
}
