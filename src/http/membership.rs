//! Changes of the membership, by any node. A body is JSON and says so: what a page of another site can have a browser
//! send unasked does not.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::answer::{Answer, json as json_answer};
use super::error::HttpError;
use super::{Facade, body};
use crate::audit::Requester;
use crate::config::HostPort;
use crate::eureka::RequestFormat;
use crate::raft::{MembershipChange, MembershipError, NodeId};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMember {
    node_id: NodeId,
    peer_addr: HostPort,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Successor {
    to: Option<NodeId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// `POST /api/cluster/members`, of `{"node_id": 4, "peer_addr": "host:port"}`.
pub async fn add(facade: &Facade, request: Request<Body>) -> Answer {
    let requester = Requester::of(request.extensions());
    match parsed::<NewMember>(facade, request).await {
        Ok(NewMember { node_id, peer_addr }) => {
            let peer_addr = peer_addr.to_string();
            change(facade, &requester, MembershipChange::AddLearner { node_id, peer_addr }).await
        }
        Err(answer) => answer,
    }
}

/// `POST /api/cluster/members/{id}/promote`, of `{}`.
pub async fn promote(facade: &Facade, id: &str, request: Request<Body>) -> Answer {
    let requester = Requester::of(request.extensions());
    match (id.parse(), parsed::<Nothing>(facade, request).await) {
        (Ok(node_id), Ok(Nothing {})) => {
            change(facade, &requester, MembershipChange::Promote { node_id }).await
        }
        (Err(_), _) => no_id(id),
        (_, Err(answer)) => answer,
    }
}

/// `DELETE /api/cluster/members/{id}`.
pub async fn remove(facade: &Facade, id: &str, request: Request<Body>) -> Answer {
    let requester = Requester::of(request.extensions());
    match id.parse() {
        Ok(node_id) => change(facade, &requester, MembershipChange::Remove { node_id }).await,
        Err(_) => no_id(id),
    }
}

/// `POST /api/cluster/transfer-leader`, of `{}` or `{"to": 2}`.
pub async fn transfer_leader(facade: &Facade, request: Request<Body>) -> Answer {
    let requester = Requester::of(request.extensions());
    match parsed::<Successor>(facade, request).await {
        Ok(Successor { to }) => change(facade, &requester, MembershipChange::TransferLeader { to }).await,
        Err(answer) => answer,
    }
}

async fn change(facade: &Facade, requester: &Requester, change: MembershipChange) -> Answer {
    let changed = facade.consensus.change_membership(&facade.told.peers, &change).await;
    facade.audit.tell_of_members(requester, &change, &changed);
    match changed {
        Ok(done) => json_answer(StatusCode::OK, &json!({"done": done})),
        Err(error) => {
            let status = match error {
                MembershipError::Refused(_) => StatusCode::CONFLICT,
                MembershipError::NoLeader => return HttpError::NoLeader.into(),
                MembershipError::Unknown(_) => StatusCode::GATEWAY_TIMEOUT,
            };
            json_answer(status, &json!({"error": error.to_string()}))
        }
    }
}

async fn parsed<T: DeserializeOwned>(facade: &Facade, request: Request<Body>) -> Result<T, Answer> {
    let (head, body) = request.into_parts();
    let is_json = head.headers.contains_key(header::CONTENT_TYPE)
        && body::format(&head.headers).is_ok_and(|format| format == RequestFormat::Json);
    if !is_json {
        return Err(HttpError::UnsupportedMediaType.into());
    }
    let sent = body::read(facade, &head.headers, body).await?;
    serde_json::from_slice(&sent.bytes)
        .map_err(|error| json_answer(StatusCode::BAD_REQUEST, &json!({"error": error.to_string()})))
}

fn no_id(id: &str) -> Answer {
    json_answer(StatusCode::BAD_REQUEST, &json!({"error": format!("{id:?} is no id of a node")}))
}
