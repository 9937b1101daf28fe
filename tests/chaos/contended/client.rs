//! A client: at one node it does to any of the instances what chance tells it, one thing at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::history::{Done, History};
use super::plan::{Choices, Task};
use super::session::Session;
use crate::harness::{Document, Request};
use crate::linearizability::{Action, Answer, Operation, Outcome, Registered, Status, Version};

/// After a node has not helped, so that one that is dead is not asked without end.
const BREATH: Duration = Duration::from_millis(100);
/// No lease ends during any round.
const LEASE_SECS: u32 = 24 * 60 * 60;

pub struct Client {
    pub number: u64,
    pub node: u64,
    pub session: Session,
    pub history: Arc<History>,
}

impl Client {
    /// Operates on instances of these ids until it is told to stop.
    pub async fn run(mut self, ids: Arc<Vec<String>>, choices: Choices, stop: Arc<AtomicBool>) {
        for choice in choices {
            sleep(choice.pause).await;
            if stop.load(Ordering::Relaxed) {
                return;
            }
            if self.operate(&ids[choice.instance], choice.task).await.is_none() {
                sleep(BREATH).await;
            }
        }
    }

    /// The answer to one operation, if there was any.
    pub async fn operate(&mut self, id: &str, Task { action, patience }: Task) -> Option<Answer> {
        let request = request(&Document::new("CONTENDED", id).lease_secs(LEASE_SECS), action);
        let connected = self.session.connect().await;
        let invoked = self.history.now();
        let exchanged = if connected { self.session.exchange(&request, patience).await } else { None };
        let returned = self.history.now();
        let outcome = match (connected, exchanged) {
            (false, _) => Outcome::NotSent,
            (true, None) => Outcome::Unknown,
            (true, Some((status, body))) => outcome(action, status, &body).unwrap_or_else(|| {
                let text = String::from_utf8_lossy(&body);
                self.history
                    .odd(&format!("node {} answers {action:?} of {id} with {status}: {text}", self.node));
                Outcome::Unknown
            }),
        };
        let operation = Operation { action, invoked, returned, outcome };
        self.history.add(Done { client: self.number, node: self.node, instance: id.to_owned(), operation });
        operation.answer()
    }
}

fn request(document: &Document, action: Action) -> Request {
    let path = document.path();
    match action {
        Action::Register(Version(version)) => {
            document.clone().set("metadata", json!({"version": version.to_string()})).register()
        }
        Action::Renew => document.renew(),
        Action::Cancel => document.cancel(),
        Action::SetOverride(status) => Request::put(&format!("{path}/status?value={}", status.as_str())),
        Action::RemoveOverride(None) => Request::delete(&format!("{path}/status")),
        Action::RemoveOverride(Some(status)) => {
            Request::delete(&format!("{path}/status?value={}", status.as_str()))
        }
        Action::Read => Request::get(&format!("{path}?consistency=linearizable")).accept_json(),
    }
}

/// `None` if that is no answer to such a request.
fn outcome(action: Action, status: u16, body: &[u8]) -> Option<Outcome> {
    match (action, status) {
        (_, 503) => Some(Outcome::Unknown),
        (Action::Register(_), 204) => Some(Outcome::Answered(Answer::Done)),
        (Action::Register(_), _) => None,
        (_, 404) => Some(Outcome::Answered(Answer::NotFound)),
        (Action::Read, 200) => Some(Outcome::Answered(Answer::Shown(registered(body)?))),
        (_, 200) => Some(Outcome::Answered(Answer::Done)),
        _ => None,
    }
}

fn registered(body: &[u8]) -> Option<Registered> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let instance = &body["instance"];
    let version = Version(instance["metadata"]["version"].as_str()?.parse().ok()?);
    let status = Status::parse(instance["status"].as_str()?)?;
    let overridden = Status::parse(instance["overriddenStatus"].as_str()?)?;
    Some(Registered { version, status, overridden: Some(overridden).filter(|it| *it != Status::Unknown) })
}
