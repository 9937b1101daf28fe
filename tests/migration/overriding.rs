//! What an operator does to take an instance out of service, and to put it back.

use std::net::SocketAddr;

use super::fleet::Instance;
use super::harness::{Document, Request};

/// Status and override of an instance that nobody has taken out of service.
pub const UP: Option<(&str, &str)> = Some(("UP", "UNKNOWN"));

/// Of one that somebody has.
pub const OVERRIDDEN: Option<(&str, &str)> = Some(("OUT_OF_SERVICE", "OUT_OF_SERVICE"));

pub fn override_status(instance: &Instance, addr: SocketAddr) {
    send("PUT", instance, "OUT_OF_SERVICE", addr);
}

/// With the status that the instance has then. Without one it would be `UNKNOWN`, and its next renewal be
/// answered 404, by which Eureka has it say its own.
pub fn remove_override(instance: &Instance, addr: SocketAddr) {
    send("DELETE", instance, "UP", addr);
}

fn send(method: &str, instance: &Instance, status: &str, addr: SocketAddr) {
    let path = Document::new(instance.app, &instance.id).path();
    let response = Request::new(method, &format!("{path}/status?value={status}")).expect(addr);
    assert_eq!(response.status, 200, "{method} {status} of {instance:?} at {addr}");
}
