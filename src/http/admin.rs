//! What operators and load balancers ask: is it alive, is it ready, how does the cluster stand.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, empty, json as json_answer, text};
use super::error::HttpError;
use super::request::Parameters;
use super::{Facade, eureka_peers, query, self_preservation};
use crate::blocking::blocking;
use crate::metrics::{self, Figures, Process};
use crate::raft::Role;
use crate::registry::Status;
use crate::storage::Part;

/// Alive: the process answers.
pub fn live() -> Answer {
    text(StatusCode::OK, "text/plain", "ok\n")
}

/// Ready: knows a leader, has caught up, and is not about to stop. The body tells what is missing.
pub fn ready(facade: &Facade) -> Answer {
    match unready(facade) {
        None => text(StatusCode::OK, "text/plain", readiness(&failing(facade))),
        Some(reason) => text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", format!("not ready: {reason}\n")),
    }
}

/// What is told of a node that serves; what fails beside it is worth to be known before it is full.
fn readiness(failing: &[String]) -> String {
    let told = failing.iter().map(|reason| format!("but {reason}\n"));
    std::iter::once("ready\n".to_owned()).chain(told).collect()
}

/// What of this node's disk cannot be written, in words.
fn failing(facade: &Facade) -> Vec<String> {
    Part::ALL.iter().filter_map(|part| facade.consensus.disk_failure(*part)).collect()
}

/// Why this node is not ready, if it is not.
pub(super) fn unready(facade: &Facade) -> Option<String> {
    let consensus = &facade.consensus;
    if facade.is_stopping() {
        return Some("this node is stopping".to_owned());
    }
    if let Some(failure) = consensus.failure() {
        return Some(failure);
    }
    if let Some(outdated) = consensus.outdated() {
        return Some(outdated.to_string());
    }
    if !consensus.knows_leader() {
        let silence_ms = consensus.last_contact().as_millis();
        return Some(format!("no leader known; last contact with a quorum {silence_ms} ms ago"));
    }
    if !consensus.caught_up() {
        // Without room for the leader's snapshot that goes on for ever.
        let snapshot = consensus.disk_failure(Part::Snapshot).map(|reason| format!("; {reason}"));
        return Some(format!("still catching up with the leader{}", snapshot.unwrap_or_default()));
    }
    None
}

/// `GET /api/cluster`.
pub fn cluster(facade: &Facade) -> Answer {
    json_answer(StatusCode::OK, &cluster_told(facade))
}

pub(super) fn cluster_told(facade: &Facade) -> Value {
    let consensus = &facade.consensus;
    let applied = consensus.machine().applied_state();
    let status = consensus.status();
    let leads = status.role == Role::Leader;
    let described = facade.told.peers.described();
    let compared = facade.told.comparison.borrow().clone();
    let nodes: BTreeMap<String, Value> = status
        .nodes
        .iter()
        .map(|(id, node)| {
            let this = *id == consensus.node_id();
            let http_addr = match this {
                true => Some(facade.http_addr.clone()),
                false => described.get(id).map(|peer| peer.http_addr.clone()),
            };
            let mut entry = json!({"peer_addr": node.peer_addr, "http_addr": http_addr});
            if let Some(peer) = described.get(id) {
                entry["version"] = json!(peer.version);
                entry["newest_format"] = json!(peer.formats.newest().number());
            }
            if leads {
                let own = this.then_some(status.last_log_index);
                entry["matched_index"] = json!(own.or(status.matched.get(id).copied()));
                let answered =
                    if this { Some(Duration::ZERO) } else { status.answered.get(id).copied().flatten() };
                entry["answers"] = json!(status.answers(*id));
                entry["answered_ms_ago"] = json!(answered.map(millis));
            }
            (id.to_string(), entry)
        })
        .collect();
    let last_contact_ms = millis(status.last_contact);
    json!({
        "node_id": consensus.node_id(),
        "version": env!("CARGO_PKG_VERSION"),
        "format": consensus.machine().format().number(),
        "newest_format": consensus.formats().newest().number(),
        "role": status.role.as_str(),
        "leader_id": status.leader_id.filter(|_| consensus.knows_leader()),
        "term": status.term,
        "last_log_index": status.last_log_index,
        "committed_index": status.committed_index,
        "applied_index": applied.index,
        "snapshot_index": status.snapshot_index,
        "purged_index": status.purged_index,
        "last_contact_ms": last_contact_ms,
        "voters": status.voters,
        "learners": status.learners,
        "nodes": nodes,
        "instances": applied.instances,
        "state_hash": format!("{:016x}", applied.state_hash),
        "state_compared_index": compared.index,
        "state_differs_at": compared.differing,
        "failing": failing(facade),
        "self_preservation": self_preservation::told(facade),
        "eureka_peers": eureka_peers::told(facade),
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// `GET /metrics`, in the text format of OpenMetrics.
pub async fn metrics(facade: &Facade) -> Answer {
    let process = blocking(Process::read).await.ok().flatten();
    let figures = Figures { process, ..figures(facade) };
    match metrics::encode(facade.consensus.metrics(), &figures) {
        Ok(encoded) => text(StatusCode::OK, metrics::MEDIA_TYPE, encoded),
        Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// What of the metrics stands at this moment.
fn figures(facade: &Facade) -> Figures {
    let consensus = &facade.consensus;
    let status = consensus.status();
    let compared = facade.told.comparison.borrow().clone();
    let view = consensus.machine().view();
    Figures {
        version: env!("CARGO_PKG_VERSION"),
        is_ready: unready(facade).is_none(),
        has_leader: consensus.knows_leader(),
        is_leader: status.role == Role::Leader,
        term: status.term,
        format: consensus.machine().format().number(),
        committed_index: status.committed_index,
        applied_index: consensus.machine().last_applied(),
        snapshot_index: status.snapshot_index,
        last_contact_seconds: status.last_contact.as_secs_f64(),
        instances: Status::ALL.map(|status| (status.as_str(), view.statuses().count(status))).to_vec(),
        delta_entries: view.delta_count(),
        state_compared_index: compared.index,
        state_deviations: compared.differing.len(),
        disk_failed: Part::ALL.map(|part| (part.as_str(), consensus.disk_failure(part).is_some())).to_vec(),
        self_preservation: self_preservation::in_force(facade),
        eureka_peers: eureka_peers::figures(facade),
        max_connections: facade.max_connections,
        process: None,
    }
}

/// `GET /serverinfo/statusoverrides`: the overrides in force, by instance id.
///
/// # Errors
/// As [`query::consistency`].
pub async fn status_overrides(facade: &Facade, query: Option<&str>) -> Result<Answer, HttpError> {
    query::consistency(facade, &Parameters::new(query)).await?;
    let overrides: BTreeMap<String, &'static str> = facade.consensus.machine().with_registry(|registry| {
        let overridden = registry.registrations().filter_map(|(key, registration)| {
            Some((key.id.to_string(), registration.overridden.map(Status::as_str)?))
        });
        overridden.collect()
    });
    Ok(json_answer(StatusCode::OK, &json!(overrides)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_serves_tells_what_fails_beside_it() {
        assert_eq!(readiness(&[]), "ready\n");
        let failing = ["no snapshot can be written".to_owned(), "the state cannot be written".to_owned()];
        assert_eq!(
            readiness(&failing),
            "ready\nbut no snapshot can be written\nbut the state cannot be written\n"
        );
    }
}
