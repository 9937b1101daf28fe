//! `DELETE apps/{app}/{id}`: cancel a lease.

use axum::http::{HeaderMap, StatusCode};

use super::answer::{Answer, empty};
use super::error::HttpError;
use super::{Facade, request};
use crate::audit::Requester;
use crate::command::Command;
use crate::registry::Outcome;

pub async fn cancel(
    facade: &Facade,
    requester: &Requester,
    (app, id): (&str, &str),
    headers: &HeaderMap,
) -> Result<Answer, HttpError> {
    let command = Command::Cancel { key: request::key(app, id)?, origin: request::origin(headers) };
    Ok(match facade.write(requester, &command).await? {
        Outcome::Done => empty(StatusCode::OK),
        _ => empty(StatusCode::NOT_FOUND),
    })
}
