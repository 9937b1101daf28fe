//! `POST peerreplication/batch`: what another Eureka server passes on, many changes at once. All of
//! them are proposed together; each has its answer, in order.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};

use super::answer::{Answer, text};
use super::error::HttpError;
use super::{Facade, body};
use crate::audit::Requester;
use crate::command::Command;
use crate::eureka::{BatchAction, BatchItem, ItemAnswer, RequestFormat, decode_batch, encode_batch_response};
use crate::registry::{AppName, InstanceId, Key, MAX_INSTANCE_BYTES, Origin, Outcome, Status};

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
    let items: Vec<Item> = items.into_iter().map(item).collect();
    let commands: Vec<Command> = items.iter().filter_map(Item::command).cloned().collect();
    let outcomes = facade.write_all(requester, &commands).await?;
    let mut outcomes = outcomes.iter();
    let answers: Vec<ItemAnswer<'_>> = items.iter().map(|item| answer(item, &mut outcomes)).collect();
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

fn item(item: BatchItem) -> Item {
    let Some(action) = item.action else {
        return Item::Answered(FAILED);
    };
    match command(action, item) {
        Ok(command) => Item::Proposed(action, command),
        Err(status) => Item::Answered(status),
    }
}

/// A registration that is refused is answered 200 all the same: Eureka servers discard the refusal,
/// and would send it again and again.
fn registration(item: BatchItem) -> Result<Command, StatusCode> {
    let document = item.instance.ok_or(FAILED)?;
    let accepted = document.into_registration(&item.app).ok();
    let accepted = accepted.filter(|accepted| accepted.instance.stored_bytes() <= MAX_INSTANCE_BYTES);
    let accepted = accepted.ok_or(StatusCode::OK)?;
    Ok(Command::Register {
        key: accepted.key,
        instance: accepted.instance.into(),
        last_dirty_ms: accepted.last_dirty_ms,
        origin: Origin::Replication,
    })
}

/// The command that an item asks for, or the answer if it is none.
fn command(action: BatchAction, item: BatchItem) -> Result<Command, StatusCode> {
    let last_dirty_ms = item.last_dirty_ms;
    let status = item.status.as_ref().map(|word| word.known().ok_or(FAILED)).transpose();
    Ok(match action {
        BatchAction::Register => registration(item)?,
        BatchAction::Cancel => Command::Cancel { key: key(&item)? },
        BatchAction::StatusUpdate => {
            Command::SetStatus { key: key(&item)?, status: status?.ok_or(FAILED)?, last_dirty_ms }
        }
        BatchAction::DeleteStatusOverride => {
            Command::RemoveStatus { key: key(&item)?, status: status?, last_dirty_ms }
        }
        BatchAction::Heartbeat => {
            let overridden = item.overridden_status.as_ref().and_then(|word| word.known());
            let overridden = overridden.filter(|status| *status != Status::Unknown);
            Command::Renew { key: key(&item)?, last_dirty_ms, overridden, origin: Origin::Replication }
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
