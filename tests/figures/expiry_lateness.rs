//! A thousand leases that are renewed for a while and then not any more: how long after its end is
//! each gone from every node?

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;

use super::client::{Call, Client};
use super::figure::{Figure, cluster, runtime};
use super::fleet;
use super::harness::Document;
use super::latency::Latency;

const LEASES: usize = 1000;
const DURATIONS_SECS: [u32; 3] = [4, 5, 6];
const CONNECTIONS: usize = 10;
const ROUNDS: u32 = 3;
const ROUND: Duration = Duration::from_secs(1);
/// After an answer that nothing changed.
const POLL: Duration = Duration::from_millis(2);
/// For all to be gone: generous, as no time is tested here.
const PATIENCE: Duration = Duration::from_secs(60);

/// The last renewal of a lease.
struct Renewed {
    sent: Instant,
    acknowledged: Instant,
    duration: Duration,
}

/// What polling a node showed.
#[derive(Default)]
struct Seen {
    /// When the first answer without this instance had arrived.
    gone: BTreeMap<String, Instant>,
    /// From the sending of one poll to the answer to the next.
    resolution: Latency,
}

#[test]
#[ignore = "a measurement"]
fn expiry_lateness() {
    let mut figure = Figure::begin("expiry_lateness");
    let runtime = runtime();
    let cluster = cluster();
    let addrs = cluster.addrs();
    let durations = DURATIONS_SECS.iter().cycle();
    let documents = fleet::documents("LATE", LEASES, 1);
    let documents: Vec<(Document, u32)> = documents
        .into_iter()
        .zip(durations)
        .map(|(document, secs)| (document.lease_secs(*secs), *secs))
        .collect();
    let (renewed, seen) = runtime.block_on(async {
        let renewed = renew_all(&addrs, &documents).await;
        (renewed, watch_all(&addrs, &documents).await)
    });
    report(&mut figure, &renewed, &seen);
    figure.end();
}

/// Registers and renews each at a phase of its own; returns the last renewal of each by id.
async fn renew_all(addrs: &[SocketAddr], documents: &[(Document, u32)]) -> BTreeMap<String, Renewed> {
    let start = Instant::now() + Duration::from_millis(100);
    let step = ROUND / u32::try_from(documents.len()).expect("not that many leases");
    let mut connections = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let mut client = Client::new(addrs[connection % addrs.len()]);
        let phases = documents.iter().cloned().zip(0_u32..);
        let share: Vec<_> = phases.skip(connection).step_by(CONNECTIONS).collect();
        connections.spawn(async move {
            let mut last = BTreeMap::new();
            for round in 0..=ROUNDS {
                for ((document, secs), phase) in &share {
                    tokio::time::sleep_until((start + ROUND * round + step * *phase).into()).await;
                    let call = if round == 0 { Call::register(document) } else { Call::renew(document) };
                    let sent = Instant::now();
                    let answer = client.send(&call).await.unwrap_or_else(|error| panic!("{call:?}: {error}"));
                    let before = last.get(&document.id).map(|last: &Renewed| last.sent.elapsed());
                    let expected = if round == 0 { 204 } else { 200 };
                    assert_eq!(answer.status, expected, "{call:?}, {before:?} after the last renewal");
                    let duration = Duration::from_secs(u64::from(*secs));
                    let renewed = Renewed { sent, acknowledged: Instant::now(), duration };
                    last.insert(document.id.clone(), renewed);
                }
            }
            last
        });
    }
    connections.join_all().await.into_iter().flatten().collect()
}

async fn watch_all(addrs: &[SocketAddr], documents: &[(Document, u32)]) -> Vec<Seen> {
    let ids: BTreeSet<String> = documents.iter().map(|(document, _)| document.id.clone()).collect();
    let mut nodes = JoinSet::new();
    for addr in addrs {
        nodes.spawn(watch(Client::new(*addr), ids.clone()));
    }
    nodes.join_all().await
}

/// Polls until all of them are gone.
async fn watch(mut client: Client, mut there: BTreeSet<String>) -> Seen {
    let call = Call::get("/eureka/apps");
    let mut seen = Seen::default();
    let mut known: Option<String> = None;
    let start = Instant::now();
    let mut last_sent = start;
    while !there.is_empty() {
        assert!(start.elapsed() < PATIENCE, "node {} still has {there:?}", client.addr());
        let sent = Instant::now();
        let answer = client.send_if_changed(&call, known.as_deref()).await;
        let answer = answer.unwrap_or_else(|error| panic!("a read of the registry: {error}"));
        let arrived = Instant::now();
        seen.resolution.record(arrived.duration_since(last_sent));
        last_sent = sent;
        if answer.status == 304 {
            tokio::time::sleep(POLL).await;
            continue;
        }
        assert_eq!(answer.status, 200, "a read of the registry");
        known = answer.headers.get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let shown = ids(&serde_json::from_slice(&answer.body).expect("a registry as JSON"));
        let gone: Vec<String> = there.difference(&shown).cloned().collect();
        for id in gone {
            there.remove(&id);
            seen.gone.insert(id, arrived);
        }
    }
    seen
}

fn ids(registry: &Value) -> BTreeSet<String> {
    let apps = registry["applications"]["application"].as_array().expect("a list of applications");
    let instances = apps.iter().flat_map(|app| app["instance"].as_array().expect("a list of instances"));
    instances.map(|instance| instance["instanceId"].as_str().expect("an id").to_owned()).collect()
}

fn report(figure: &mut Figure, renewed: &BTreeMap<String, Renewed>, seen: &[Seen]) {
    let (mut from_sent, mut from_acknowledged) = (Latency::default(), Latency::default());
    let mut early = Vec::new();
    for (id, lease) in renewed {
        // Somewhere between these two the leader counts from.
        let (earliest, latest) = (lease.sent + lease.duration, lease.acknowledged + lease.duration);
        let gone = seen.iter().map(|seen| seen.gone[id]);
        early.extend(gone.clone().filter(|gone| *gone < earliest).map(|_| id));
        let everywhere = gone.max().expect("at least one node");
        from_sent.record(everywhere.saturating_duration_since(earliest));
        from_acknowledged.record(everywhere.saturating_duration_since(latest));
    }
    figure.row("lateness at the last node, from the last renewal's sending", from_sent);
    figure.row("the same from its acknowledgement", from_acknowledged);
    for (node, seen) in seen.iter().enumerate() {
        figure.row(format!("resolution of the polls at node {}", node + 1), &seen.resolution);
    }
    figure.row("leases that ended early", early.len());
    assert!(early.is_empty(), "ended before their time: {early:?}");
}
