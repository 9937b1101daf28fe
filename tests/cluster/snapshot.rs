//! A follower that was away longer than the leader keeps its log.

use super::harness::{Cluster, Document, applications, until};

/// Far beyond what a leader with the flags below keeps.
const WRITES: usize = 1_200;

#[test]
fn a_follower_that_missed_what_the_leader_purged_catches_up() {
    let mut cluster = Cluster::start_with(3, &["--snapshot-entries", "200", "--snapshot-keep-entries", "20"]);
    let follower = cluster.follower();
    let before = cluster.settled()[follower].last_log_index.expect("an index");
    cluster.nodes[follower].kill();
    let leader = cluster.leader();
    let addr = cluster.addrs()[leader];
    for number in 0..WRITES {
        let document = Document::new("SNAPSHOT", &format!("i-{}", number % 100));
        assert_eq!(document.register().expect(addr).status, 204, "write {number}");
    }
    // From here on what the follower lacks is in no log, whoever leads.
    until("both others have purged what the follower missed", || {
        for place in (0..3).filter(|place| *place != follower) {
            let view = cluster.nodes[place].view()?;
            if view.purged_index <= Some(before + 1) {
                return Err(format!("{view:?} has entry {}", before + 1));
            }
        }
        Ok(())
    });

    cluster.nodes[follower].start();
    cluster.nodes[follower].wait_ready();
    cluster.assert_states_equal();
    let caught_up = cluster.nodes[follower].view().expect("a view");
    assert!(caught_up.snapshot_index > Some(before), "no snapshot was installed: {caught_up:?}");
    assert!(caught_up.purged_index > Some(before), "its log has no gap: {caught_up:?}");
    let registries: Vec<_> = cluster.addrs().into_iter().map(applications).collect();
    assert_eq!(registries[follower]["SNAPSHOT"].len(), 100);
    assert!(registries.iter().all(|registry| *registry == registries[0]), "registries differ");

    // What it caught up with is also what it starts from.
    cluster.nodes[follower].restart();
    cluster.assert_states_equal();
    assert!(applications(cluster.addrs()[follower]) == registries[0], "after a restart");
}
