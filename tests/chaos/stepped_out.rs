//! A node whose log cannot be written, as it has to be: out of the way of the others, and open about it.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use super::harness::{Cluster, Document, Request, until};
use super::registering::Registering;

/// How long the others are watched: several times as long as it takes to stand for election.
const WATCHED: Duration = Duration::from_secs(2);
/// Of registrations at each of the others, before and after the node has stepped out.
const SOME: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Leader,
    Follower,
}

impl Which {
    pub fn place(self, cluster: &mut Cluster) -> usize {
        match self {
            Which::Leader => cluster.leader(),
            Which::Follower => cluster.follower(),
        }
    }
}

/// Waits until the node at this place has stepped out and says this reason, and checks everything that it
/// still has to do, and the others.
pub fn assert_stepped_out(cluster: &Cluster, place: usize, registering: &Registering, reason: &str) {
    let addr = cluster.addrs()[place];
    until_told(addr, reason);
    assert_eq!(Request::get("/livez").expect(addr).status, 200);
    let seen = Request::get("/api/cluster").expect(addr).value();
    assert_eq!(seen["role"], "stopped", "{seen}");
    assert!(seen["leader_id"].is_null(), "{seen}");
    assert!(seen["failing"][0].as_str().is_some_and(|told| told.contains(reason)), "{seen}");
    assert_metric(addr, "log", true);
    let log = cluster.nodes[place].log();
    let told =
        |line: &&str| line.contains("\"ERROR\"") && line.contains(reason) && line.contains("rs_registry");
    assert!(log.lines().any(|line| told(&line)), "no line in its log says {reason}: {log}");

    let read = Request::get("/eureka/apps").accept_json().expect(addr);
    assert_eq!((read.status, read.header("x-registry-known-leader")), (200, Some("false")));
    assert_unavailable(&Request::get("/eureka/apps?consistency=linearizable"), addr);
    assert_unavailable(&Document::new("DISK", "refused").register(), addr);
    assert_others_go_on(cluster, place, registering);
    let lines = cluster.nodes[place].log().lines().count() - log.lines().count();
    assert!(lines < 10, "it wrote {lines} more lines to its log");
}

/// The others have one leader, and keep it.
fn assert_others_go_on(cluster: &Cluster, place: usize, registering: &Registering) {
    let others: Vec<usize> = (0..cluster.nodes.len()).filter(|other| *other != place).collect();
    let terms = || -> Result<Vec<u64>, String> {
        let views: Result<Vec<_>, _> = others.iter().map(|other| cluster.nodes[*other].view()).collect();
        let views = views?;
        let leader =
            views.iter().find(|view| view.leads()).ok_or_else(|| format!("no leader in {views:?}"))?;
        match views.iter().all(|view| view.leader_id == Some(leader.node_id)) {
            true => Ok(views.iter().map(|view| view.term).collect()),
            false => Err(format!("{views:?}")),
        }
    };
    let before = until("the others have a leader", terms);
    for other in &others {
        registering.wait_for(SOME, cluster.addrs()[*other]);
    }
    let acknowledged = registering.count(cluster.addrs()[place]);
    thread::sleep(WATCHED);
    assert_eq!(terms().expect("the others still have a leader"), before, "an election among the others");
    assert_eq!(
        registering.count(cluster.addrs()[place]),
        acknowledged,
        "acknowledged by who has stepped out"
    );
}

/// Starts it again, now that nothing is in its way.
pub fn assert_comes_back(cluster: &mut Cluster, place: usize) {
    let addr = cluster.addrs()[place];
    assert_eq!(Request::get("/readyz").expect(addr).status, 503, "it came back without a restart");
    cluster.nodes[place].kill();
    cluster.nodes[place].start();
    cluster.nodes[place].wait_ready();
    assert_eq!(Request::get("/readyz").expect(addr).text(), "ready\n");
    for part in ["log", "snapshot", "state"] {
        assert_metric(addr, part, false);
    }
}

/// Waits until `/readyz` says this and 503.
pub fn until_told(addr: SocketAddr, reason: &str) {
    until(&format!("/readyz of {addr} says {reason}"), || {
        let ready = Request::get("/readyz").send(addr).map_err(|error| error.to_string())?;
        match ready.status == 503 && ready.text().contains(reason) {
            true => Ok(()),
            false => Err(format!("{} {}", ready.status, ready.text())),
        }
    });
}

/// Waits until `/readyz` says this of a part and 200, or nothing of any.
pub fn until_ready_but(addr: SocketAddr, part: &str, reason: Option<&str>) {
    until(&format!("/readyz of {addr} says {reason:?} and is ready"), || {
        let ready = Request::get("/readyz").send(addr).map_err(|error| error.to_string())?;
        let (status, text) = (ready.status, ready.text());
        match status == 200 && reason.map_or(text == "ready\n", |reason| text.contains(reason)) {
            true => Ok(()),
            false => Err(format!("{status} {text}")),
        }
    });
    assert_metric(addr, part, reason.is_some());
}

fn assert_metric(addr: SocketAddr, part: &str, failed: bool) {
    let line = format!("rs_registry_disk_failed{{part=\"{part}\"}} {}", u8::from(failed));
    let metrics = Request::get("/metrics").expect(addr).text();
    assert!(metrics.lines().any(|found| found == line), "{line} is not in {metrics}");
}

fn assert_unavailable(request: &Request, addr: SocketAddr) {
    let answer = request.expect(addr);
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{request:?}");
}
