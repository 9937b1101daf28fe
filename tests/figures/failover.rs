//! `kill -9` of the leader, again and again: when does a survivor acknowledge a register that was
//! sent after it? `FIGURES_KILLS` is how often.

use std::thread;
use std::time::{Duration, Instant};

use super::client::Call;
use super::figure::{Figure, cluster, runtime, setting};
use super::fleet;
use super::latency::Latency;
use super::load::{Job, Load};
use super::probe::first_register;

/// Light load: that of a hundred clients that renew once a second.
const CLIENTS: usize = 4;
const INSTANCES_PER_CLIENT: usize = 25;
const INTERVAL: Duration = Duration::from_millis(40);
/// Between a node's being ready again and the next kill.
const SETTLE: Duration = Duration::from_millis(500);

#[test]
#[ignore = "a measurement, of minutes"]
fn failover() {
    let kills: usize = setting("FIGURES_KILLS", 200);
    let mut figure = Figure::begin("failover");
    let runtime = runtime();
    let mut cluster = cluster();
    let addrs = cluster.addrs();
    let documents = fleet::documents("LIGHT", CLIENTS * INSTANCES_PER_CLIENT, 90);
    fleet::register(&runtime, &addrs, &documents);
    let jobs = documents.chunks(INSTANCES_PER_CLIENT).enumerate().map(|(place, share)| {
        let mut nodes = addrs.clone();
        nodes.rotate_left(place % addrs.len());
        Job { nodes, calls: share.iter().map(Call::renew).collect(), interval: INTERVAL, delay: INTERVAL }
    });
    let light = Load::start(&runtime, jobs);

    let mut latency = Latency::default();
    let mut elections = Vec::new();
    for kill in 0..kills {
        thread::sleep(SETTLE);
        let leader = cluster.leader();
        let term = cluster.nodes[leader].view().map(|view| view.term);
        let survivors: Vec<_> = addrs.iter().copied().filter(|addr| *addr != addrs[leader]).collect();
        let killed = Instant::now();
        cluster.nodes[leader].kill();
        let register = first_register(&runtime, &survivors, &format!("i-{kill}"));
        latency.record(register.duration_since(killed));
        let next = cluster.leader();
        let next_term = cluster.nodes[next].view().map(|view| view.term);
        elections.extend(next_term.and_then(|next| Ok(next - term?)).ok());
        cluster.nodes[leader].start();
        cluster.nodes[leader].wait_ready();
    }
    let lost = light.tally.take().failed.into_iter().find(|reason| reason.contains("404"));
    assert_eq!(lost, None, "a live lease was lost");
    cluster.settled();
    cluster.assert_states_equal();
    figure.row("kill -9 of the leader -> next acknowledged register", latency);
    let split = elections.iter().filter(|terms| **terms > 1).count();
    figure.row("kills that took more than one election", format!("{split} of {kills}"));
    figure.end();
}
