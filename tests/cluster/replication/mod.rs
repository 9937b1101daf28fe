//! Replication between a cluster and Eureka servers, both ways.

mod eureka_server;
mod incoming;
mod outgoing;

use serde_json::{Value, json};

use super::harness::Request;

/// A batch as Eureka's servers send it.
fn batch(items: &[Value]) -> Request {
    let body = json!({"replicationList": items});
    Request::post("/eureka/peerreplication/batch/").accept_json().json(body.to_string())
}

/// An item of a batch.
fn item(action: &str, id: &str) -> Value {
    json!({"action": action, "appName": "APP", "id": id, "lastDirtyTimestamp": 1_700_000_000_000_i64, "status": "UP"})
}
