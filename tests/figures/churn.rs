//! Instances come and go, others are renewed and registered anew, and all are read, for an hour: what do the nodes hold
//! in memory and on disk meanwhile? `FIGURES_MINUTES` is how long.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::client::Call;
use super::figure::{Figure, cluster, disk_mib, memory_mib, runtime, setting};
use super::fleet;
use super::harness::{Cluster, Document, Samples};
use super::load::{Job, Load, spread};

const STAYING: usize = 10_000;
const STAYING_LEASE_SECS: u32 = 90;
/// Connections for each kind of write, each to one of the nodes.
const WRITING: usize = 9;
const RENEWALS_PER_SEC: f64 = 400.0;
const REGISTRATIONS_PER_SEC: f64 = 156.0;
/// Those that come and go: each is registered, and cancelled a while later. None comes back.
const PASSING_PER_SEC: f64 = 44.0;
const PASSING_STAY: Duration = Duration::from_secs(45);
/// Those that come and end unheard. Self-preservation holds them as an application of its own, which is for ten minutes,
/// but they are too few of all to be held with the whole registry.
const SILENT_PER_SEC: f64 = 2.0;
const SILENT_LEASE_SECS: u32 = 45;
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
    fleet::register(&runtime, &addrs, &staying);

    let loads = loads(&runtime, &addrs, &staying, minutes);
    let began = Instant::now();
    for look in 1..=LOOKS {
        let at = Duration::from_secs(60 * u64::from(minutes)) * look / LOOKS;
        thread::sleep((began + at).saturating_duration_since(Instant::now()));
        figure.row(format!("after {:.0?}", began.elapsed()), held(&cluster));
    }
    let mut failed = Vec::new();
    for (what, load) in loads {
        let counts = load.tally.take();
        figure.row(format!("{what}, {:.0}/s; failed", counts.per_second()), counts.failed.len());
        failed.extend(counts.failed);
    }
    figure.end();
    let lost = failed.into_iter().find(|reason| reason.contains("404"));
    assert_eq!(lost, None, "a live lease was lost");
    let held = Samples::of(addrs[0]).value("rs_registry_self_preservation_in_force{application=\"\"}");
    assert_eq!(held, 0.0, "self-preservation holds what has ended: this was no churn");
    cluster.assert_states_equal();
}

fn loads(
    runtime: &Runtime,
    addrs: &[SocketAddr],
    staying: &[Document],
    minutes: u32,
) -> [(&'static str, Load); 5] {
    let start = |calls: &[Call], per_sec| Load::start(runtime, spread(addrs, calls, WRITING, per_sec));
    let calls = |of: &[Document], call: fn(&Document) -> Call| of.iter().map(call).collect::<Vec<_>>();

    let passing = fleet::spring_documents("PASSING", in_all(PASSING_PER_SEC, minutes), STAYING_LEASE_SECS);
    let coming = spread(addrs, &calls(&passing, Call::register), WRITING, PASSING_PER_SEC);
    let going = spread(addrs, &calls(&passing, Call::cancel), WRITING, PASSING_PER_SEC);
    let going = going.into_iter().map(|job| Job { delay: job.delay + PASSING_STAY, ..job });
    let silent = fleet::spring_documents("SILENT", in_all(SILENT_PER_SEC, minutes), SILENT_LEASE_SECS);
    let reading = addrs.iter().map(|addr| Job {
        nodes: vec![*addr],
        calls: vec![Call::get("/eureka/apps"), Call::get("/eureka/apps").compressed()],
        interval: READ_INTERVAL,
        delay: Duration::ZERO,
    });
    [
        ("renewals", start(&calls(staying, Call::renew), RENEWALS_PER_SEC)),
        ("registrations of who is there", start(&calls(staying, Call::register), REGISTRATIONS_PER_SEC)),
        ("registrations and cancels", Load::start(runtime, coming.into_iter().chain(going))),
        ("registrations of who ends unheard", start(&calls(&silent, Call::register), SILENT_PER_SEC)),
        ("full reads", Load::start(runtime, reading)),
    ]
}

/// So many that none comes twice.
fn in_all(per_sec: f64, minutes: u32) -> usize {
    (per_sec * 60.0 * f64::from(minutes + 1)).ceil() as usize
}

fn held(cluster: &Cluster) -> String {
    let of_nodes = |held: &dyn Fn(usize) -> u64| {
        let each = (0..cluster.nodes.len()).map(|place| held(place).to_string());
        each.collect::<Vec<_>>().join(", ")
    };
    let memory = of_nodes(&|place| memory_mib(cluster.nodes[place].pid()));
    let disk = of_nodes(&|place| disk_mib(&cluster.nodes[place].spec.data_dir));
    let view = cluster.nodes[0].view().unwrap_or_else(|error| panic!("{error}"));
    let instances = Samples::of(cluster.addrs()[0]).value("rs_registry_instances{status=\"UP\"}");
    let applied = view.applied_index.unwrap_or_default();
    format!("instances {instances}; RSS {memory} MiB; disk {disk} MiB; applied index {applied}")
}
