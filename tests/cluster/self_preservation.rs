//! Leases that fall silent together are kept for a while, and every node says since when and why.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::clients::StopOnDrop;
use super::harness::{Cluster, Document, Request, Samples, applications, until};

const LEASE_SECS: u32 = 3;
const CLIENT_TIMEOUT: Duration = Duration::from_millis(700);

/// Instances of one application that can be told to fall silent.
struct Clients {
    documents: Vec<Document>,
    silent: Vec<AtomicBool>,
    stop: AtomicBool,
}

impl Clients {
    fn register(app: &str, count: usize, addrs: &[SocketAddr]) -> Self {
        let document = |client| Document::new(app, &format!("i-{client}")).lease_secs(LEASE_SECS);
        let documents: Vec<Document> = (0..count).map(document).collect();
        for (client, document) in documents.iter().enumerate() {
            assert_eq!(document.register().expect(addrs[client % addrs.len()]).status, 204);
        }
        let silent = documents.iter().map(|_| AtomicBool::new(false)).collect();
        Self { documents, silent, stop: AtomicBool::new(false) }
    }

    /// Renews all that are not silent, several times a lease; a renewal goes to the next node when one
    /// fails. None may be answered 404.
    fn renew_until_stopped(&self, addrs: &[SocketAddr]) {
        while !self.stop.load(Ordering::Relaxed) {
            for (document, silent) in self.documents.iter().zip(&self.silent) {
                if silent.load(Ordering::Relaxed) {
                    continue;
                }
                let status = |addr: &SocketAddr| {
                    let response = document.renew().read_timeout(CLIENT_TIMEOUT).send(*addr);
                    response.map_or(0, |response| response.status)
                };
                let answered = addrs.iter().map(status).find(|status| [200, 404].contains(status));
                assert_ne!(answered, Some(404), "a renewal of a live lease: {}", document.id);
            }
            // The pace of clients; nothing waits for this to end.
            thread::sleep(Duration::from_millis(300));
        }
    }

    fn silence(&self, clients: Range<usize>, silent: bool) {
        self.silent[clients].iter().for_each(|client| client.store(silent, Ordering::Relaxed));
    }
}

fn with_clients(cluster: &mut Cluster, all: &[&Clients], test: impl FnOnce(&mut Cluster)) {
    let addrs = cluster.addrs();
    thread::scope(|scope| {
        let renewing: Vec<_> =
            all.iter().map(|clients| scope.spawn(|| clients.renew_until_stopped(&addrs))).collect();
        let stop: Vec<StopOnDrop<'_>> = all.iter().map(|clients| StopOnDrop(&clients.stop)).collect();
        test(cluster);
        drop(stop);
        for clients in renewing {
            clients.join().expect("clients end");
        }
    });
}

/// What a node says is in force.
fn in_force(addr: SocketAddr) -> Vec<Value> {
    let told = Request::get("/api/cluster").expect(addr).value();
    let in_force = told["self_preservation"]["in_force"].as_array();
    in_force.unwrap_or_else(|| panic!("a list in {told}")).clone()
}

fn until_in_force(addr: SocketAddr, scope: &str, held: usize) -> Value {
    until("self-preservation is in force and holds the silent leases", || {
        let told = in_force(addr);
        match told.iter().find(|told| told["scope"] == scope && told["held"] == held) {
            Some(told) => Ok(told.clone()),
            None => Err(format!("{told:?}")),
        }
    })
}

fn until_nothing_in_force(addr: SocketAddr) {
    until("self-preservation has ended", || match in_force(addr) {
        told if told.is_empty() => Ok(()),
        told => Err(format!("{told:?}")),
    });
}

fn metric(addr: SocketAddr, sample: &str) -> f64 {
    Samples::of(addr).value(sample)
}

fn ids(addr: SocketAddr, app: &str) -> BTreeSet<String> {
    applications(addr).remove(app).unwrap_or_default().into_keys().collect()
}

#[test]
fn a_fifth_of_an_application_that_crashes_is_held_for_a_while_and_then_ends() {
    let mut cluster = Cluster::start_with(3, &["--self-preservation-longest-hold-ms", "8000"]);
    let addrs = cluster.addrs();
    let orders = Clients::register("ORDERS", 20, &addrs);
    with_clients(&mut cluster, &[&orders], |_| {
        orders.silence(0..4, true);
        for addr in &addrs {
            let told = until_in_force(*addr, "application", 4);
            assert_eq!(told["application"], "ORDERS", "{told}");
            assert_eq!((&told["silent"], &told["leases"]), (&4.into(), &20.into()), "{told}");
            assert!(told["since_ms"].as_i64().is_some_and(|since_ms| since_ms > 0), "{told}");
            let reason = told["reason"].as_str().unwrap_or_default();
            assert_eq!(reason, "4 of 20 leases of application ORDERS fell silent together");
            let held: Vec<&Value> = told["held_instances"].as_array().into_iter().flatten().collect();
            assert_eq!(held.iter().filter(|held| held["application"] == "ORDERS").count(), 4, "{told}");
            assert_eq!(metric(*addr, "rs_registry_self_preservation_held{application=\"ORDERS\"}"), 4.0);
        }
        let left: BTreeSet<String> = orders.documents[4..].iter().map(|client| client.id.clone()).collect();
        for addr in &addrs {
            until("the crashed ones are gone and nobody else", || match ids(*addr, "ORDERS") {
                found if found == left => Ok(()),
                found => Err(format!("{found:?}")),
            });
            until_nothing_in_force(*addr);
        }
    });
    cluster.assert_states_equal();
}

#[test]
fn a_cut_between_all_clients_and_the_cluster_ends_nobody_also_when_the_leader_dies_in_it() {
    let mut cluster = Cluster::start(3);
    let addrs = cluster.addrs();
    let orders = Clients::register("ORDERS", 8, &addrs);
    let small = Clients::register("SMALL", 2, &addrs);
    cluster.settled();
    let at_start: Vec<_> = addrs.iter().map(|addr| registrations(*addr)).collect();
    with_clients(&mut cluster, &[&orders, &small], |cluster| {
        orders.silence(0..8, true);
        small.silence(0..2, true);
        for addr in &addrs {
            until_in_force(*addr, "cluster", 10);
        }
        let leader = cluster.leader();
        cluster.nodes[leader].kill();
        let successor = cluster.leader();
        // Longer than its new leases last, and than it takes to end those that are not held.
        let lease = Duration::from_secs(u64::from(LEASE_SECS));
        thread::sleep(lease + lease);
        until_in_force(addrs[successor], "cluster", 10);
        cluster.nodes[leader].start();
        cluster.nodes[leader].wait_ready();

        orders.silence(0..8, false);
        small.silence(0..2, false);
        for addr in &addrs {
            until_nothing_in_force(*addr);
        }
    });
    // The same leases as at the start, not new ones.
    let at_end: Vec<_> = addrs.iter().map(|addr| registrations(*addr)).collect();
    assert_eq!(at_end, at_start);
    cluster.assert_states_equal();
}

#[test]
fn a_small_application_that_crashes_is_not_held() {
    let mut cluster = Cluster::start(3);
    let addrs = cluster.addrs();
    let others = Clients::register("OTHERS", 12, &addrs);
    let small = Clients::register("SMALL", 5, &addrs);
    with_clients(&mut cluster, &[&others, &small], |_| {
        small.silence(0..5, true);
        for addr in &addrs {
            until("the crashed ones are gone", || match ids(*addr, "SMALL") {
                found if found.is_empty() => Ok(()),
                found => {
                    assert!(in_force(*addr).is_empty(), "{:?}", in_force(*addr));
                    Err(format!("{found:?}"))
                }
            });
            assert_eq!(ids(*addr, "OTHERS").len(), 12);
            assert_eq!(metric(*addr, "rs_registry_self_preservation_in_force{application=\"\"}"), 0.0);
        }
    });
}

#[test]
fn switched_off_it_holds_nobody() {
    let mut cluster = Cluster::start_with(3, &["--self-preservation", "false"]);
    let addrs = cluster.addrs();
    let orders = Clients::register("ORDERS", 20, &addrs);
    with_clients(&mut cluster, &[&orders], |_| {
        orders.silence(0..20, true);
        until("all are gone", || match ids(addrs[1], "ORDERS") {
            found if found.is_empty() => Ok(()),
            found => {
                assert!(in_force(addrs[1]).is_empty(), "{:?}", in_force(addrs[1]));
                Err(format!("{found:?}"))
            }
        });
    });
    let told = Request::get("/api/cluster").expect(addrs[0]).value();
    assert_eq!(told["self_preservation"]["enabled"], false);
}

/// When each instance was registered, as a node shows it.
fn registrations(addr: SocketAddr) -> Vec<(String, String, Value)> {
    let all = applications(addr).into_iter();
    let instances = all.flat_map(|(app, instances)| {
        let registered = |(id, instance): (String, Value)| {
            (app.clone(), id, instance["leaseInfo"]["registrationTimestamp"].clone())
        };
        instances.into_iter().map(registered).collect::<Vec<_>>()
    });
    instances.collect()
}
