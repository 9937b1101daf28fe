//! Renewals at full speed: what do they leave on disk? `FIGURES_RENEWALS` is how many there are, `FIGURES_INSTANCES` how
//! many instances.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::client::Call;
use super::figure::{Figure, cluster, disk_mib, runtime, setting};
use super::fleet;
use super::load::{Job, Load};

/// Nothing must end while this runs.
const LEASE_SECS: u32 = 24 * 3600;
const CONNECTIONS: usize = 64;
/// Between two looks at the directories: a log file is dropped as soon as a snapshot is behind it.
const LOOK: Duration = Duration::from_millis(500);

#[test]
#[ignore = "a measurement, of minutes"]
fn disk() {
    let wanted: u64 = setting("FIGURES_RENEWALS", 1_000_000);
    let instances: usize = setting("FIGURES_INSTANCES", 10_000);
    let mut figure = Figure::begin("disk");
    let runtime = runtime();
    let mut cluster = cluster();
    let addrs = cluster.addrs();
    let documents = fleet::spring_documents("DISK", instances, LEASE_SECS);
    fleet::register(&runtime, &addrs, &documents);
    let registered: usize = documents.iter().map(|document| document.json().len()).sum();

    let renewals: Vec<Call> = documents.iter().map(Call::renew).collect();
    let shares = renewals.chunks(renewals.len().div_ceil(CONNECTIONS)).enumerate();
    let jobs = shares.map(|(place, calls)| Job {
        nodes: vec![addrs[place % addrs.len()]],
        calls: calls.to_vec(),
        interval: Duration::ZERO,
        delay: Duration::ZERO,
    });
    let load = Load::start(&runtime, jobs);
    let began = Instant::now();
    let mut most = vec![0; cluster.nodes.len()];
    let (mut renewed, mut failed) = (0, Vec::new());
    while renewed < wanted && failed.is_empty() {
        thread::sleep(LOOK);
        for (most, node) in most.iter_mut().zip(&cluster.nodes) {
            *most = disk_mib(&node.spec.data_dir).max(*most);
        }
        let counts = load.tally.take();
        renewed += counts.latency.count();
        failed.extend(counts.failed);
    }
    drop(load);
    figure.row("renewals; they took", format!("{renewed}; {:.0?}", began.elapsed()));
    figure.row("MiB of documents as they were registered", registered >> 20);
    for (node, most) in cluster.nodes.iter().zip(most) {
        let snapshot = fs::metadata(node.spec.data_dir.join("snapshot/current"));
        let snapshot = snapshot.map_or_else(|_| "none".to_owned(), |found| (found.len() >> 20).to_string());
        figure.row(
            format!("node {}: MiB on disk at most; of its snapshot", node.spec.id),
            format!("{most}; {snapshot}"),
        );
    }
    figure.end();
    assert!(failed.is_empty(), "renewals failed: {failed:?}");
    cluster.assert_states_equal();
}
