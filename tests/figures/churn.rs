//! Instances come and go, others are renewed and registered anew, and all are read, for an hour: what do the nodes hold
//! in memory and on disk meanwhile? `FIGURES_MINUTES` is how long.

use std::thread;
use std::time::{Duration, Instant};

use super::client::Call;
use super::figure::{Figure, cluster, disk_mib, memory_mib, runtime, setting};
use super::fleet;
use super::harness::Cluster;
use super::load::{Job, Load, spread};

const STAYING: usize = 10_000;
const STAYING_LEASE_SECS: u32 = 90;
/// Connections for each kind of write, each to one of the nodes.
const WRITING: usize = 9;
const RENEWALS_PER_SEC: f64 = 400.0;
const REGISTRATIONS_PER_SEC: f64 = 156.0;
/// Never renewed, so that as many end as come: about 2,000 are there at a time. Their names come back when all have
/// been used.
const PASSING: usize = 40_000;
const PASSING_LEASE_SECS: u32 = 45;
const PASSING_PER_SEC: f64 = 44.0;
/// Between two full reads of each node, one plain and one compressed in turn.
const READ_INTERVAL: Duration = Duration::from_millis(2_500);
const LOOKS: u32 = 12;

#[test]
#[ignore = "a measurement, of an hour"]
fn churn() {
    let minutes: u32 = setting("FIGURES_MINUTES", 60);
    let mut figure = Figure::begin("churn");
    let runtime = runtime();
    let mut cluster = cluster();
    let addrs = cluster.addrs();
    let staying = fleet::spring_documents("STAYING", STAYING, STAYING_LEASE_SECS);
    let passing = fleet::spring_documents("PASSING", PASSING, PASSING_LEASE_SECS);
    fleet::register(&runtime, &addrs, &staying);

    let renewals: Vec<Call> = staying.iter().map(Call::renew).collect();
    let renewals = Load::start(&runtime, spread(&addrs, &renewals, WRITING, RENEWALS_PER_SEC));
    let again: Vec<Call> = staying.iter().map(Call::register).collect();
    let anew: Vec<Call> = passing.iter().map(Call::register).collect();
    let registrations = spread(&addrs, &again, WRITING, REGISTRATIONS_PER_SEC).into_iter().chain(spread(
        &addrs,
        &anew,
        WRITING,
        PASSING_PER_SEC,
    ));
    let registrations = Load::start(&runtime, registrations);
    let read = |addr| Job {
        nodes: vec![addr],
        calls: vec![Call::get("/eureka/apps"), Call::get("/eureka/apps").compressed()],
        interval: READ_INTERVAL,
        delay: Duration::ZERO,
    };
    let reads = Load::start(&runtime, addrs.iter().copied().map(read));

    let began = Instant::now();
    for look in 1..=LOOKS {
        let at = Duration::from_secs(60 * u64::from(minutes)) * look / LOOKS;
        thread::sleep((began + at).saturating_duration_since(Instant::now()));
        figure.row(format!("after {:.0?}", began.elapsed()), held(&cluster));
    }
    let mut failed = Vec::new();
    for (what, load) in [("renewals", renewals), ("registrations", registrations), ("full reads", reads)] {
        let counts = load.tally.take();
        figure.row(format!("{what}, {:.0}/s; failed", counts.per_second()), counts.failed.len());
        failed.extend(counts.failed);
    }
    figure.end();
    let lost = failed.into_iter().find(|reason| reason.contains("404"));
    assert_eq!(lost, None, "a live lease was lost");
    cluster.assert_states_equal();
}

fn held(cluster: &Cluster) -> String {
    let of_nodes = |held: &dyn Fn(usize) -> u64| {
        let each = (0..cluster.nodes.len()).map(|place| held(place).to_string());
        each.collect::<Vec<_>>().join(", ")
    };
    let memory = of_nodes(&|place| memory_mib(cluster.nodes[place].pid()));
    let disk = of_nodes(&|place| disk_mib(&cluster.nodes[place].spec.data_dir));
    let view = cluster.nodes[0].view().unwrap_or_else(|error| panic!("{error}"));
    format!("RSS {memory} MiB; disk {disk} MiB; applied index {}", view.applied_index.unwrap_or_default())
}
