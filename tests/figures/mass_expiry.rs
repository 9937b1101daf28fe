//! Half of all leases end at once while the other half is renewed: how long does that take, and what
//! does it cost the renewals? `FIGURES_LEASES` is how many there are, `FIGURES_RENEWALS` how many of
//! the others are renewed each second.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::client::{Call, Client};
use super::figure::{Figure, cluster, runtime, setting};
use super::fleet;
use super::harness::Document;
use super::load::{self, Load};

/// Connections: enough that each keeps its pace when a renewal takes tens of milliseconds.
const RENEWING: usize = 128;
/// Long enough to be registered, and for a minute of renewals before they end.
const SILENT_SECS: u32 = 90;
const LIVE_SECS: u32 = 600;
/// Before the leases end, to compare with.
const BEFORE: Duration = Duration::from_secs(60);
/// When watching begins, before the first end.
const AHEAD: Duration = Duration::from_secs(2);
const BATCH: usize = 5000;
const POLL: Duration = Duration::from_millis(5);
/// For all to be gone: generous, as no time is tested here.
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
#[ignore = "a measurement, of minutes"]
fn mass_expiry() {
    let leases: usize = setting("FIGURES_LEASES", 100_000);
    let rate: f64 = setting("FIGURES_RENEWALS", 2000.0);
    let mut figure = Figure::begin("mass_expiry");
    let runtime = runtime();
    let mut cluster = cluster();
    let addrs = cluster.addrs();
    let live = fleet::documents("LIVE", leases / 2, LIVE_SECS);
    let silent = fleet::documents("SILENT", leases / 2, SILENT_SECS);
    let registering = Instant::now();
    fleet::register(&runtime, &addrs, &live);
    fleet::register(&runtime, &addrs, &silent);
    figure.row(format!("{leases} leases registered in"), format!("{:?}", registering.elapsed()));

    let (first_sent, last_acknowledged) = renew_at_once(&runtime, addrs[0], &silent);
    let spread = last_acknowledged.duration_since(first_sent);
    figure.row("the last renewals of the half that ends took", format!("{spread:?}"));
    let renewals: Vec<Call> = live.iter().map(Call::renew).collect();
    let load = Load::start(&runtime, load::spread(&addrs, &renewals, RENEWING, rate));
    let duration = Duration::from_secs(u64::from(SILENT_SECS));
    let (earliest, latest) = (first_sent + duration, last_acknowledged + duration);
    sleep_until(earliest - BEFORE);
    drop(load.tally.take());
    sleep_until(earliest - AHEAD);
    let before = load.tally.take();
    let ends = watch_all(&runtime, &addrs, leases, live.len());
    let during = load.tally.take();
    drop(load);

    for (node, (first, last)) in ends.iter().enumerate() {
        assert!(*first >= earliest, "a lease ended before its time at node {}", node + 1);
        let took = last.duration_since(*first);
        let late = last.saturating_duration_since(latest);
        figure.row(
            format!("node {}: first to last end; lateness of the last", node + 1),
            format!("{took:?}; {late:?}"),
        );
    }
    figure.row(format!("a renewal in the minute before, {:.0}/s", before.per_second()), &before.latency);
    figure.row(format!("a renewal meanwhile, {:.0}/s", during.per_second()), &during.latency);
    figure.row("longest time without an acknowledged renewal meanwhile", format!("{:?}", during.longest_gap));
    figure.end();
    let failed: Vec<String> = before.failed.into_iter().chain(during.failed).collect();
    assert!(failed.is_empty(), "renewals of live leases failed: {failed:?}");
    cluster.assert_states_equal();
}

/// Renews them all in a few bodies, so that they end together; returns when the first was sent and
/// when the last was acknowledged.
fn renew_at_once(runtime: &Runtime, addr: SocketAddr, documents: &[Document]) -> (Instant, Instant) {
    let item =
        |document: &Document| json!({"appName": document.app, "id": document.id, "action": "Heartbeat"});
    let body = |share: &[Document]| json!({"replicationList": share.iter().map(item).collect::<Vec<_>>()});
    let calls: Vec<Call> = documents
        .chunks(BATCH)
        .map(|share| Call::post("/eureka/peerreplication/batch/", body(share).to_string()))
        .collect();
    let sent = Instant::now();
    runtime.block_on(async {
        let mut client = Client::new(addr);
        for call in &calls {
            let answer =
                client.send(call).await.unwrap_or_else(|error| panic!("a batch of renewals: {error}"));
            assert_eq!(answer.status, 200, "a batch of renewals");
            let answers: Value = serde_json::from_slice(&answer.body).expect("JSON");
            let answers = answers["responseList"].as_array().expect("a list of answers");
            assert!(answers.iter().all(|answer| answer["statusCode"] == 200), "a renewal of a live lease");
        }
    });
    (sent, Instant::now())
}

fn watch_all(runtime: &Runtime, addrs: &[SocketAddr], all: usize, stay: usize) -> Vec<(Instant, Instant)> {
    let mut nodes = JoinSet::new();
    for (place, addr) in addrs.iter().enumerate() {
        let watching = watch(Client::new(*addr), all as u64, stay as u64);
        nodes.spawn_on(async move { (place, watching.await) }, runtime.handle());
    }
    let mut ends = runtime.block_on(nodes.join_all());
    ends.sort_by_key(|(place, _)| *place);
    ends.into_iter().map(|(_, ends)| ends).collect()
}

/// When this node was first seen with fewer instances than all, and with only those that stay.
async fn watch(mut client: Client, all: u64, stay: u64) -> (Instant, Instant) {
    let start = Instant::now();
    let mut first = None;
    loop {
        let answer = client.send(&Call::get("/api/cluster")).await;
        let answer = answer.unwrap_or_else(|error| panic!("/api/cluster: {error}"));
        let arrived = Instant::now();
        let cluster: Value = serde_json::from_slice(&answer.body).expect("/api/cluster as JSON");
        let instances = cluster["instances"].as_u64().expect("a number of instances");
        assert!(instances >= stay, "a live lease ended: {instances} of {stay} are left");
        if instances < all {
            first.get_or_insert(arrived);
        }
        if instances == stay {
            return (first.unwrap_or(arrived), arrived);
        }
        assert!(start.elapsed() < PATIENCE, "{instances} are left, not {stay}");
        tokio::time::sleep(POLL).await;
    }
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
