//! What every client has to live through, in its own words for looking and leaving.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::harness::{Cluster, Document, until};

/// Several lease durations of the clients.
const WATCH: Duration = Duration::from_secs(10);

/// A running application that registered itself.
pub trait Client {
    /// The ids that this client has found for an application.
    fn see(&mut self, app: &str) -> Vec<String>;

    /// Ends it as its users would, so that it unregisters.
    fn stop(self);
}

/// Starts an application under a name and id, with these URLs in this order.
pub type Start<'a, C> = dyn Fn(&Cluster, &str, &str, &str) -> C + 'a;

/// Two applications find each other while the nodes they talk to are killed, and one leaves.
pub fn live_through_failover<C: Client>(start: &Start<'_, C>) {
    let mut cluster = Cluster::start(3);
    let provider_node = cluster.leader();
    let consumer_node = (provider_node + 1) % 3;
    let orders = Document::new("ORDERS", "orders-1");
    let shop = Document::new("SHOP", "shop-1");
    let provider = start(&cluster, &orders.app, &orders.id, &urls(&cluster, provider_node));
    let mut consumer = start(&cluster, &shop.app, &shop.id, &urls(&cluster, consumer_node));
    until_seen(&mut consumer, &orders, &["orders-1"]);

    // Both at once, unless the cluster has elected anew: the leader, and the node that the provider
    // renews at.
    let leader = cluster.leader();
    cluster.nodes[leader].kill();
    assert_ne!(cluster.leader(), leader);
    assert_stay(&mut cluster, &[&orders, &shop]);
    cluster.nodes[leader].start();
    cluster.nodes[leader].wait_ready();

    cluster.nodes[consumer_node].kill();
    cluster.leader();
    assert_stay(&mut cluster, &[&orders, &shop]);
    let second = start(&cluster, &orders.app, "orders-2", &urls(&cluster, provider_node));
    until_seen(&mut consumer, &orders, &["orders-1", "orders-2"]);
    cluster.nodes[consumer_node].start();
    cluster.nodes[consumer_node].wait_ready();

    second.stop();
    until_gone(&cluster, &Document::new("ORDERS", "orders-2"));
    until_seen(&mut consumer, &orders, &["orders-1"]);
    provider.stop();
    until_gone(&cluster, &orders);
    until_seen(&mut consumer, &orders, &[]);
    consumer.stop();
    until_gone(&cluster, &shop);
    cluster.assert_states_equal();
}

/// The URLs of all nodes, from this one on.
fn urls(cluster: &Cluster, first: usize) -> String {
    let addrs = cluster.addrs();
    let ordered = addrs.iter().cycle().skip(first).take(addrs.len());
    ordered.map(|addr| format!("http://{addr}/eureka/")).collect::<Vec<_>>().join(",")
}

fn until_seen<C: Client>(consumer: &mut C, document: &Document, wanted: &[&str]) {
    until("the consumer sees what is registered", || match consumer.see(&document.app) {
        seen if seen == wanted => Ok(()),
        seen => Err(format!("{seen:?} instead of {wanted:?}")),
    });
}

fn until_gone(cluster: &Cluster, document: &Document) {
    until(&format!("{} is gone from all nodes", document.id), || {
        match cluster.addrs().into_iter().find(|addr| status(document, *addr) != 404) {
            Some(addr) => Err(format!("it is at {addr}")),
            None => Ok(()),
        }
    });
}

/// Watches the running nodes; at none may any of these be missing even for a moment.
fn assert_stay(cluster: &mut Cluster, documents: &[&Document]) {
    let start = Instant::now();
    while start.elapsed() < WATCH {
        for node in &mut cluster.nodes {
            if node.is_running() {
                for document in documents {
                    assert_eq!(
                        status(document, node.spec.http),
                        200,
                        "{} at node {}",
                        document.id,
                        node.spec.id
                    );
                }
            }
        }
    }
}

fn status(document: &Document, addr: SocketAddr) -> u16 {
    document.read().send(addr).map_or(0, |response| response.status)
}
