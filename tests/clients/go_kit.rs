//! go-kit's sd/eureka, upon fargo: a Registrar that renews a lease and an Instancer that polls one
//! application.
//!
//! It has a test of its own since it shows instances as `host:port` and whatever their status. Its
//! calls go to a URL taken at random, once an interval: with one of three nodes dead each third
//! renewal fails, so a lease has to last for several.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use super::application::Application;
use super::client::built;
use super::harness::{Cluster, Document, until};
use super::{odd_instances, registry_view};

const PROVIDER: &str = "ORDERS";
const FIRST: &str = "127.0.0.1:8080";
const SECOND: &str = "127.0.0.1:8081";

const CONSUMER: &str = "SHOP";
const CONSUMER_ID: &str = "127.0.0.1:8090";

/// Longer than the lease of an application, so that one that no longer renews is missed.
const WATCH: Duration = Duration::from_secs(12);

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn go_kit_lives_through_failover() {
    let mut cluster = Cluster::start(3);
    odd_instances::register(cluster.nodes[0].spec.http);
    let provider = start(&cluster, PROVIDER, FIRST);
    let mut consumer = start(&cluster, CONSUMER, CONSUMER_ID);
    until_sees(&mut consumer, PROVIDER, &[FIRST]);
    until_sees(&mut consumer, odd_instances::APP, &["10.2.2.2:0", "10.2.2.2:8080"]);

    for place in 0..3 {
        cluster.nodes[place].kill();
        let survivor = cluster.nodes[(place + 1) % 3].spec.http;
        // It may have to wait for its first renewal before it is registered.
        let another = start(&cluster, PROVIDER, SECOND);
        until_sees(&mut consumer, PROVIDER, &[FIRST, SECOND]);
        assert_stay(survivor, &[(PROVIDER, FIRST), (PROVIDER, SECOND), (CONSUMER, CONSUMER_ID)]);
        odd_instances::renew(survivor);
        // It tries to unregister once: where that fails, its lease has to end.
        another.stop();
        until_sees(&mut consumer, PROVIDER, &[FIRST]);
        cluster.nodes[place].start();
        cluster.nodes[place].wait_ready();
    }

    let addr = cluster.nodes[0].spec.http;
    let lost = Document::new(PROVIDER, FIRST);
    assert_eq!(
        lost.cancel().expect(addr).status,
        200,
        "an end of the lease that its client knows nothing of"
    );
    until("the client registers anew", || shown(addr, PROVIDER, FIRST));
    provider.stop();
    until("the consumer is told that nobody is left", || match see(&mut consumer, PROVIDER) {
        Err(reason) if reason.contains("not found") => Ok(()),
        other => Err(format!("{other:?}")),
    });
    consumer.stop();
    until("the consumer is gone", || match registry_view::ids(addr, &format!("/apps/{CONSUMER}")) {
        Err(reason) if reason.ends_with("404") => Ok(()),
        other => Err(format!("{other:?}")),
    });
    cluster.assert_states_equal();
}

fn start(cluster: &Cluster, app: &str, id: &str) -> Application {
    let (_, port) = id.split_once(':').unwrap_or_else(|| panic!("a port in {id}"));
    let urls: Vec<String> = cluster.addrs().iter().map(|addr| format!("http://{addr}/eureka")).collect();
    let mut command = Command::new(built("go/gokit"));
    command.args([app, port, &urls.join(",")]);
    Application::start(&mut command, cluster.scratch(&format!("{app}-{port}.log")))
}

fn see(consumer: &mut Application, app: &str) -> Result<Vec<String>, String> {
    let mut seen: Vec<String> = consumer.ask("see", &[app])?;
    seen.sort();
    seen.dedup();
    Ok(seen)
}

fn until_sees(consumer: &mut Application, app: &str, wanted: &[&str]) {
    until(&format!("the consumer sees {wanted:?}"), || match see(consumer, app)? {
        seen if seen == wanted => Ok(()),
        seen => Err(format!("{seen:?}")),
    });
}

fn assert_stay(addr: SocketAddr, instances: &[(&str, &str)]) {
    let start = Instant::now();
    while start.elapsed() < WATCH {
        for (app, id) in instances {
            shown(addr, app, id).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

fn shown(addr: SocketAddr, app: &str, id: &str) -> Result<(), String> {
    registry_view::instance(addr, &format!("/apps/{app}/{id}")).map(|_| ())
}
