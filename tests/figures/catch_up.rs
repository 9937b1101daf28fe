//! A follower is away while far more entries go through the log than are kept: how soon after its
//! start is it ready again, and do the others serve meanwhile? `FIGURES_ENTRIES` is how many entries
//! it misses, `FIGURES_INSTANCES` how many instances there are.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::client::Call;
use super::figure::{Figure, cluster, memory_mib, runtime, setting};
use super::fleet;
use super::harness::Cluster;
use super::load::{Job, Load};

/// Nothing must end while this runs.
const LEASE_SECS: u32 = 24 * 3600;
/// Few, so that what they send does not share its entries.
const WRITING: usize = 4;
/// Between two looks at the log.
const POLL: Duration = Duration::from_millis(200);
/// Clients of the other two nodes while the follower comes back, and what each of them leaves between two writes.
const SERVED: usize = 32;
const INTERVAL: Duration = Duration::from_millis(20);
/// With these alone, to compare with; and for the nodes to come to rest before.
const BEFORE: Duration = Duration::from_secs(10);

#[test]
#[ignore = "a measurement, of many minutes"]
fn catch_up() {
    let missed: u64 = setting("FIGURES_ENTRIES", 1_000_000);
    let instances: usize = setting("FIGURES_INSTANCES", 10_000);
    let mut figure = Figure::begin("catch_up");
    let runtime = runtime();
    let mut cluster = cluster();
    let addrs = cluster.addrs();
    let documents = fleet::spring_documents("AWAY", instances, LEASE_SECS);
    fleet::register(&runtime, &addrs, &documents);

    let follower = cluster.follower();
    cluster.assert_states_equal();
    cluster.nodes[follower].kill();
    let leader = cluster.leader();
    let before = last_index(&cluster, leader);
    let renewals: Vec<Call> = documents.iter().map(Call::renew).collect();
    let writing = |connections, nodes: &[usize], interval| {
        let share = renewals.chunks(renewals.len().div_ceil(connections)).enumerate();
        let jobs = share.map(|(place, calls)| Job {
            nodes: vec![addrs[nodes[place % nodes.len()]]],
            calls: calls.to_vec(),
            interval,
            delay: Duration::ZERO,
        });
        Load::start(&runtime, jobs)
    };
    let entries = writing(WRITING, &[leader], Duration::ZERO);
    let began = Instant::now();
    while last_index(&cluster, leader) < before + missed {
        thread::sleep(POLL);
    }
    let away = began.elapsed();
    assert!(entries.tally.take().failed.is_empty(), "renewals failed");
    drop(entries);
    figure.row("entries while the follower was away; that took", format!("{missed}; {away:.0?}"));

    let others: Vec<usize> = (0..addrs.len()).filter(|place| *place != follower).collect();
    let served = writing(SERVED, &others, INTERVAL);
    thread::sleep(BEFORE);
    drop(served.tally.take());
    thread::sleep(BEFORE);
    let alone = served.tally.take();
    cluster.nodes[follower].start();
    let started = Instant::now();
    cluster.nodes[follower].wait_ready();
    let ready = started.elapsed();
    let meanwhile = served.tally.take();
    figure.row("start of the follower -> ready", format!("{ready:.0?}"));
    for (when, counts) in [("in the ten seconds before", &alone), ("until it was ready", &meanwhile)] {
        figure.row(format!("a renewal at the others {when}, {:.0}/s", counts.per_second()), &counts.latency);
        let gap = format!("{:?}; {}", counts.longest_gap, counts.failed.len());
        figure.row("the longest time without one; failed", gap);
    }
    drop(served);
    let snapshot = cluster.nodes[follower].spec.data_dir.join("snapshot/current");
    let bytes = fs::metadata(&snapshot).unwrap_or_else(|error| panic!("no snapshot: {error}")).len();
    figure.row("bytes of its snapshot", bytes);
    let memory = cluster.nodes.iter().map(|node| format!("{} MiB", memory_mib(node.pid())));
    figure.row("memory (RSS)", memory.collect::<Vec<_>>().join(", "));
    figure.end();
    assert!(
        alone.failed.is_empty() && meanwhile.failed.is_empty(),
        "{:?} {:?}",
        alone.failed,
        meanwhile.failed
    );
    let view = cluster.nodes[follower].view().expect("a view of the follower");
    assert!(view.purged_index > Some(before), "it caught up from the log alone: {view:?}");
    cluster.assert_states_equal();
}

fn last_index(cluster: &Cluster, place: usize) -> u64 {
    let view = cluster.nodes[place].view().unwrap_or_else(|error| panic!("{error}"));
    view.last_log_index.expect("an index")
}
