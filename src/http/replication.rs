//! `POST peerreplication/batch`: what another Eureka server passes on, many changes at once, or what is copied from
//! one. All of them are proposed together; each has its answer, in order.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, StatusCode};

use super::answer::{Answer, text};
use super::error::HttpError;
use super::{Facade, body};
use crate::audit::Requester;
use crate::command::Command;
use crate::eureka::{BatchAction, BatchItem, ItemAnswer, RequestFormat, decode_batch, encode_batch_response};
use crate::metrics::Replicated;
use crate::registry::{AppName, InstanceId, Key, MAX_INSTANCE_BYTES, Origin, Outcome, Status};

/// Ours: says that a batch is a copy of what somebody read from a Eureka server, and not sent by one.
const IMPORT: HeaderName = HeaderName::from_static("x-registry-import");

/// An item that Eureka's servers fail on; the others of its batch are none the worse for it.
const FAILED: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;

/// What becomes of an item: a command with its outcome to come, or an answer at once.
enum Item {
    Proposed(BatchAction, Command),
    Answered(StatusCode),
}

pub async fn replicate(
    facade: &Facade,
    requester: &Requester,
    headers: &HeaderMap,
    body: Body,
) -> Result<Answer, HttpError> {
    let sent = body::read(facade, headers, body).await?;
    if sent.format != RequestFormat::Json {
        return Err(body::unreadable(headers, sent.format, "a batch is JSON"));
    }
    let items = decode_batch(&sent.bytes).map_err(|error| body::unreadable(headers, sent.format, error))?;
    let origin = origin(headers);
    let items: Vec<Item> = items.into_iter().map(|of| item(of, origin)).collect();
    let commands: Vec<Command> = items.iter().filter_map(Item::command).cloned().collect();
    let replicated = &facade.consensus.metrics().replicated;
    let decided = facade.write_all(requester, &commands).await;
    let outcomes = decided.inspect_err(|_| {
        replicated.unavailable.inc_by(items.len() as u64);
    })?;
    let mut outcomes = outcomes.iter();
    let answers: Vec<ItemAnswer<'_>> = items.iter().map(|item| answer(item, &mut outcomes)).collect();
    items.iter().zip(&answers).for_each(|(item, answer)| count(replicated, item, answer));
    Ok(text(StatusCode::OK, "application/json", encode_batch_response(&answers)))
}

impl Item {
    fn command(&self) -> Option<&Command> {
        match self {
            Item::Proposed(_, command) => Some(command),
            Item::Answered(_) => None,
        }
    }
}

fn origin(headers: &HeaderMap) -> Origin {
    match headers.get(IMPORT).is_some_and(|value| value.as_bytes() == b"true") {
        true => Origin::Import,
        false => Origin::Replication,
    }
}

fn item(item: BatchItem, origin: Origin) -> Item {
    let Some(action) = item.action else {
        return Item::Answered(FAILED);
    };
    match command(action, item, origin) {
        Ok(command) => Item::Proposed(action, command),
        Err(status) => Item::Answered(status),
    }
}

/// A registration that is refused is answered 200 all the same to a Eureka server: it would discard the refusal, and
/// send it again and again.
fn registration(item: BatchItem, origin: Origin) -> Result<Command, StatusCode> {
    let told = |refusal| if origin == Origin::Import { refusal } else { StatusCode::OK };
    let document = item.instance.ok_or(FAILED)?;
    let accepted = document.into_registration(&item.app).map_err(|_| told(StatusCode::BAD_REQUEST))?;
    if accepted.instance.stored_bytes() > MAX_INSTANCE_BYTES {
        return Err(told(StatusCode::PAYLOAD_TOO_LARGE));
    }
    Ok(Command::Register {
        key: accepted.key,
        instance: accepted.instance.into(),
        last_dirty_ms: accepted.last_dirty_ms,
        origin,
    })
}

/// The command that an item asks for, or the answer if it is none.
fn command(action: BatchAction, item: BatchItem, origin: Origin) -> Result<Command, StatusCode> {
    let last_dirty_ms = item.last_dirty_ms;
    let status = item.status.as_ref().map(|word| word.known().ok_or(FAILED)).transpose();
    Ok(match action {
        BatchAction::Register => registration(item, origin)?,
        BatchAction::Cancel => Command::Cancel { key: key(&item)?, origin },
        BatchAction::StatusUpdate => {
            Command::SetStatus { key: key(&item)?, status: status?.ok_or(FAILED)?, last_dirty_ms, origin }
        }
        BatchAction::DeleteStatusOverride => {
            Command::RemoveStatus { key: key(&item)?, status: status?, last_dirty_ms, origin }
        }
        BatchAction::Heartbeat => {
            let overridden = item.overridden_status.as_ref().and_then(|word| word.known());
            let overridden = overridden.filter(|status| *status != Status::Unknown);
            Command::Renew { key: key(&item)?, last_dirty_ms, overridden, origin }
        }
    })
}

fn key(item: &BatchItem) -> Result<Key, StatusCode> {
    let parsed = AppName::parse(&item.app).and_then(|app| Ok(Key::new(app, InstanceId::parse(&item.id)?)));
    parsed.map_err(|_| FAILED)
}

fn answer<'o>(item: &Item, outcomes: &mut impl Iterator<Item = &'o Outcome>) -> ItemAnswer<'o> {
    let status = |status: StatusCode| ItemAnswer { status_code: status.as_u16(), entity: None };
    let action = match item {
        Item::Answered(code) => return status(*code),
        Item::Proposed(action, _) => action,
    };
    match outcomes.next() {
        Some(Outcome::Conflict(stored)) => {
            ItemAnswer { status_code: StatusCode::CONFLICT.as_u16(), entity: stored.as_deref() }
        }
        Some(Outcome::NotFound) if *action != BatchAction::Register => status(StatusCode::NOT_FOUND),
        Some(_) => status(StatusCode::OK),
        None => status(FAILED),
    }
}

fn count(replicated: &Replicated, item: &Item, answer: &ItemAnswer<'_>) {
    let counter = match (item, StatusCode::from_u16(answer.status_code)) {
        (Item::Answered(_), _) => &replicated.refused,
        (_, Ok(StatusCode::OK)) => &replicated.done,
        (_, Ok(StatusCode::NOT_FOUND)) => &replicated.not_found,
        (_, Ok(StatusCode::CONFLICT)) => &replicated.conflict,
        _ => &replicated.unavailable,
    };
    counter.inc();
}
