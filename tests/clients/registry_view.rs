//! What a node shows, in the terms that clients are asked in.

use std::net::SocketAddr;

use serde_json::Value;

use super::harness::Request;

/// The ids of all instances in what a node answers under a path below `/eureka`, in order.
///
/// # Errors
/// When the node does not answer 200.
pub fn ids(addr: SocketAddr, path: &str) -> Result<Vec<String>, String> {
    let mut ids = Vec::new();
    collect_ids(&read(addr, path)?, &mut ids);
    ids.sort();
    Ok(ids)
}

/// The hash that a node tells of its whole registry.
pub fn hash(addr: SocketAddr) -> Result<String, String> {
    let registry = read(addr, "/apps")?;
    let hash = &registry["applications"]["apps__hashcode"];
    hash.as_str().map(str::to_owned).ok_or_else(|| format!("no hash in {registry}"))
}

/// The document of one instance.
pub fn instance(addr: SocketAddr, path: &str) -> Result<Value, String> {
    Ok(read(addr, path)?["instance"].take())
}

fn read(addr: SocketAddr, path: &str) -> Result<Value, String> {
    let request = Request::get(&format!("/eureka{path}")).accept_json();
    let response = request.send(addr).map_err(|error| format!("{path} at {addr}: {error}"))?;
    match response.status {
        200 => Ok(response.value()),
        status => Err(format!("{path} at {addr} answers {status}")),
    }
}

fn collect_ids(value: &Value, ids: &mut Vec<String>) {
    match value {
        Value::Object(members) => match members.get("instanceId").and_then(Value::as_str) {
            Some(id) => ids.push(id.to_owned()),
            None => members.values().for_each(|member| collect_ids(member, ids)),
        },
        Value::Array(members) => members.iter().for_each(|member| collect_ids(member, ids)),
        _ => {}
    }
}
