//! The registry as a node shows it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;

use super::http::Request;

/// Application name to instance id to the instance's whole document.
pub type Applications = BTreeMap<String, BTreeMap<String, Value>>;

/// All that a node shows under `/eureka/apps`, with the order of its lists forgotten.
///
/// # Panics
/// When the node does not answer 200 with a registry, or lists something twice.
pub fn applications(addr: SocketAddr) -> Applications {
    let response = Request::get("/eureka/apps").accept_json().expect(addr);
    assert_eq!(response.status, 200, "GET /eureka/apps at {addr}");
    let body = response.value();
    let mut all = Applications::new();
    for app in list(&body["applications"]["application"]) {
        let name = text(&app["name"]);
        let mut instances = BTreeMap::new();
        for instance in list(&app["instance"]) {
            let id = id_of(instance);
            assert!(instances.insert(id.clone(), instance.clone()).is_none(), "{name} lists {id} twice");
        }
        assert!(all.insert(name.clone(), instances).is_none(), "{name} is listed twice");
    }
    all
}

/// The id that an instance is kept under: its own, else its data centre's, else its host's name.
fn id_of(instance: &Value) -> String {
    let names = ["/instanceId", "/dataCenterInfo/metadata/instance-id", "/hostName"];
    let mut said = names.iter().filter_map(|name| instance.pointer(name)?.as_str());
    let id = said.find(|id| !id.is_empty());
    id.unwrap_or_else(|| panic!("an instance without any name: {instance}")).to_owned()
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("a list expected, not {value}"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a string expected, not {value}")).to_owned()
}
