//! Why a request gets no answer of its own, and what that is in HTTP. One file for all of them.
//! Eureka's clients read bodies of errors as documents, so only a 400 has one: it tells what to mend.

use axum::http::{HeaderValue, StatusCode, header};

use super::answer::{Answer, empty, text, with};
use crate::eureka::{Format, MetadataNameTooLong, Refusal, RequestFormat, cannot_parse_body};
use crate::linearize::NoQuorum;
use crate::propose::ProposeError;
use crate::registry::NameError;

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("neither JSON nor XML is accepted")]
    NotAcceptable,
    #[error("the body is neither JSON nor XML, or in an unknown encoding")]
    UnsupportedMediaType,
    #[error("the parameter {0} is missing or has no meaning")]
    BadParameter(&'static str),
    #[error(transparent)]
    BadName(#[from] NameError),
    #[error(transparent)]
    BadMetadata(#[from] MetadataNameTooLong),
    #[error("the body cannot be read: {reason}")]
    Unreadable { format: RequestFormat, content_type: Option<HeaderValue>, reason: String },
    #[error("the registration is refused: {refusal}")]
    Refused { refusal: Refusal, format: Format },
    #[error("the body or the instance is too large")]
    TooLarge,
    #[error("the body did not arrive")]
    Incomplete,
    #[error("no leader with a quorum")]
    NoLeader,
    #[error(transparent)]
    NoQuorum(#[from] NoQuorum),
    #[error("not decided: {0}")]
    Undecided(#[from] ProposeError),
}

impl From<HttpError> for Answer {
    fn from(error: HttpError) -> Self {
        tracing::debug!(%error, "a request is refused");
        match error {
            HttpError::NotAcceptable => empty(StatusCode::NOT_ACCEPTABLE),
            HttpError::UnsupportedMediaType => empty(StatusCode::UNSUPPORTED_MEDIA_TYPE),
            HttpError::BadParameter(_) => empty(StatusCode::BAD_REQUEST),
            HttpError::BadName(error) => text(StatusCode::BAD_REQUEST, "text/plain", error.to_string()),
            HttpError::BadMetadata(error) => text(StatusCode::BAD_REQUEST, "text/plain", error.to_string()),
            HttpError::Unreadable { format, content_type, .. } => {
                let answer = text(StatusCode::BAD_REQUEST, "application/json", cannot_parse_body(format));
                match content_type {
                    Some(value) => with(answer, header::CONTENT_TYPE, value),
                    None => answer,
                }
            }
            HttpError::Refused { refusal, format } => {
                text(StatusCode::BAD_REQUEST, format.media_type(), refusal.to_string())
            }
            HttpError::TooLarge => empty(StatusCode::PAYLOAD_TOO_LARGE),
            HttpError::Incomplete => empty(StatusCode::REQUEST_TIMEOUT),
            HttpError::Undecided(_) | HttpError::NoQuorum(_) | HttpError::NoLeader => unavailable(),
        }
    }
}

/// Another node, or this one in a moment, may do better.
fn unavailable() -> Answer {
    with(empty(StatusCode::SERVICE_UNAVAILABLE), header::RETRY_AFTER, HeaderValue::from_static("1"))
}
