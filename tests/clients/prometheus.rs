//! Prometheus' discovery, which polls one server for all instances and reads them as XML.
//!
//! It registers nothing and knows no other server than its one, so it has a test of its own: other
//! nodes die, the leader among them, and the one that it asks goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use super::application::Application;
use super::client::{as_in_xml, built};
use super::harness::{Cluster, Document, Request, applications, until};
use super::odd_instances;

/// The labels of one target.
type Target = BTreeMap<String, String>;

const INSTANCE: &str = "__meta_eureka_app_instance_";

/// As many reads as show that it goes on reading.
const READS: u64 = 3;

#[derive(Debug, Deserialize)]
struct Discovered {
    refreshes: u64,
    targets: Vec<Target>,
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn prometheus_lives_through_failover() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [asked, other] = [(leader + 1) % 3, (leader + 2) % 3];
    let addr = cluster.nodes[asked].spec.http;
    odd_instances::register(cluster.nodes[other].spec.http);
    let mut prometheus = start(&cluster, addr);
    until_discovers_all(&mut prometheus, addr);

    let orders = Document::new("ORDERS", "orders-1").lease_secs(3_600);
    assert_eq!(orders.register().expect(addr).status, 204);
    let up = until_discovers_all(&mut prometheus, addr);
    assert_eq!(label(&up, &orders, "status"), Some("UP".to_owned()));
    for change in ["/status?value=OUT_OF_SERVICE", "/metadata?zo:ne_1=%3Ca%3E%20%26"] {
        let changed = Request::put(&format!("{}{change}", orders.path())).expect(addr);
        assert_eq!(changed.status, 200, "{change}");
    }
    let changed = until_discovers_all(&mut prometheus, addr);
    assert_eq!(label(&changed, &orders, "status"), Some("OUT_OF_SERVICE".to_owned()));
    assert_eq!(label(&changed, &orders, "metadata_zo__003ane__1"), Some("<a> &".to_owned()));

    for place in [leader, other] {
        cluster.nodes[place].kill();
        assert_stay(&mut prometheus, &changed);
    }
    for place in [leader, other] {
        cluster.nodes[place].start();
    }
    for place in [leader, other] {
        cluster.nodes[place].wait_ready();
    }
    odd_instances::renew(addr);
    assert_stay(&mut prometheus, &changed);

    assert_eq!(orders.cancel().expect(cluster.nodes[leader].spec.http).status, 200);
    until("what has left disappears", || match label(&discovered(&mut prometheus)?.1, &orders, "status") {
        None => Ok(()),
        Some(status) => Err(status),
    });
    until_discovers_all(&mut prometheus, addr);
    prometheus.stop();
    cluster.assert_states_equal();
}

fn start(cluster: &Cluster, addr: SocketAddr) -> Application {
    let mut command = Command::new(built("go/prometheus"));
    command.arg(format!("server: http://{addr}/eureka\nrefresh_interval: 1s\n"));
    Application::start(&mut command, cluster.scratch("prometheus.log"))
}

/// How often it has read the registry, and what it found the last time.
fn discovered(prometheus: &mut Application) -> Result<(u64, BTreeSet<Target>), String> {
    let Discovered { refreshes, targets } = prometheus.ask("targets", &[])?;
    Ok((refreshes, targets.into_iter().map(with_plain_metadata).collect()))
}

/// Waits until it has found what the node shows, labels included; returns that.
fn until_discovers_all(prometheus: &mut Application, addr: SocketAddr) -> BTreeSet<Target> {
    until("Prometheus discovers what the node shows", || {
        let (_, found) = discovered(prometheus)?;
        let wanted = shown(addr);
        match found == wanted && !wanted.is_empty() {
            true => Ok(found),
            false => Err(format!(
                "missing: {:?}; too much: {:?}",
                wanted.difference(&found).collect::<Vec<_>>(),
                found.difference(&wanted).collect::<Vec<_>>(),
            )),
        }
    })
}

/// Watches several reads of the registry; in none may anything be missing.
fn assert_stay(prometheus: &mut Application, wanted: &BTreeSet<Target>) {
    let mut now = || discovered(prometheus).unwrap_or_else(|error| panic!("{error}"));
    let (before, _) = now();
    until("Prometheus has read the registry some times more", || {
        let (refreshes, found) = now();
        assert_eq!(&found, wanted, "after {refreshes} reads, watched from {before} on");
        match refreshes >= before + READS {
            true => Ok(()),
            false => Err(format!("{refreshes} reads")),
        }
    });
}

fn label(targets: &BTreeSet<Target>, document: &Document, name: &str) -> Option<String> {
    let target = targets.iter().find(|target| target.get("instance") == Some(&document.id))?;
    target.get(&format!("{INSTANCE}{name}")).cloned()
}

/// Prometheus takes metadata as the text between the tags, escapes and all.
fn with_plain_metadata(mut target: Target) -> Target {
    for (name, value) in &mut target {
        if name.contains("_metadata_") {
            let plain = quick_xml::escape::unescape(value);
            *value = plain.unwrap_or_else(|error| panic!("{name}: {value}: {error}")).into_owned();
        }
    }
    target
}

/// The targets that Prometheus makes of what a node shows.
fn shown(addr: SocketAddr) -> BTreeSet<Target> {
    let instances = |(app, instances): (String, BTreeMap<String, Value>)| {
        instances.into_values().map(move |instance| target(&app, &instance))
    };
    applications(addr).into_iter().flat_map(instances).collect()
}

fn target(app: &str, instance: &Value) -> Target {
    let address = format!("{}:{}", text(&instance["hostName"]), instance["port"]["$"]);
    let mut target = Target::from([
        ("__address__".to_owned(), address),
        ("instance".to_owned(), text(&instance["instanceId"])),
        ("__meta_eureka_app_name".to_owned(), app.to_owned()),
    ]);
    let fields = [
        ("hostname", "/hostName"),
        ("homepage_url", "/homePageUrl"),
        ("statuspage_url", "/statusPageUrl"),
        ("healthcheck_url", "/healthCheckUrl"),
        ("ip_addr", "/ipAddr"),
        ("vip_address", "/vipAddress"),
        ("secure_vip_address", "/secureVipAddress"),
        ("status", "/status"),
        ("country_id", "/countryId"),
        ("id", "/instanceId"),
        ("port", "/port/$"),
        ("port_enabled", "/port/@enabled"),
        ("secure_port", "/securePort/$"),
        ("secure_port_enabled", "/securePort/@enabled"),
        ("datacenterinfo_name", "/dataCenterInfo/name"),
    ];
    for (name, field) in fields {
        let value = instance.pointer(field).map(text).unwrap_or_default();
        target.insert(format!("{INSTANCE}{name}"), value);
    }
    add_metadata(&mut target, "datacenterinfo_metadata", &instance["dataCenterInfo"]["metadata"]);
    add_metadata(&mut target, "metadata", &instance["metadata"]);
    target
}

fn add_metadata(target: &mut Target, prefix: &str, metadata: &Value) {
    for (key, value) in metadata.as_object().into_iter().flatten().filter(|(key, _)| *key != "@class") {
        let coded = as_in_xml(key).replace('☃', "_.2603");
        let name = coded.replace(|character: char| !character.is_ascii_alphanumeric(), "_");
        target.insert(format!("{INSTANCE}{prefix}_{name}"), text(value));
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
