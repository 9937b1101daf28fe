//! `PUT` and `DELETE apps/{app}/{id}/status`: set a status override, and remove it.

use axum::http::StatusCode;
use axum::http::request::Parts;

use super::Facade;
use super::answer::{Answer, empty};
use super::error::HttpError;
use super::request::{self, Parameters};
use crate::audit::Requester;
use crate::command::Command;
use crate::registry::Outcome;

pub async fn set(
    facade: &Facade,
    requester: &Requester,
    (app, id): (&str, &str),
    head: &Parts,
) -> Result<Answer, HttpError> {
    let parameters = Parameters::new(head.uri.query());
    let command = Command::SetStatus {
        key: request::key(app, id)?,
        status: parameters.status("value")?.ok_or(HttpError::BadParameter("value"))?,
        last_dirty_ms: parameters.last_dirty_ms()?,
        origin: request::origin(&head.headers),
    };
    write(facade, requester, command).await
}

pub async fn remove(
    facade: &Facade,
    requester: &Requester,
    (app, id): (&str, &str),
    head: &Parts,
) -> Result<Answer, HttpError> {
    let parameters = Parameters::new(head.uri.query());
    let command = Command::RemoveStatus {
        key: request::key(app, id)?,
        status: parameters.status("value")?,
        last_dirty_ms: parameters.last_dirty_ms()?,
        origin: request::origin(&head.headers),
    };
    write(facade, requester, command).await
}

async fn write(facade: &Facade, requester: &Requester, command: Command) -> Result<Answer, HttpError> {
    Ok(match facade.write(requester, &command).await? {
        Outcome::Done => empty(StatusCode::OK),
        _ => empty(StatusCode::NOT_FOUND),
    })
}
