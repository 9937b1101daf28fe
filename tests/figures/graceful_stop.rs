//! SIGTERM of the leader, again and again: for how long are no writes acknowledged, and do clients
//! that go on at the next node notice? `FIGURES_STOPS` is how often.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::client::Call;
use super::figure::{Figure, cluster, runtime, setting};
use super::fleet;
use super::harness::Document;
use super::latency::Latency;
use super::load::{Job, Load};

const CLIENTS_PER_NODE: usize = 2;
const INSTANCES_PER_CLIENT: usize = 10;
/// Between two writes of a client, which is as fine as the gap can be seen.
const INTERVAL: Duration = Duration::from_millis(5);
/// Before the stop, after it, and between a node's being ready again and the next one.
const SETTLE: Duration = Duration::from_millis(500);

#[test]
#[ignore = "a measurement, of minutes"]
fn graceful_stop() {
    let stops: usize = setting("FIGURES_STOPS", 30);
    let mut figure = Figure::begin("graceful_stop");
    let runtime = runtime();
    let mut cluster = cluster();
    let addrs = cluster.addrs();
    let documents = fleet::documents("STOP", addrs.len() * CLIENTS_PER_NODE * INSTANCES_PER_CLIENT, 90);
    fleet::register(&runtime, &addrs, &documents);

    let (mut gaps, mut gaps_before) = (Latency::default(), Latency::default());
    let (mut failed, mut retried, mut writes) = (Vec::new(), 0, 0);
    for _ in 0..stops {
        let leader = cluster.leader();
        let at_survivors = clients(&runtime, &addrs, &documents, |node| node != leader);
        let at_leader = clients(&runtime, &addrs, &documents, |node| node == leader);
        thread::sleep(SETTLE);
        gaps_before.record(at_survivors.tally.take().longest_gap);
        let status = cluster.nodes[leader].terminate();
        assert_eq!(status.code(), Some(0), "{status}");
        thread::sleep(SETTLE);
        let (survivors, stopped) = (at_survivors.tally.take(), at_leader.tally.take());
        gaps.record(survivors.longest_gap);
        for counts in [survivors, stopped] {
            writes += counts.latency.count();
            retried += counts.retried;
            failed.extend(counts.failed);
        }
        drop((at_survivors, at_leader));
        cluster.nodes[leader].start();
        cluster.nodes[leader].wait_ready();
        thread::sleep(SETTLE);
    }
    figure.row("SIGTERM of the leader: longest time without an acknowledged write", gaps);
    figure.row("the same in the half second before", gaps_before);
    figure.row("writes acknowledged; tried again at the next node", format!("{writes}; {retried}"));
    figure.row("writes that no node acknowledged", failed.len());
    figure.end();
    assert!(failed.is_empty(), "{failed:?}");
}

/// Clients at these nodes, which go on at the next one; each registers at times.
fn clients(
    runtime: &Runtime,
    addrs: &[SocketAddr],
    documents: &[Document],
    at: impl Fn(usize) -> bool,
) -> Load {
    let shares = documents.chunks(INSTANCES_PER_CLIENT).enumerate();
    let jobs = shares.filter(|(place, _)| at(place % addrs.len())).map(|(place, share)| {
        let mut nodes = addrs.to_vec();
        nodes.rotate_left(place % addrs.len());
        let calls = share.iter().flat_map(|document| [Call::renew(document), Call::register(document)]);
        Job { nodes, calls: calls.collect(), interval: INTERVAL, delay: INTERVAL.mul_f64(place as f64 / 8.0) }
    });
    Load::start(runtime, jobs)
}
