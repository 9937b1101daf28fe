//! The way in for bodies: what holds of both syntaxes, and what can be wrong with them.

use super::document::Document;
use super::format::RequestFormat;
use super::{json_decode, json_value, xml_decode};

/// Longest body of one instance that is read, in bytes: as long as the setting for bodies may allow.
pub const MAX_DOCUMENT_BYTES: usize = 8 * 1024 * 1024;

/// Deepest nesting of objects, arrays or elements that is read.
pub const MAX_DEPTH: usize = 32;

/// Why a body cannot be read. Eureka answers 400 to all of them with
/// [`super::cannot_parse_body`]; the text is for whoever looks for the cause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("the body is {bytes} bytes long; at most {limit} are read")]
    TooLong { bytes: usize, limit: usize },
    #[error("the body is nested more than {MAX_DEPTH} levels deep; no instance needs that")]
    TooDeep,
    #[error("the body is not UTF-8; encode it so")]
    NotUtf8,
    #[error("the body is not well-formed JSON: {0}")]
    Json(String),
    #[error("the body is not well-formed XML: {0}")]
    Xml(String),
    #[error("the body has a document type declaration; remove it")]
    DocumentType,
    #[error("the body refers to an entity that XML does not predefine; write the text itself")]
    Entity,
    #[error("the root is not an instance; send {expected}")]
    Root { expected: &'static str },
    #[error("member {member:?} is not {expected}")]
    WrongType { member: Box<str>, expected: &'static str },
    #[error("dataCenterInfo {0}")]
    DataCenter(&'static str),
    #[error("the instance has no app; name its application")]
    MissingApp,
    #[error("the batch is not one: {0}")]
    Batch(&'static str),
    #[error("the answer is no registry: {0}")]
    Applications(&'static str),
    #[error("the answer lists more than {limit} instances; no more are read")]
    TooManyInstances { limit: usize },
    #[error("the list has more than {limit} members; send them in several batches")]
    TooMany { limit: usize },
}

impl DecodeError {
    pub(super) fn wrong_type(member: &str, expected: &'static str) -> Self {
        DecodeError::WrongType { member: member.into(), expected }
    }
}

/// Reads one instance.
///
/// JSON may be wrapped in `{"instance":…}` or not, may start with a byte order mark, and may be
/// followed by anything, as Eureka's may. XML has the root `instance` and nothing after it.
///
/// # Errors
/// [`DecodeError`] if there is no instance to be had from the body.
pub fn decode_document(format: RequestFormat, body: &[u8]) -> Result<Document, DecodeError> {
    let text = body_text(body, MAX_DOCUMENT_BYTES)?;
    match format {
        RequestFormat::Json => json_decode::decode(json_value::root(text)?),
        RequestFormat::Xml => xml_decode::decode(text),
    }
}

/// A body as text without its byte order mark.
pub(super) fn body_text(body: &[u8], limit: usize) -> Result<&str, DecodeError> {
    if body.len() > limit {
        return Err(DecodeError::TooLong { bytes: body.len(), limit });
    }
    let text = std::str::from_utf8(body).map_err(|_| DecodeError::NotUtf8)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_bounded_utf8_with_or_without_a_mark() {
        assert_eq!(body_text(b"\xef\xbb\xbfx", 4), Ok("x"));
        assert_eq!(body_text(b"\xff\xff", 4), Err(DecodeError::NotUtf8));
        assert_eq!(body_text(b"12345", 4), Err(DecodeError::TooLong { bytes: 5, limit: 4 }));
    }

    #[test]
    fn empty_bodies_are_no_instance() {
        for format in [RequestFormat::Json, RequestFormat::Xml] {
            for body in ["", " ", "\u{feff}", "null", "hello", "{", "<"] {
                assert!(decode_document(format, body.as_bytes()).is_err(), "{format:?} {body:?}");
            }
        }
    }
}
