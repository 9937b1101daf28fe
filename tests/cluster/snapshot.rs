//! A follower that was away longer than the leader keeps its log.

use super::harness::{Cluster, Document, applications};

/// Far beyond what a leader with the flags below keeps.
const WRITES: usize = 1_200;

#[test]
fn a_follower_that_missed_what_the_leader_purged_catches_up() {
    let mut cluster = Cluster::start_with(3, &["--snapshot-entries", "200", "--snapshot-keep-entries", "20"]);
    let follower = cluster.follower();
    cluster.nodes[follower].kill();
    let leader = cluster.leader();
    let addr = cluster.addrs()[leader];
    for number in 0..WRITES {
        let document = Document::new("SNAPSHOT", &format!("i-{}", number % 100));
        assert_eq!(document.register().expect(addr).status, 204, "write {number}");
    }
    let leader_dir = cluster.nodes[leader].spec.data_dir.join("snapshot");
    let snapshots = std::fs::read_dir(&leader_dir).map_or(0, Iterator::count);
    assert!(snapshots > 0, "the leader has no snapshot in {}", leader_dir.display());

    cluster.nodes[follower].start();
    cluster.nodes[follower].wait_ready();
    cluster.assert_states_equal();
    let registries: Vec<_> = cluster.addrs().into_iter().map(applications).collect();
    assert_eq!(registries[follower]["SNAPSHOT"].len(), 100);
    assert!(registries.iter().all(|registry| *registry == registries[0]), "registries differ");

    // What it caught up with is also what it starts from.
    cluster.nodes[follower].restart();
    cluster.assert_states_equal();
    assert!(applications(cluster.addrs()[follower]) == registries[0], "after a restart");
}
