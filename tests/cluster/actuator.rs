//! Probes that are set up for Spring Boot's actuator.

use serde_json::{Value, json};

use super::harness::{Cluster, Request, until};

#[test]
fn every_link_of_the_actuator_leads_somewhere() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let index = Request::get("/actuator").expect(addr).value();
    let links = index["_links"].as_object().unwrap_or_else(|| panic!("links in {index}"));
    assert_eq!(links.keys().collect::<Vec<_>>(), ["health", "health-path", "info", "self"]);
    for link in links.values().filter(|link| link["templated"] == false) {
        let href = link["href"].as_str().unwrap_or_default();
        assert_eq!(Request::get(href).expect(addr).status, 200, "{href}");
    }

    let info = Request::get("/actuator/info").expect(addr).value();
    assert_eq!(info["build"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&info["node"]["id"], &info["cluster"]["name"]), (&json!(1), &json!("rs-registry")));
}

#[test]
fn a_node_without_a_quorum_is_alive_and_not_ready() {
    let mut cluster = Cluster::start(3);
    let addr = cluster.addrs()[0];
    let told = |path: &str| {
        let answer = Request::get(path).expect(addr);
        (answer.status, answer.value())
    };
    for path in ["/actuator/health", "/actuator/health/readiness", "/actuator/health/liveness"] {
        assert_eq!(told(path), (200, json!({"status": "UP"})), "{path}");
    }
    cluster.nodes[1].kill();
    cluster.nodes[2].kill();
    for path in ["/actuator/health", "/actuator/health/readiness"] {
        let reason = until("the node is out of service", || match told(path) {
            (503, answer) if answer["status"] == "OUT_OF_SERVICE" => Ok(answer["details"]["reason"].clone()),
            other => Err(format!("{other:?}")),
        });
        assert!(matches!(&reason, Value::String(reason) if reason.contains("no leader known")), "{reason}");
    }
    assert_eq!(told("/actuator/health/liveness"), (200, json!({"status": "UP"})));
}
