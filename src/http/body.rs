//! Request bodies: chunked or not, gzipped or not, and never more than allowed.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::Facade;
use super::error::HttpError;
use super::request;
use crate::eureka::{RequestFormat, request_format};
use crate::gunzip::unpack;

/// A body with what it is said to be.
pub struct SentBody {
    pub format: RequestFormat,
    pub bytes: Bytes,
}

/// What a body is said to be.
///
/// # Errors
/// [`HttpError::UnsupportedMediaType`] if that is neither JSON nor XML.
pub fn format(headers: &HeaderMap) -> Result<RequestFormat, HttpError> {
    let content_type = request::joined(headers, &header::CONTENT_TYPE);
    request_format(content_type.as_deref()).map_err(|_| HttpError::UnsupportedMediaType)
}

/// Reads a whole body, as long as it is allowed to be both as sent and as unpacked.
///
/// # Errors
/// [`HttpError`] if it is of another type, too long, does not arrive, or is not the gzip it says.
pub async fn read(facade: &Facade, headers: &HeaderMap, body: Body) -> Result<SentBody, HttpError> {
    let format = format(headers)?;
    let max_bytes = facade.max_body_bytes;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > max_bytes as u64) {
        return Err(HttpError::TooLarge);
    }
    let collecting = tokio::time::timeout(facade.body_timeout, Limited::new(body, max_bytes).collect());
    let collected = collecting.await.map_err(|_| HttpError::Incomplete)?;
    let bytes = collected.map(|body| body.to_bytes()).map_err(|error| {
        let too_long = error.downcast_ref::<LengthLimitError>().is_some();
        if too_long { HttpError::TooLarge } else { HttpError::Incomplete }
    })?;
    let encoding = headers.get(header::CONTENT_ENCODING).map(|encoding| encoding.as_bytes());
    let is = |name: &[u8]| encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case(name));
    match encoding {
        None => Ok(SentBody { format, bytes }),
        Some(_) if is(b"identity") => Ok(SentBody { format, bytes }),
        // Two names of one encoding (RFC 9110).
        Some(_) if is(b"gzip") || is(b"x-gzip") => {
            let unreadable = |error: std::io::Error| unreadable(headers, format, error);
            let bytes = unpack(&bytes, max_bytes).map_err(unreadable)?.ok_or(HttpError::TooLarge)?;
            Ok(SentBody { format, bytes })
        }
        Some(_) => Err(HttpError::UnsupportedMediaType),
    }
}

/// The error for a body that cannot be made sense of; its answer is labelled as the body was.
pub fn unreadable(headers: &HeaderMap, format: RequestFormat, reason: impl ToString) -> HttpError {
    let content_type = headers.get(header::CONTENT_TYPE).cloned();
    HttpError::Unreadable { format, content_type, reason: reason.to_string() }
}
