//! Leases: one that is renewed outlives its leaders, one that is not ends on every node.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::clients::StopOnDrop;
use super::harness::{Cluster, Document, applications, until};

const LEASE_SECS: u32 = 3;
const RENEWAL_INTERVAL: Duration = Duration::from_secs(1);
const CLIENTS: usize = 12;
/// A client gives up a node that does not answer in time and renews at the next.
const CLIENT_TIMEOUT: Duration = Duration::from_millis(700);
const LEADER_KILLS: usize = 2;

#[test]
fn a_renewed_lease_outlives_its_leaders_and_an_abandoned_one_ends_everywhere() {
    let mut cluster = Cluster::start(3);
    let addrs = cluster.addrs();
    let abandoned = Document::new("ABANDONED", "i-1").lease_secs(LEASE_SECS);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let document = Document::new("RENEWED", &format!("i-{client}")).lease_secs(LEASE_SECS);
                assert_eq!(document.register().expect(addrs[client % addrs.len()]).status, 204);
                let (addrs, stop) = (&addrs, &stop);
                scope.spawn(move || renew_until(stop, &document, client, addrs))
            })
            .collect();
        let stop_clients = StopOnDrop(&stop);
        for _ in 0..LEADER_KILLS {
            let leader = cluster.leader();
            assert_eq!(abandoned.register().expect(addrs[leader]).status, 204);
            cluster.nodes[leader].kill();
            assert_ends_everywhere(&mut cluster, &abandoned);
            assert_renewed_are_there(&mut cluster);
            cluster.nodes[leader].start();
            cluster.nodes[leader].wait_ready();
        }
        drop(stop_clients);
        for client in clients {
            let refused = client.join().expect("a client ends");
            assert_eq!(refused, 0, "a renewal of a live lease was answered 404");
        }
    });
}

/// Renews once a second as clients do, at the next node when one fails; returns how many renewals
/// were answered 404.
fn renew_until(stop: &AtomicBool, document: &Document, first: usize, addrs: &[SocketAddr]) -> usize {
    let mut at = first;
    let mut refused = 0;
    let mut due = Instant::now() + RENEWAL_INTERVAL;
    while !stop.load(Ordering::Relaxed) {
        // The pace of a client is what is tested here; nothing waits for these to end.
        thread::sleep(due.saturating_duration_since(Instant::now()).min(Duration::from_millis(50)));
        if Instant::now() < due {
            continue;
        }
        match document.renew().read_timeout(CLIENT_TIMEOUT).send(addrs[at % addrs.len()]) {
            Ok(response) if response.status == 200 => due += RENEWAL_INTERVAL,
            Ok(response) if response.status == 404 => {
                refused += 1;
                due += RENEWAL_INTERVAL;
            }
            _ => at += 1,
        }
    }
    refused
}

fn assert_ends_everywhere(cluster: &mut Cluster, document: &Document) {
    until("an abandoned lease ends on every node", || {
        for node in &mut cluster.nodes {
            if node.is_running() && document.read().send(node.spec.http).map_or(0, |read| read.status) != 404
            {
                return Err(format!("node {} still has it", node.spec.id));
            }
        }
        Ok(())
    });
}

fn assert_renewed_are_there(cluster: &mut Cluster) {
    for node in &mut cluster.nodes {
        if node.is_running() {
            let renewed = applications(node.spec.http).remove("RENEWED").unwrap_or_default();
            assert_eq!(renewed.len(), CLIENTS, "node {} shows {:?}", node.spec.id, renewed.keys());
        }
    }
}
