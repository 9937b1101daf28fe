//! What every client has to live through.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::application::Application;
use super::client::{Client, Read};
use super::harness::{Cluster, Document, Node, until};
use super::{odd_instances, registry_view};

/// Longer than the lease of an application, so that one that no longer renews is missed.
const WATCH: Duration = Duration::from_secs(6);

const PROVIDER: &str = "ORDERS";
const CONSUMER: &str = "SHOP";
const CONSUMER_ID: &str = "shop-1";

/// Two applications find each other while each node in turn is killed and comes back: whichever one
/// a client talks to is killed under it. After every kill all the client's calls must work again,
/// and no lease may be lost; in the end everyone leaves.
pub fn live_through_failover(client: Client) {
    let mut run = Run { cluster: Cluster::start(3), client };
    odd_instances::register(run.addr(0));
    let [first, second] = run.client.ids;
    let mut provider = run.start(PROVIDER, first, 0);
    let mut consumer = run.start(CONSUMER, CONSUMER_ID, 1);
    run.until_seen(&mut consumer, &[first]);
    run.assert_metadata(&mut consumer, first);
    run.check_calls(&mut provider, &mut consumer, 0);

    for place in 0..3 {
        run.cluster.nodes[place].kill();
        let survivor = (place + 1) % 3;
        run.check_calls(&mut provider, &mut consumer, survivor);
        run.assert_stay(&[(PROVIDER, first), (CONSUMER, CONSUMER_ID)]);
        odd_instances::renew(run.addr(survivor));
        if place == 1 {
            let another = run.start(PROVIDER, second, 0);
            run.until_seen(&mut consumer, &[first, second]);
            another.stop();
            run.until_gone(PROVIDER, second);
            run.until_seen(&mut consumer, &[first]);
        }
        run.cluster.nodes[place].start();
        run.cluster.nodes[place].wait_ready();
    }

    run.assert_comes_back(&mut consumer, first);
    run.assert_hash_after_deltas(&mut provider, &mut consumer);
    provider.stop();
    run.until_gone(PROVIDER, first);
    run.until_seen(&mut consumer, &[]);
    run.until_vip_is_empty(&mut consumer);
    consumer.stop();
    run.until_gone(CONSUMER, CONSUMER_ID);
    run.cluster.assert_states_equal();
}

/// What applications register as their metadata, unless their library has no way to.
fn metadata() -> Map<String, Value> {
    let metadata = json!({"zone": "a", "odd key_$": "ż <&> \"it's\"", "9lives": "cat", "a:b": "colon"});
    let Value::Object(metadata) = metadata else { unreachable!("an object literal") };
    metadata
}

fn vip(app: &str) -> String {
    format!("{}-vip", app.to_lowercase())
}

/// How often a client has read the registry.
#[derive(Debug, Deserialize)]
struct Fetches {
    full: u64,
    delta: u64,
}

struct Run {
    cluster: Cluster,
    client: Client,
}

impl Run {
    fn addr(&self, place: usize) -> SocketAddr {
        self.cluster.nodes[place].spec.http
    }

    /// Starts an application whose list of URLs begins with that of one node.
    fn start(&self, app: &str, id: &str, first_node: usize) -> Application {
        let template = &self.client.command;
        let mut command = Command::new(template.get_program());
        command.args(template.get_args());
        for (name, value) in template.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.args([app, id, &vip(app), &self.urls(first_node)]);
        command.arg(Value::Object(metadata()).to_string());
        Application::start(&mut command, self.log_file(app, id))
    }

    fn log_file(&self, app: &str, id: &str) -> PathBuf {
        let plain: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
        self.cluster.scratch(&format!("{app}-{plain}.log"))
    }

    fn urls(&self, first_node: usize) -> String {
        let addrs = self.cluster.addrs();
        let ordered = addrs.iter().cycle().skip(first_node).take(addrs.len());
        ordered.map(|addr| format!("http://{addr}/eureka/")).collect::<Vec<_>>().join(",")
    }

    /// Every call that the library has, compared with what a node shows.
    fn check_calls(&self, provider: &mut Application, consumer: &mut Application, place: usize) {
        let addr = self.addr(place);
        let id = self.client.ids[0];
        for read in self.client.reads {
            self.until_read(*read, consumer, addr);
        }
        self.until_seen(consumer, &[id]);
        for status in self.client.statuses {
            self.change_status(provider, status, addr);
            self.until_seen(consumer, &[]);
        }
        if !self.client.statuses.is_empty() {
            self.change_status(provider, "UP", addr);
            self.until_seen(consumer, &[id]);
        }
        self.until_sees_odd_instances(consumer);
    }

    fn until_read(&self, read: Read, consumer: &mut Application, addr: SocketAddr) {
        let id = self.client.ids[0];
        let provider = Document::new(PROVIDER, id);
        let instance_path = provider.path().replace("/eureka", "");
        let vip = vip(PROVIDER);
        let secure_vip = format!("{vip}-secure");
        let (names, path) = match read {
            Read::All => (vec!["all"], "/apps".to_owned()),
            Read::Delta => (vec!["delta"], "/apps/delta".to_owned()),
            Read::Application => (vec!["app", PROVIDER], format!("/apps/{PROVIDER}")),
            Read::Instance => (vec!["instance", PROVIDER, id], instance_path),
            Read::Vip => (vec!["vip", &vip], format!("/vips/{vip}")),
            Read::SecureVip => (vec!["svip", &secure_vip], format!("/svips/{secure_vip}")),
        };
        until(&format!("the client reads what a node shows: {read:?}"), || {
            let shown = registry_view::ids(addr, &path)?;
            let mut read: Vec<String> = consumer.ask("read", &names)?;
            read.sort();
            match read == shown && !read.is_empty() {
                true => Ok(()),
                false => Err(format!("{read:?} instead of {shown:?}")),
            }
        });
    }

    fn change_status(&self, provider: &mut Application, status: &str, addr: SocketAddr) {
        until(&format!("the client takes the status {status}"), || provider.tell("status", &[status]));
        let document = Document::new(PROVIDER, self.client.ids[0]);
        until(&format!("the instance has the status {status}"), || {
            let instance = registry_view::instance(addr, &document.path().replace("/eureka", ""))?;
            match instance["status"] == status {
                true => Ok(()),
                false => Err(instance["status"].to_string()),
            }
        });
    }

    fn until_seen(&self, consumer: &mut Application, wanted: &[&str]) {
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        until("the consumer sees what is registered", || {
            let mut seen: Vec<String> = consumer.ask("see", &[PROVIDER])?;
            seen.sort();
            match seen == wanted {
                true => Ok(()),
                false => Err(format!("{seen:?} instead of {wanted:?}")),
            }
        });
    }

    fn until_sees_odd_instances(&self, consumer: &mut Application) {
        let mut wanted = odd_instances::up_ids();
        wanted.retain(|id| !self.client.overlooks.contains(&id.as_str()));
        until("the consumer sees the odd instances", || {
            let mut seen: Vec<String> = consumer.ask("see", &[odd_instances::APP])?;
            seen.sort();
            match seen == wanted {
                true => Ok(()),
                false => Err(format!("{seen:?} instead of {wanted:?}")),
            }
        });
    }

    /// Metadata goes from one client through the cluster to another.
    fn assert_metadata(&self, consumer: &mut Application, id: &str) {
        let document = Document::new(PROVIDER, id);
        let instance = registry_view::instance(self.addr(2), &document.path().replace("/eureka", ""));
        let kept = instance.unwrap_or_else(|error| panic!("{error}"))["metadata"].take();
        for (key, value) in metadata() {
            assert_eq!(kept[&key], value, "{key} in {kept}");
        }
        let shown: Map<String, Value> =
            consumer.ask("metadata", &[PROVIDER, id]).unwrap_or_else(|error| panic!("{error}"));
        for (key, value) in metadata() {
            assert_eq!(shown[&(self.client.key_shown)(&key)], value, "{key} in {shown:?}");
        }
    }

    /// A client whose lease is gone without its knowledge registers anew.
    fn assert_comes_back(&self, consumer: &mut Application, id: &str) {
        let document = Document::new(PROVIDER, id);
        // This node shows what it has answered; another one might show the old lease a moment longer.
        let addr = self.addr(0);
        assert_eq!(document.cancel().expect(addr).status, 200, "the end of {id}");
        until("the client registers anew", || match status(&document, addr) {
            200 => Ok(()),
            other => Err(other.to_string()),
        });
        self.until_seen(consumer, &[id]);
    }

    /// Where nobody has a VIP address there is nobody to find, which is no failure.
    fn until_vip_is_empty(&self, consumer: &mut Application) {
        if !self.client.reads.contains(&Read::Vip) {
            return;
        }
        until("the client reads a VIP address that nobody has", || {
            let read: Vec<String> = consumer.ask("read", &["vip", &vip(PROVIDER)])?;
            match read.is_empty() {
                true => Ok(()),
                false => Err(format!("{read:?}")),
            }
        });
    }

    /// The client follows changes by deltas alone, and then has the registry that the server has.
    fn assert_hash_after_deltas(&self, provider: &mut Application, consumer: &mut Application) {
        if !self.client.keeps_by_deltas {
            return;
        }
        let mut equal_hashes = |what: &str, since: &Fetches| {
            until(&format!("{what}, and the client's own hash equals the server's"), || {
                let fetches: Fetches = consumer.ask("fetches", &[])?;
                let own: String = consumer.ask("hash", &[])?;
                let told = registry_view::hash(self.addr(0))?;
                match own == told && fetches.delta >= since.delta + 3 {
                    true => Ok(fetches),
                    false => Err(format!("{own} instead of {told} with {fetches:?}, before: {since:?}")),
                }
            })
        };
        let before = equal_hashes("all nodes are back", &Fetches { full: 0, delta: 0 });
        for status in self.client.statuses {
            self.change_status(provider, status, self.addr(0));
        }
        let document = Document::new(CONSUMER, "shop-later");
        assert_eq!(document.register().expect(self.addr(1)).status, 204);
        let after = equal_hashes("something has changed", &before);
        assert_eq!(document.cancel().expect(self.addr(2)).status, 200);
        let last = equal_hashes("something has gone", &after);
        assert_eq!(before.full, last.full, "the whole registry was fetched where deltas do");
        if !self.client.statuses.is_empty() {
            self.change_status(provider, "UP", self.addr(0));
        }
    }

    fn until_gone(&mut self, app: &str, id: &str) {
        let document = Document::new(app, id);
        let running =
            self.cluster.nodes.iter_mut().filter_map(|node| node.is_running().then_some(node.spec.http));
        for addr in running.collect::<Vec<_>>() {
            until(&format!("{id} is gone from {addr}"), || match status(&document, addr) {
                404 => Ok(()),
                other => Err(other.to_string()),
            });
        }
    }

    /// Watches the running nodes; at none may any of these be missing even for a moment.
    fn assert_stay(&mut self, instances: &[(&str, &str)]) {
        let start = Instant::now();
        while start.elapsed() < WATCH {
            for node in self.cluster.nodes.iter_mut() {
                if node.is_running() {
                    instances.iter().for_each(|(app, id)| assert_shown(node, app, id));
                }
            }
        }
    }
}

fn assert_shown(node: &Node, app: &str, id: &str) {
    let status = status(&Document::new(app, id), node.spec.http);
    assert_eq!(status, 200, "{id} at node {}", node.spec.id);
}

fn status(document: &Document, addr: SocketAddr) -> u16 {
    document.read().send(addr).map_or(0, |response| response.status)
}
