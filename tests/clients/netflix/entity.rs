//! What the library must have made of what a node shows.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use super::super::harness::Request;
use super::calls::{Accept, Form};

/// What a compact document is without.
const NOT_COMPACT: [&str; 12] = [
    "overriddenStatus",
    "sid",
    "countryId",
    "homePageUrl",
    "statusPageUrl",
    "healthCheckUrl",
    "secureHealthCheckUrl",
    "isCoordinatingDiscoveryServer",
    "lastDirtyTimestamp",
    "leaseInfo",
    "metadata",
    "appGroupName",
];

const COMPACT_AMAZON: [&str; 5] =
    ["instance-id", "public-ipv4", "public-hostname", "local-ipv4", "availability-zone"];

/// What the library fills in by itself, in ways that differ between its codecs.
const FILLED_IN: [&str; 5] =
    ["overriddenStatus", "sid", "countryId", "isCoordinatingDiscoveryServer", "lastDirtyTimestamp"];

/// Compares what the library returned with what a node answers under a path below `/eureka` to
/// who asks for JSON in full.
///
/// # Errors
/// The first difference.
pub fn compare(addr: SocketAddr, path: &str, form: Form, entity: &Value) -> Result<(), String> {
    let mut shown = shown(addr, path)?;
    let mut entity = entity.clone();
    for_each_document(&mut shown, &mut |document| full(document, form));
    // A single instance comes in full, whatever is asked for.
    let is_single = entity.get("instanceId").is_some();
    if form.accept == Accept::Compact && !is_single {
        for_each_document(&mut shown, &mut compact);
        for_each_document(&mut entity, &mut not_filled_in);
    } else {
        for_each_document(&mut entity, &mut |_| {});
    }
    match difference("", &shown, &entity) {
        None => Ok(()),
        Some(difference) => Err(format!("{path} by {}: {difference}", form.name())),
    }
}

/// Compares what was registered with the document that a node has.
pub fn assert_kept(addr: SocketAddr, path: &str, form: Form, registered: &Value) {
    let mut kept = shown(addr, path).unwrap_or_else(|error| panic!("{error}"));
    for_each_document(&mut kept, &mut |document| {
        full(document, form);
        document.retain(|name, _| registered.get(name).is_some());
        if let Some(lease) = document.get_mut("leaseInfo").and_then(Value::as_object_mut) {
            lease.retain(|name, _| registered["leaseInfo"].get(name).is_some());
        }
    });
    assert_eq!(difference("", registered, &kept), None, "{path} at {addr} by {}", form.name());
}

/// What is in the envelope that a node answers.
fn shown(addr: SocketAddr, path: &str) -> Result<Value, String> {
    let request = Request::get(&format!("/eureka{path}")).accept_json();
    let response = request.send(addr).map_err(|error| format!("{path} at {addr}: {error}"))?;
    if response.status != 200 {
        return Err(format!("{path} at {addr} answers {}", response.status));
    }
    let Value::Object(envelope) = response.value() else { panic!("{path} at {addr}: {response:?}") };
    envelope.into_iter().next().map(|(_, value)| value).ok_or_else(|| "an empty envelope".to_owned())
}

/// Finds the instances' documents anywhere, and makes maps of all lists, in which order says nothing.
fn for_each_document(value: &mut Value, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(document) if document.contains_key("instanceId") => change(document),
        Value::Object(members) => members.values_mut().for_each(|member| for_each_document(member, change)),
        Value::Array(members) => {
            let mut by_name = Map::new();
            for mut member in members.drain(..) {
                for_each_document(&mut member, change);
                let name = member.get("instanceId").or(member.get("name")).and_then(Value::as_str);
                let name = name.unwrap_or_else(|| panic!("neither an instance nor an application: {member}"));
                let before = by_name.insert(name.to_owned(), member);
                assert_eq!(before, None, "listed twice");
            }
            *value = Value::Object(by_name);
        }
        _ => {}
    }
}

/// A document as the program tells what the library has: with Java's classes left out, and with
/// the only field that the library never leaves unset. `XStreamJson` takes metadata keys in JSON,
/// too, for names of XML elements.
fn full(document: &mut Map<String, Value>, form: Form) {
    for name in ["dataCenterInfo", "metadata"] {
        if let Some(members) = document.get_mut(name).and_then(Value::as_object_mut) {
            members.remove("@class");
        }
    }
    document.entry("sid").or_insert(json!("na"));
    if let ("XStreamJson", Some(Value::Object(metadata))) = (form.codec, document.get_mut("metadata")) {
        *metadata = std::mem::take(metadata)
            .into_iter()
            .map(|(key, value)| (from_xml(&key), without_null(value)))
            .collect();
    }
}

/// Jettison, below `XStreamJson`, takes the text for nothing.
fn without_null(value: Value) -> Value {
    match value == "null" {
        true => json!(""),
        false => value,
    }
}

/// Turns back what XStream makes of a name that XML does not allow. Names of these tests only.
fn from_xml(name: &str) -> String {
    let mut parts = name.split("_.");
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let unit = part.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let character = unit.and_then(char::from_u32);
        decoded.push(character.unwrap_or_else(|| panic!("{name} has an escape that XStream does not make")));
        decoded.push_str(&part[4..]);
    }
    decoded.replace("_-", "$").replace("__", "_")
}

fn compact(document: &mut Map<String, Value>) {
    document.retain(|name, _| !NOT_COMPACT.contains(&name.as_str()));
    document.insert("metadata".to_owned(), json!({}));
    let amazon = document.get_mut("dataCenterInfo").and_then(|info| info.get_mut("metadata"));
    if let Some(metadata) = amazon.and_then(Value::as_object_mut) {
        metadata.retain(|name, _| COMPACT_AMAZON.contains(&name.as_str()));
    }
}

fn not_filled_in(document: &mut Map<String, Value>) {
    document.retain(|name, _| !FILLED_IN.contains(&name.as_str()));
}

fn difference(at: &str, wanted: &Value, found: &Value) -> Option<String> {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            let names = wanted.keys().chain(found.keys().filter(|name| !wanted.contains_key(*name)));
            names
                .map(|name| (name, member(wanted, name), member(found, name)))
                .find_map(|(name, wanted, found)| difference(&format!("{at}/{name}"), wanted, found))
        }
        _ if wanted == found => None,
        _ => Some(format!("{at} is {found} instead of {wanted}")),
    }
}

fn member<'a>(members: &'a Map<String, Value>, name: &str) -> &'a Value {
    members.get(name).unwrap_or(&Value::Null)
}
