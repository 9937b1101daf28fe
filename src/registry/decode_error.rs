use super::name::NameError;
use crate::format::FormatError;

/// Why a message is not taken for what it should be.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("not a message of this version: {0}")]
    Malformed(#[from] prost::DecodeError),
    #[error("the message lacks {0}")]
    Missing(&'static str),
    #[error("the message has an unknown {what} ({value})")]
    UnknownConstant { what: &'static str, value: i32 },
    #[error("the message has a name that is not text: {0}")]
    NotText(#[from] std::str::Utf8Error),
    #[error("the message has a bad name: {0}")]
    Name(#[from] NameError),
    #[error(transparent)]
    Format(#[from] FormatError),
}
