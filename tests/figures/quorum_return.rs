//! Two of three nodes are killed and started again, again and again: when is a write acknowledged,
//! and when are all leases renewed? `FIGURES_RETURNS` is how often.

use std::thread;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::client::{Call, Client};
use super::figure::{Figure, cluster, runtime, setting};
use super::fleet;
use super::latency::Latency;
use super::probe::{acknowledged, first_register};

const LEASES: usize = 200;
const LEASE_SECS: u32 = 90;
/// Time without a quorum: longer than elections take.
const OUTAGE: Duration = Duration::from_secs(2);

#[test]
#[ignore = "a measurement, of minutes"]
fn quorum_return() {
    let returns: usize = setting("FIGURES_RETURNS", 10);
    let mut figure = Figure::begin("quorum_return");
    let runtime = runtime();
    let mut cluster = cluster();
    let addrs = cluster.addrs();
    let documents = fleet::documents("WATCHED", LEASES, LEASE_SECS);
    fleet::register(&runtime, &addrs, &documents);

    let (mut writes, mut renewals) = (Latency::default(), Latency::default());
    for number in 0..returns {
        let leader = cluster.leader();
        // Each node is the one that stays in its turn, leader or not.
        let stays = (leader + number) % addrs.len();
        let killed: Vec<usize> = (0..addrs.len()).filter(|place| *place != stays).collect();
        for place in &killed {
            cluster.nodes[*place].kill();
        }
        thread::sleep(OUTAGE);
        for place in &killed {
            cluster.nodes[*place].start();
        }
        let started = Instant::now();
        let mut renewing = JoinSet::new();
        for (place, document) in documents.iter().enumerate() {
            let client = Client::new(addrs[place % addrs.len()]);
            renewing.spawn_on(acknowledged(client, Call::renew(document)), runtime.handle());
        }
        let write = first_register(&runtime, &addrs, &format!("i-{number}"));
        writes.record(write.duration_since(started));
        let renewed = runtime.block_on(renewing.join_all());
        let last = renewed.into_iter().max().unwrap_or(started);
        renewals.record(last.duration_since(started));
        for place in killed {
            cluster.nodes[place].wait_ready();
        }
        cluster.assert_states_equal();
    }
    figure.row("two nodes start again -> first acknowledged register", writes);
    figure.row(format!("the same -> {LEASES} leases renewed"), renewals);
    figure.end();
}
