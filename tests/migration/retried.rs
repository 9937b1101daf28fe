//! Batches that a Eureka server sends more than once: to each node, and each of them again and again.

use std::sync::Arc;
use std::time::Duration;

use super::eureka_server::EurekaServer;
use super::harness::{Cluster, Directory, Document, Request, free_addr_at, until};
use super::listing::{difference, listing};
use super::proxy;
use super::repeater::Repeated;
use super::report::report;
use super::stage::HOSTS;
use super::story::Story;
use serde_json::json;

/// Longer than a Eureka server waits before it sends again what was not answered in time.
const QUIET: Duration = Duration::from_millis(1_500);

/// Longer than the test; what is not answered in time is sent again until a renewal would be due.
const LEASE_SECS: u32 = 3_600;
const RENEWAL_SECS: u32 = 30;

struct Run {
    theirs: EurekaServer,
    ours: Cluster,
    repeated: Arc<Repeated>,
    story: Story,
    changes: usize,
}

#[test]
#[ignore = "needs a Eureka server and clients: tests/migration/run.sh"]
fn a_batch_that_comes_to_all_nodes_again_and_again_has_one_effect() {
    let runtime = proxy::runtime();
    let ours = Cluster::start_in(Directory::kept_on_failure("migration", "retried"), 3, |_| {});
    let repeated = Repeated::new();
    let peers = ours.addrs().into_iter().map(|addr| {
        let repeater = repeated.open(runtime.handle(), addr);
        format!("http://{repeater}/eureka/")
    });
    let mut theirs = EurekaServer::new(free_addr_at(HOSTS[0]), peers.collect(), ours.scratch("eureka.log"));
    // Its own registration would be another change at times of its own.
    theirs.settings.push("--eureka.client.register-with-eureka=false".to_owned());
    theirs.start();
    let mut run = Run { theirs, ours, repeated, story: Story::begin(), changes: 0 };

    let lease = json!({"renewalIntervalInSecs": RENEWAL_SECS, "durationInSecs": LEASE_SECS});
    let client = Document::new("ORDERS", "127.0.0.1:orders:1").set("leaseInfo", lease.clone());
    let client = client.set("metadata", json!({"zone": "a", "odd key_$": "ż <&>"}));
    let other =
        Document::new("STOCK", "127.0.0.1:stock:1").set("leaseInfo", lease).set("status", json!("DOWN"));
    let below = |path: &str| format!("{}{path}", client.path());
    run.does(&client.register(), 204, "Register", &client, 1);
    run.does(&other.register(), 204, "Register", &other, 1);
    run.does(&client.renew(), 200, "Heartbeat", &client, 0);
    run.does(&Request::put(&below("/status?value=OUT_OF_SERVICE")), 200, "StatusUpdate", &client, 1);
    run.does(&Request::put(&below("/metadata?zone=b")), 200, "Register", &client, 1);
    run.does(&Request::delete(&below("/status?value=UP")), 200, "DeleteStatusOverride", &client, 1);
    run.does(&client.cancel(), 200, "Cancel", &client, 1);
    run.ours.assert_states_equal();
    report("retried", &run.story.text(), &format!("{} changes, each shown once", run.changes));
}

impl Run {
    /// Has the Eureka server replicate a change, which is to come to this many that readers are shown.
    fn does(&mut self, request: &Request, status: u16, action: &str, client: &Document, changes: usize) {
        self.story.tell(&format!("{action} of {}", client.id));
        self.repeated.forget();
        let before = self.repeated.versions();
        let response = request.expect(self.theirs.addr);
        assert_eq!(response.status, status, "{request:?} at the Eureka server");
        until(&format!("{action} of {} has come to all nodes, and comes no more", client.id), || match self
            .repeated
            .reached(action, &client.id)
        {
            (3, Some(last)) if last.elapsed() > QUIET => Ok(()),
            reached => Err(format!("{reached:?}")),
        });
        let told = self.repeated.versions() - before;
        assert_eq!(told, changes, "changes that readers are shown by {action} of {}", client.id);
        self.changes += told;
        let theirs = listing(self.theirs.addr).unwrap_or_else(|error| panic!("{error}"));
        for addr in self.ours.addrs() {
            let ours = listing(addr).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(
                difference(&theirs, &ours),
                None,
                "between the Eureka server and {addr} after {action}"
            );
        }
    }
}
