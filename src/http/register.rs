//! `POST apps/{app}`: register an instance, or register it again.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};

use super::answer::{Answer, empty};
use super::error::HttpError;
use super::{Facade, body, request};
use crate::audit::Requester;
use crate::command::Command;
use crate::eureka::{Format, decode_document};
use crate::registry::MAX_INSTANCE_BYTES;

pub async fn register(
    facade: &Facade,
    requester: &Requester,
    app: &str,
    headers: &HeaderMap,
    format: Format,
    body: Body,
) -> Result<Answer, HttpError> {
    let sent = body::read(facade, headers, body).await?;
    let document = decode_document(sent.format, &sent.bytes)
        .map_err(|error| body::unreadable(headers, sent.format, error))?;
    let accepted =
        document.into_registration(app).map_err(|refusal| HttpError::Refused { refusal, format })?;
    if accepted.instance.stored_bytes() > MAX_INSTANCE_BYTES {
        return Err(HttpError::TooLarge);
    }
    let command = Command::Register {
        key: accepted.key,
        instance: accepted.instance.into(),
        last_dirty_ms: accepted.last_dirty_ms,
        origin: request::origin(headers),
    };
    facade.write(requester, &command).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
