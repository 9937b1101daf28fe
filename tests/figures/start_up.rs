//! All nodes, or one, end and start again with many instances: when is each ready, and when is a
//! write acknowledged? `FIGURES_INSTANCES` is how many instances there are, `FIGURES_RESTARTS` how
//! often each is done.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::client::{Call, Client};
use super::figure::{Figure, cluster, memory_mib, runtime, setting};
use super::fleet;
use super::harness::{Cluster, Document};
use super::latency::Latency;
use super::load::{Job, Load};
use super::probe::{acknowledged, first_register};

/// Nothing must end while this runs.
const LEASE_SECS: u32 = 3600;
/// Renewals before a node is killed: about what so many clients send.
const RENEWALS_PER_SECOND: f64 = 2000.0;
const RENEWING: usize = 32;
/// For all that was registered to be written behind.
const SETTLE: Duration = Duration::from_secs(30);
/// Between restarts: longer than the state takes to be written behind, and no multiple of that, so
/// that a kill finds it at every age.
const BETWEEN: Duration = Duration::from_millis(7300);

/// What is measured of one way to restart.
#[derive(Default)]
struct Restarts {
    ready: Vec<Latency>,
    all_ready: Latency,
    write: Latency,
}

#[test]
#[ignore = "a measurement, of minutes"]
fn start_up() {
    let instances: usize = setting("FIGURES_INSTANCES", 100_000);
    let restarts: usize = setting("FIGURES_RESTARTS", 10);
    let mut figure = Figure::begin("start_up");
    let runtime = runtime();
    let mut cluster = cluster();
    let addrs = cluster.addrs();
    let documents = fleet::spring_documents("START", instances, LEASE_SECS);
    fleet::register(&runtime, &addrs, &documents);
    thread::sleep(SETTLE);
    figure.row(format!("memory (RSS) with {instances} instances registered"), memory(&cluster, &addrs));

    let all: Vec<usize> = (0..addrs.len()).collect();
    let (mut stopped, mut killed, mut one) = (Restarts::default(), Restarts::default(), Restarts::default());
    for number in 0..restarts {
        let renewing = renewals(&runtime, &addrs, &documents);
        thread::sleep(BETWEEN);
        drop(renewing);
        for node in &mut cluster.nodes {
            assert_eq!(node.terminate().code(), Some(0), "a stop in order");
        }
        start(&runtime, &mut cluster, &all, &mut stopped);
        if number == 0 {
            figure.row("memory (RSS) after a stop and a start", memory(&cluster, &addrs));
        }

        let renewing = renewals(&runtime, &addrs, &documents);
        thread::sleep(BETWEEN);
        drop(renewing);
        cluster.nodes.iter_mut().for_each(|node| node.kill());
        start(&runtime, &mut cluster, &all, &mut killed);
        if number == 0 {
            figure.row("memory (RSS) after kill -9 and a start", memory(&cluster, &addrs));
        }

        let follower = cluster.follower();
        let others: Vec<SocketAddr> = addrs.iter().copied().filter(|addr| *addr != addrs[follower]).collect();
        let renewing = renewals(&runtime, &others, &documents);
        thread::sleep(BETWEEN);
        cluster.nodes[follower].kill();
        start(&runtime, &mut cluster, &[follower], &mut one);
        drop(renewing);
        cluster.assert_states_equal();
    }
    report(&mut figure, "SIGTERM of all, start of all", stopped);
    report(&mut figure, "kill -9 of all under renewals, start of all", killed);
    report(&mut figure, "kill -9 of a follower and its start under renewals", one);
    figure.end();
}

/// Starts these nodes, and waits until they are ready.
fn start(runtime: &Runtime, cluster: &mut Cluster, places: &[usize], restarts: &mut Restarts) {
    let addrs = cluster.addrs();
    let started = Instant::now();
    places.iter().for_each(|place| cluster.nodes[*place].start());
    let mut ready = JoinSet::new();
    for place in places {
        let (place, client) = (*place, Client::new(addrs[*place]));
        let becomes_ready = async move { (place, acknowledged(client, Call::get("/readyz")).await) };
        ready.spawn_on(becomes_ready, runtime.handle());
    }
    let at: Vec<SocketAddr> = places.iter().map(|place| addrs[*place]).collect();
    let write = first_register(runtime, &at, "i-1");
    restarts.write.record(write.duration_since(started));
    restarts.ready.resize_with(addrs.len(), Latency::default);
    let ready = runtime.block_on(ready.join_all());
    for (place, ready) in &ready {
        restarts.ready[*place].record(ready.duration_since(started));
    }
    let last = ready.into_iter().map(|(_, ready)| ready).max().unwrap_or(started);
    restarts.all_ready.record(last.duration_since(started));
}

fn renewals(runtime: &Runtime, addrs: &[SocketAddr], documents: &[Document]) -> Load {
    let interval = Duration::from_secs_f64(RENEWING as f64 / RENEWALS_PER_SECOND);
    let shares = documents.chunks(documents.len().div_ceil(RENEWING).max(1)).enumerate();
    let jobs = shares.map(|(place, share)| Job {
        nodes: vec![addrs[place % addrs.len()]],
        calls: share.iter().map(Call::renew).collect(),
        interval,
        delay: interval.mul_f64(place as f64 / RENEWING as f64),
    });
    Load::start(runtime, jobs)
}

fn memory(cluster: &Cluster, addrs: &[SocketAddr]) -> String {
    let nodes = (0..addrs.len()).map(|place| format!("{} MiB", memory_mib(cluster.nodes[place].pid())));
    nodes.collect::<Vec<_>>().join(", ")
}

fn report(figure: &mut Figure, what: &str, restarts: Restarts) {
    for (place, ready) in restarts.ready.iter().enumerate().filter(|(_, ready)| ready.count() > 0) {
        figure.row(format!("{what}: node {} ready", place + 1), ready);
    }
    figure.row(format!("{what}: all of these ready"), restarts.all_ready);
    figure.row(format!("{what}: first write acknowledged"), restarts.write);
}
