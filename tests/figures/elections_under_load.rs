//! Full load, for minutes: does a node take the leader for dead that is only busy?
//! `FIGURES_MINUTES` is how long.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::client::{Call, Client};
use super::figure::{Figure, cluster, runtime, setting};
use super::fleet;
use super::latency::Latency;
use super::load::{Job, Load};

const INSTANCES: usize = 10_000;
const LEASE_SECS: u32 = 90;
const RENEWING: usize = 64;
const REGISTERING: usize = 12;
const REGISTER_INTERVAL: Duration = Duration::from_millis(120);
/// How often a node is asked: well below the time after which a leader counts as dead.
const LOOK: Duration = Duration::from_millis(20);

#[test]
#[ignore = "a measurement, of minutes"]
fn elections_under_load() {
    let minutes: f64 = setting("FIGURES_MINUTES", 10.0);
    let mut figure = Figure::begin("elections_under_load");
    let runtime = runtime();
    let mut cluster = cluster();
    let addrs = cluster.addrs();
    let documents = fleet::documents("LOAD", INSTANCES, LEASE_SECS);
    fleet::register(&runtime, &addrs, &documents);
    let leader = cluster.leader();
    let before = cluster.settled();

    let watchers: Vec<_> = addrs.iter().map(|addr| Watcher::start(&runtime, *addr)).collect();
    let at = |place: usize| addrs[place % addrs.len()];
    let share = INSTANCES.div_ceil(RENEWING);
    let renewing = documents.chunks(share).enumerate().map(|(place, share)| Job {
        nodes: vec![at(place)],
        calls: share.iter().map(Call::renew).collect(),
        interval: Duration::ZERO,
        delay: Duration::ZERO,
    });
    let registering = (0..REGISTERING).map(|place| Job {
        nodes: vec![at(place)],
        calls: documents.iter().skip(place).step_by(REGISTERING).map(Call::register).collect(),
        interval: REGISTER_INTERVAL,
        delay: Duration::ZERO,
    });
    let renewals = Load::start(&runtime, renewing);
    let registers = Load::start(&runtime, registering);
    thread::sleep(Duration::from_secs_f64(minutes * 60.0));
    let (renewed, registered) = (renewals.tally.take(), registers.tally.take());
    drop((renewals, registers));
    let seen: Vec<Seen> = watchers.into_iter().map(|watcher| watcher.end(&runtime)).collect();

    let standings: BTreeSet<&(u64, Option<u64>)> = seen.iter().flat_map(|seen| &seen.standings).collect();
    let followers = seen.iter().enumerate().filter(|(place, _)| *place != leader);
    let silence = followers.map(|(_, seen)| seen.last_contact.max()).max().unwrap_or_default();
    figure.row(
        format!("renewals, {RENEWING} connections, {INSTANCES} instances, {minutes} min"),
        format!("{:.0}/s", renewed.per_second()),
    );
    figure.row("a renewal", &renewed.latency);
    figure.row("a register meanwhile", &registered.latency);
    figure.row("longest time without an acknowledged renewal", format!("{:?}", renewed.longest_gap));
    figure.row("longest X-Registry-Last-Contact at a follower", format!("{silence:?}"));
    for (node, seen) in seen.iter().enumerate() {
        figure.row(format!("X-Registry-Last-Contact at node {}", node + 1), &seen.last_contact);
    }
    figure.row("terms and leaders seen, one of each unless there was an election", format!("{standings:?}"));
    let warnings = cluster.nodes.iter().map(|node| node.log().matches("WARN").count());
    figure.row("warnings in the log of each node", format!("{:?}", warnings.collect::<Vec<_>>()));
    figure.row("writes that failed", renewed.failed.len() + registered.failed.len());
    figure.end();
    let lost = renewed.failed.iter().find(|reason| reason.contains("404"));
    assert_eq!(lost, None, "a live lease was lost");
    let after = cluster.settled();
    println!("terms {} before, {} after", before[leader].term, after[leader].term);
    cluster.assert_states_equal();
}

/// What one node said of the cluster.
#[derive(Default)]
struct Seen {
    /// Every term with the leader in it that was ever shown.
    standings: BTreeSet<(u64, Option<u64>)>,
    last_contact: Latency,
}

struct Watcher {
    stop: tokio::sync::oneshot::Sender<()>,
    watching: JoinHandle<Seen>,
}

impl Watcher {
    fn start(runtime: &Runtime, addr: SocketAddr) -> Self {
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let watching = runtime.spawn(async move {
            let mut client = Client::new(addr);
            let mut seen = Seen::default();
            while stopped.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
                seen.look(&mut client).await;
                tokio::time::sleep(LOOK).await;
            }
            seen
        });
        Self { stop, watching }
    }

    fn end(self, runtime: &Runtime) -> Seen {
        drop(self.stop);
        runtime.block_on(self.watching).unwrap_or_else(|error| panic!("watching a node: {error}"))
    }
}

impl Seen {
    async fn look(&mut self, client: &mut Client) {
        let read = client.send(&Call::get("/eureka/apps/LOAD-0/i-0")).await;
        let read = read.unwrap_or_else(|error| panic!("a read under load: {error}"));
        assert_eq!(read.status, 200, "a live lease was lost");
        let silence_ms =
            read.headers.get("x-registry-last-contact").and_then(|ms| ms.to_str().ok()?.parse().ok());
        self.last_contact.record(Duration::from_millis(silence_ms.expect("X-Registry-Last-Contact in ms")));
        let cluster = client.send(&Call::get("/api/cluster")).await;
        let cluster = cluster.unwrap_or_else(|error| panic!("/api/cluster under load: {error}"));
        let cluster: Value = serde_json::from_slice(&cluster.body).expect("/api/cluster as JSON");
        let term = cluster["term"].as_u64().expect("a term");
        self.standings.insert((term, cluster["leader_id"].as_u64()));
    }
}
