//! Steeltoe (.NET), by requests of its shape: its `EurekaClient` and `InstanceInfo.ToJson` written down,
//! and its reading of the answers in [`registry`]. From Steeltoe's sources of August 2026.

mod registry;

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::harness::{Cluster, Document, Request, Response, until};
use registry::{Registry, Root, Status};

/// `EurekaServerOptions.RetryCount`, and the first try.
const TRIES: usize = 3;

const APP: &str = "FOOBAR";
/// As `WebUtility.UrlEncode` writes it into a path: `:` is coded, a space would be a `+`.
const ID: &str = "host.local:foobar:5000";
const ID_IN_PATH: &str = "host.local%3Afoobar%3A5000";

/// A client that goes on to the next URL when one fails, and stays with the one that worked.
struct Steeltoe {
    urls: Vec<SocketAddr>,
    working: usize,
    registry: Registry,
    full_fetches: usize,
    dirty_ms: i64,
}

impl Steeltoe {
    fn new(urls: Vec<SocketAddr>) -> Self {
        Self { urls, working: 0, registry: Registry::default(), full_fetches: 0, dirty_ms: 1_708_427_732_823 }
    }

    /// `ExecuteRequestAsync`: the first answer of 2xx that can be read.
    fn execute(&mut self, request: &Request) -> Option<Response> {
        let request = request.clone().accept_json().header("X-Discovery-AllowRedirect", "false");
        for _ in 0..TRIES {
            match request.send(self.urls[self.working]) {
                Ok(response) if (200..300).contains(&response.status) => return Some(response),
                _ => self.working = (self.working + 1) % self.urls.len(),
            }
        }
        None
    }

    fn register(&mut self, status: &str, metadata: &Value) {
        let body = instance(status, metadata, self.dirty_ms).to_string();
        let request = Request::post(&format!("/eureka/apps/{APP}"));
        let request = request.header("Content-Type", "application/json; charset=utf-8").body(body);
        until("Steeltoe registers", || self.execute(&request).ok_or_else(|| "refused by all".to_owned()));
    }

    /// Registers where no server knows the instance as it is now.
    fn renew(&mut self, status: &str, metadata: &Value) {
        let path = format!("/eureka/apps/{APP}/{ID_IN_PATH}?lastDirtyTimestamp={}", self.dirty_ms);
        if self.execute(&Request::put(&path).body("")).is_none() {
            self.register(status, metadata);
        }
    }

    fn fetch_full(&mut self) {
        self.full_fetches += 1;
        let root: Root = self.read("/eureka/apps");
        let told = root.applications.hash.clone();
        self.registry = Registry::of(root.applications);
        assert_eq!(Some(self.registry.hash()), told, "the hash of the whole registry");
    }

    fn fetch_delta(&mut self) {
        let root: Root = self.read("/eureka/apps/delta");
        let told = root.applications.hash.clone();
        self.registry.merge(root.applications);
        if Some(self.registry.hash()) != told {
            self.fetch_full();
        }
    }

    fn read(&mut self, path: &str) -> Root {
        let response = until("Steeltoe reads", || {
            self.execute(&Request::get(path)).ok_or_else(|| format!("{path} is refused by all"))
        });
        assert_eq!(response.header("content-type"), Some("application/json"));
        let text = response.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error} in {text}"))
    }

    /// Fetches deltas until it sees this status at its own instance, or none.
    fn until_status(&mut self, wanted: Option<Status>) {
        until(&format!("Steeltoe sees {wanted:?}"), || {
            self.fetch_delta();
            match self.registry.get(APP, ID).and_then(|instance| instance.status) {
                status if status == wanted => Ok(()),
                status => Err(format!("{status:?}")),
            }
        });
    }
}

/// `InstanceInfo.ToJson`: no nulls, the override in its old spelling, every time but the registration's
/// as text, the data centre's class always the default one.
fn instance(status: &str, metadata: &Value, dirty_ms: i64) -> Value {
    json!({"instance": {
        "instanceId": ID,
        "app": APP,
        "ipAddr": "10.2.2.2",
        "port": {"@enabled": "true", "$": 5000},
        "securePort": {"@enabled": "false", "$": 0},
        "homePageUrl": "http://host.local:5000/",
        "statusPageUrl": "http://host.local:5000/info",
        "healthCheckUrl": "http://host.local:5000/health",
        "vipAddress": "foobar",
        "secureVipAddress": "foobar",
        "countryId": 1,
        "dataCenterInfo": {
            "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo",
            "name": "Amazon",
        },
        "hostName": "host.local",
        "status": status,
        "overriddenstatus": "UNKNOWN",
        "leaseInfo": {
            "renewalIntervalInSecs": 30,
            "durationInSecs": 90,
            "registrationTimestamp": "0",
            "renewalTimestamp": "0",
            "evictionTimestamp": "0",
            "serviceUpTimestamp": "0",
        },
        "isCoordinatingDiscoveryServer": "false",
        "metadata": metadata,
        "lastUpdatedTimestamp": dirty_ms.to_string(),
        "lastDirtyTimestamp": dirty_ms.to_string(),
    }})
}

#[test]
fn lives_through_the_loss_of_its_node() {
    let mut cluster = Cluster::start(3);
    let other = Document::new("OTHER", "other-1");
    assert_eq!(other.register().expect(cluster.addrs()[2]).status, 204);
    let mut client = Steeltoe::new(cluster.addrs());
    let empty = json!({"@class": "java.util.Collections$EmptyMap"});
    client.register("STARTING", &empty);
    client.fetch_full();
    client.until_status(Some(Status::Starting));

    let metadata = json!({"zone": "a", "odd key_$": "ż \"<&>\"", "none": null});
    client.dirty_ms += 1_000;
    client.renew("UP", &metadata);
    client.until_status(Some(Status::Up));

    let node = client.working;
    cluster.nodes[node].kill();
    client.renew("UP", &metadata);
    assert_ne!(client.working, node);
    client.dirty_ms += 1_000;
    client.renew("DOWN", &metadata);
    client.until_status(Some(Status::Down));
    let seen =
        client.registry.get(APP, ID).and_then(|instance| instance.metadata.clone()).unwrap_or_default();
    for key in ["zone", "odd key_$"] {
        assert_eq!(seen[key].as_deref(), metadata[key].as_str(), "{key}");
    }
    let by_vip: Root = client.read("/eureka/vips/foobar");
    assert!(Registry::of(by_vip.applications).get(APP, ID).is_some());

    let gone = Request::delete(&format!("/eureka/apps/{APP}/{ID_IN_PATH}"));
    assert_eq!(client.execute(&gone).map(|response| response.status), Some(200));
    client.until_status(None);
    assert_eq!(client.full_fetches, 1, "a delta did not lead to the registry that the server has");
}

#[test]
fn no_registrant_can_make_the_registry_unreadable() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let mut client = Steeltoe::new(cluster.addrs());
    let extremes = [i64::MIN, -62_135_596_800_001, -62_135_596_800_000, 253_402_300_799_999, i64::MAX];
    for time in extremes {
        let document = Document::new("TIMES", "times-1").set("lastDirtyTimestamp", json!(time.to_string()));
        let status = document.register().expect(addr).status;
        assert!(matches!(status, 204 | 400), "{time}: {status}");
        let path = document.path();
        for method in ["PUT", "DELETE"] {
            let path = format!("{path}/status?value=DOWN&lastDirtyTimestamp={time}");
            let status = Request::new(method, &path).expect(addr).status;
            assert!(matches!(status, 200 | 400 | 404), "{method} {path}: {status}");
        }
        client.fetch_full();
    }
}
