//! What a client did and saw.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::instance::{Action, Answer};

/// Times are of one monotonic clock for all clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Operation {
    pub action: Action,
    /// Just before its only request was sent.
    #[serde(rename = "invoked_us", serialize_with = "micros")]
    pub invoked: Duration,
    /// When the answer was there, or was no longer waited for.
    #[serde(rename = "returned_us", serialize_with = "micros")]
    pub returned: Duration,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Outcome {
    Answered(Answer),
    /// No answer, or one that does not tell: it may happen at any time after its request, or never.
    Unknown,
    /// There was no connection to send it on.
    NotSent,
}

impl Operation {
    pub fn answer(&self) -> Option<Answer> {
        match self.outcome {
            Outcome::Answered(answer) => Some(answer),
            Outcome::Unknown | Outcome::NotSent => None,
        }
    }
}

fn micros<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}
