//! What a server lists, as far as all of them should list the same.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;

use super::eureka_server;
use super::harness::Request;

/// What each server says for itself.
const OWN: [&str; 3] = ["lastUpdatedTimestamp", "isCoordinatingDiscoveryServer", "actionType"];
const OWN_OF_LEASE: [&str; 4] =
    ["registrationTimestamp", "lastRenewalTimestamp", "evictionTimestamp", "serviceUpTimestamp"];

/// Application and id to the instance's document.
pub type Listing = BTreeMap<(String, String), Value>;

/// All that a server lists but the Eureka servers themselves, without what is each server's own.
///
/// # Errors
/// When the server does not answer with a registry.
pub fn listing(addr: SocketAddr) -> Result<Listing, String> {
    let response =
        Request::get("/eureka/apps").accept_json().send(addr).map_err(|error| format!("{addr}: {error}"))?;
    if response.status != 200 {
        return Err(format!("{addr} answers {}", response.status));
    }
    let body = response.value();
    let apps = body["applications"]["application"].as_array().into_iter().flatten();
    let instances = apps.flat_map(|app| app["instance"].as_array().into_iter().flatten());
    let mut listing = Listing::new();
    for instance in instances.filter(|instance| instance["app"] != eureka_server::APP) {
        let text = |name: &str| instance[name].as_str().unwrap_or_default().to_owned();
        listing.insert((text("app"), text("instanceId")), common(instance.clone()));
    }
    Ok(listing)
}

/// An instance's status and override as they are listed.
pub fn statuses(listing: &Listing, app: &str, id: &str) -> Option<(String, String)> {
    let instance = listing.get(&(app.to_owned(), id.to_owned()))?;
    let text = |name: &str| instance[name].as_str().unwrap_or_default().to_owned();
    Some((text("status"), text("overriddenStatus")))
}

/// What two listings differ by, if they do.
pub fn difference(one: &Listing, other: &Listing) -> Option<String> {
    let keys = one.keys().chain(other.keys());
    let mut differing = keys.filter(|key| one.get(key) != other.get(key));
    let (app, id) = differing.next()?;
    let key = (app.clone(), id.clone());
    let told = |listing: &Listing| listing.get(&key).map_or_else(|| "nothing".to_owned(), Value::to_string);
    Some(format!("{app}/{id} is {} here and {} there", told(one), told(other)))
}

/// Each instance with its status, in a line.
pub fn line(addr: SocketAddr) -> String {
    match listing(addr) {
        Err(error) => error,
        Ok(listing) => {
            let told = listing.iter().map(|((app, id), instance)| {
                format!("{app}/{id} {}", instance["status"].as_str().unwrap_or("?"))
            });
            told.collect::<Vec<_>>().join(", ")
        }
    }
}

fn common(mut instance: Value) -> Value {
    if let Some(members) = instance.as_object_mut() {
        OWN.iter().for_each(|name| drop(members.remove(*name)));
    }
    if let Some(lease) = instance["leaseInfo"].as_object_mut() {
        OWN_OF_LEASE.iter().for_each(|name| drop(lease.remove(*name)));
    }
    instance
}
