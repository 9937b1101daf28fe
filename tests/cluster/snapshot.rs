//! A follower that was away longer than the leader keeps its log.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};

use super::harness::{Cluster, Document, applications, until};

/// Far beyond what a leader with the flags below keeps.
const WRITES: usize = 500;
/// What each client at the other nodes goes on writing and reading.
const INSTANCES_PER_CLIENT: usize = 10;

#[test]
fn a_follower_that_missed_what_the_leader_purged_catches_up_while_the_others_serve() {
    let mut cluster = Cluster::start_with(3, &["--snapshot-entries", "100", "--snapshot-keep-entries", "20"]);
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
    let others: Vec<usize> = (0..3).filter(|place| *place != follower).collect();
    until("both others have purged what the follower missed", || {
        for place in &others {
            let view = cluster.nodes[*place].view()?;
            if view.purged_index <= Some(before + 1) {
                return Err(format!("{view:?} has entry {}", before + 1));
            }
        }
        Ok(())
    });

    let addrs = cluster.addrs();
    let caught_up = AtomicBool::new(false);
    let served: Vec<usize> = thread::scope(|scope| {
        let clients: Vec<_> =
            others.iter().map(|place| client(scope, addrs[*place], *place, &caught_up)).collect();
        let node = &mut cluster.nodes[follower];
        node.start();
        node.wait_ready();
        caught_up.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().expect("a client that was always served")).collect()
    });
    assert!(served.iter().all(|rounds| *rounds > 0), "a client was not served at all: {served:?}");

    cluster.assert_states_equal();
    let caught_up = cluster.nodes[follower].view().expect("a view");
    assert!(caught_up.snapshot_index > Some(before), "no snapshot was installed: {caught_up:?}");
    assert!(caught_up.purged_index > Some(before), "its log has no gap: {caught_up:?}");
    let registries: Vec<_> = cluster.addrs().into_iter().map(applications).collect();
    assert_eq!(registries[follower]["SNAPSHOT"].len(), 100);
    for place in others {
        assert!(
            registries[follower].contains_key(&app_of(place)),
            "what node {} was sent meanwhile",
            place + 1
        );
    }
    assert!(registries.iter().all(|registry| *registry == registries[0]), "registries differ");

    // What it caught up with is also what it starts from.
    cluster.nodes[follower].restart();
    cluster.assert_states_equal();
    assert!(applications(cluster.addrs()[follower]) == registries[0], "after a restart");
}

/// Registers, reads and renews at one node until `done`; returns how often.
///
/// # Panics
/// In its thread, when a request is not answered as it should be.
fn client<'scope>(
    scope: &'scope Scope<'scope, '_>,
    addr: SocketAddr,
    place: usize,
    done: &'scope AtomicBool,
) -> ScopedJoinHandle<'scope, usize> {
    scope.spawn(move || {
        let mut rounds = 0;
        while !done.load(Ordering::Relaxed) {
            let id = format!("i-{}", rounds % INSTANCES_PER_CLIENT);
            let document = Document::new(&app_of(place), &id);
            assert_eq!(document.register().expect(addr).status, 204, "{id} at node {}", place + 1);
            assert_eq!(document.read().expect(addr).status, 200, "{id} at node {}", place + 1);
            assert_eq!(document.renew().expect(addr).status, 200, "{id} at node {}", place + 1);
            rounds += 1;
        }
        rounds
    })
}

fn app_of(place: usize) -> String {
    format!("MEANWHILE-{place}")
}
