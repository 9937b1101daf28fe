//! No acknowledged registration is ever lost, and all nodes hold the same.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::clients::StopOnDrop;
use super::harness::{Applications, Cluster, Document, Node, applications, until};

const CLIENTS: usize = 6;
const LEADER_KILLS: usize = 4;
/// How much is written at least between two events; several writes may share an entry.
const ENTRIES_PER_LIFE: u64 = 50;
/// Longer than the test, since none of these is renewed.
const LEASE_SECS: u32 = 3_600;

#[test]
fn no_acknowledged_registration_is_lost_while_leaders_are_killed() {
    let mut cluster = Cluster::start(3);
    let addrs = cluster.addrs();
    let stop = AtomicBool::new(false);
    let acknowledged = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (addrs, stop) = (&addrs, &stop);
                scope.spawn(move || register_until(stop, client, addrs))
            })
            .collect();
        // Whatever panics here must not leave the clients running for ever.
        let stop_clients = StopOnDrop(&stop);
        for _ in 0..LEADER_KILLS {
            let leader = cluster.leader();
            wait_for_writes(&cluster.nodes[leader]);
            cluster.nodes[leader].kill();
            let survivor = cluster.leader();
            wait_for_writes(&cluster.nodes[survivor]);
            cluster.nodes[leader].start();
            cluster.nodes[leader].wait_ready();
        }
        drop(stop_clients);
        let writes = clients.into_iter().flat_map(|client| client.join().expect("a client ends"));
        writes.collect::<BTreeSet<(String, String)>>()
    });
    println!("{} registrations were acknowledged over {LEADER_KILLS} killed leaders", acknowledged.len());
    assert_all_hold(&mut cluster, &acknowledged);

    for node in &mut cluster.nodes {
        node.kill();
    }
    for node in &mut cluster.nodes {
        node.start();
    }
    for node in &mut cluster.nodes {
        node.wait_ready();
    }
    assert_all_hold(&mut cluster, &acknowledged);
}

/// Registers one instance after the other at one node after the other; returns those that were
/// answered 204.
fn register_until(stop: &AtomicBool, client: usize, addrs: &[SocketAddr]) -> Vec<(String, String)> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let document = Document::new(&format!("APP-{}", number % 7), &format!("c{client}-{number}"))
            .lease_secs(LEASE_SECS);
        let addr = addrs[(client + number) % addrs.len()];
        match document.register().send(addr) {
            Ok(response) if response.status == 204 => acknowledged.push((document.app, document.id)),
            Ok(response) => assert_eq!(response.status, 503, "a register is answered 204 or 503"),
            // The node is dead; its next life is waited for by others.
            Err(_) => thread::yield_now(),
        }
    }
    acknowledged
}

/// Waits until this node has applied a good deal more than it has now.
fn wait_for_writes(node: &Node) {
    let applied = || node.view().map(|view| view.applied_index.unwrap_or_default());
    let before = until("the node says what it has applied", applied);
    until("clients make progress", || match applied()? - before {
        more if more >= ENTRIES_PER_LIFE => Ok(()),
        more => Err(format!("{more} more entries")),
    });
}

fn assert_all_hold(cluster: &mut Cluster, acknowledged: &BTreeSet<(String, String)>) {
    cluster.assert_states_equal();
    let registries: Vec<Applications> = cluster.addrs().into_iter().map(applications).collect();
    for (registry, node) in registries.iter().zip(1..) {
        let lost: Vec<_> = acknowledged
            .iter()
            .filter(|(app, id)| !registry.get(app).is_some_and(|instances| instances.contains_key(id)))
            .collect();
        assert!(lost.is_empty(), "node {node} lacks {} of {}: {lost:?}", lost.len(), acknowledged.len());
        assert!(*registry == registries[0], "node {node} shows another registry than node 1");
    }
}
