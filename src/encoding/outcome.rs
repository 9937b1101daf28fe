//! Outcomes on their way from the leader to the node that was asked.

use std::sync::Arc;

use super::DecodeError;
use super::state::{registration_from_message, registration_to_message};
use crate::message;
use crate::registry::Outcome;

/// The message for an outcome. Of a conflict only the registration is carried; the asking node
/// knows the key.
pub fn encode_outcome(outcome: &Outcome) -> message::Outcome {
    use message::outcome::Kind;
    let mut message = message::Outcome::default();
    let kind = match outcome {
        Outcome::Done => Kind::Done,
        Outcome::NotFound => Kind::NotFound,
        Outcome::TooLarge => Kind::TooLarge,
        Outcome::Conflict(stored) => {
            message.conflict = stored.as_ref().map(|stored| registration_to_message("", "", stored));
            Kind::Conflict
        }
        Outcome::Expired(count) => {
            message.expired = *count;
            Kind::Expired
        }
    };
    message.kind = kind as i32;
    message
}

/// # Errors
/// [`DecodeError`] if the message is none of the outcomes.
pub fn decode_outcome(message: message::Outcome) -> Result<Outcome, DecodeError> {
    use message::outcome::Kind;
    let value = message.kind;
    match Kind::try_from(value) {
        Ok(Kind::Done) => Ok(Outcome::Done),
        Ok(Kind::NotFound) => Ok(Outcome::NotFound),
        Ok(Kind::TooLarge) => Ok(Outcome::TooLarge),
        Ok(Kind::Expired) => Ok(Outcome::Expired(message.expired)),
        Ok(Kind::Conflict) => {
            let stored = message.conflict.map(registration_from_message).transpose()?;
            Ok(Outcome::Conflict(stored.map(Arc::new)))
        }
        Ok(Kind::None) | Err(_) => Err(DecodeError::UnknownConstant { what: "outcome", value }),
    }
}
