//! What is told of self-preservation: where it is in force, since when, why, and whom it keeps.

use serde_json::{Value, json};

use super::Facade;
use crate::metrics::InForce;
use crate::registry::{Key, Registry, Scope, SelfPreservation};

/// Instances named for each scope; their number is told anyway.
const MOST_NAMED: usize = 100;

/// For `/api/cluster`.
pub fn told(facade: &Facade) -> Value {
    let settings = &facade.self_preservation;
    let now_ms = facade.wall_clock.epoch_ms();
    let in_force: Vec<Value> = facade.consensus.machine().with_registry(|registry| {
        let in_force = registry.self_preservation();
        in_force.map(|(scope, in_force)| scope_told(registry, scope, in_force, now_ms)).collect()
    });
    json!({
        "enabled": settings.enabled,
        "threshold_percent": settings.threshold_percent,
        "window_ms": millis(settings.window),
        "longest_hold_ms": millis(settings.longest_hold),
        "in_force": in_force,
    })
}

fn scope_told(registry: &Registry, scope: &Scope, in_force: &SelfPreservation, now_ms: i64) -> Value {
    let held: Vec<Key> = registry.overdue(scope, now_ms).collect();
    let named: Vec<Value> = held
        .iter()
        .take(MOST_NAMED)
        .map(|key| json!({"application": key.app.as_str(), "instance": key.id.as_str()}))
        .collect();
    let silence = in_force.silence;
    json!({
        "scope": if scope.application().is_some() { "application" } else { "cluster" },
        "application": scope.application().map(|app| app.as_str()),
        "since_ms": in_force.since_ms,
        "for_ms": now_ms.saturating_sub(in_force.since_ms).max(0),
        "silent": silence.silent,
        "leases": silence.leases,
        "reason": format!("{} of {} leases of {scope} fell silent together", silence.silent, silence.leases),
        "held": held.len(),
        "held_instances": named,
    })
}

/// For `/metrics`.
pub fn in_force(facade: &Facade) -> Vec<InForce> {
    let now_ms = facade.wall_clock.epoch_ms();
    facade.consensus.machine().with_registry(|registry| {
        let in_force = registry.self_preservation().map(|(scope, in_force)| InForce {
            application: scope.application().map(ToString::to_string),
            silent: in_force.silence.silent,
            held: registry.overdue(scope, now_ms).count(),
        });
        in_force.collect()
    })
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
