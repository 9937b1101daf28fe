//! What a Eureka server's answer to a batch means.

use hyper::StatusCode;

use crate::eureka::{BatchAction, ItemResponse, decode_batch_response};
use crate::http_client::{Answer, HttpClientError};
use crate::registry::Key;

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The server took it, and says what of each item. None, if that cannot be understood.
    Taken(Vec<ItemResponse>),
    /// It is to be sent again: the server is away, busy, or does not let this cluster in. Why.
    Again(String),
    /// The server cannot read it, as it is. Why.
    Refused(String),
}

/// One item of a batch that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub key: Key,
    pub action: BatchAction,
    /// Whether the instance as a whole goes along, in another item.
    pub is_registered: bool,
}

impl Verdict {
    pub fn of(answered: Result<Answer, HttpClientError>, sent: usize) -> Self {
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) => return Self::Again(with_causes(&error)),
        };
        match answer.status {
            status if status.is_success() => match decode_batch_response(&answer.body) {
                Ok(responses) if responses.len() == sent => Self::Taken(responses),
                _ => Self::Taken(Vec::new()),
            },
            StatusCode::SERVICE_UNAVAILABLE => Self::Again("it is busy (503)".to_owned()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Again(format!(
                "it does not let this cluster in ({}): see user and password",
                answer.status
            )),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                Self::Again(format!("there is no Eureka server at this URL ({})", answer.status))
            }
            status if status.is_redirection() => {
                Self::Again(format!("it sends on to another URL ({status}): give that one"))
            }
            StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS => {
                Self::Again(format!("it cannot be asked now ({})", answer.status))
            }
            status => Self::Refused(format!("it refuses what it is told ({status})")),
        }
    }
}

/// What is to be done about one item.
#[derive(Debug, PartialEq, Eq)]
pub enum Reaction<'a> {
    Nothing,
    /// The server does not know the instance, or only an older one.
    Register,
    /// The server knows a newer one.
    Adopt(&'a ItemResponse),
    /// The item failed for good. Why.
    Refused(String),
}

/// As Eureka's servers react to each other.
pub fn reaction<'a>(sent: &Sent, response: &'a ItemResponse) -> Reaction<'a> {
    match (sent.action, response.status_code) {
        (_, 200..=299) | (BatchAction::Cancel, 404) => Reaction::Nothing,
        (_, 404) if sent.is_registered => Reaction::Nothing,
        (_, 404) => Reaction::Register,
        (BatchAction::Heartbeat, _) if response.entity.is_some() => Reaction::Adopt(response),
        (action, status) => Reaction::Refused(format!("{action:?} of {}: {status}", sent.key)),
    }
}

/// An error and what caused it, in one line.
fn with_causes(error: &HttpClientError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hyper::HeaderMap;

    use super::*;
    use crate::registry::arbitrary::key_of;

    fn verdict(status: u16, body: &'static str) -> Verdict {
        let status = StatusCode::from_u16(status).unwrap();
        Verdict::of(
            Ok(Answer { status, headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) }),
            1,
        )
    }

    fn sent(action: BatchAction) -> Sent {
        Sent { key: key_of("A", "a"), action, is_registered: false }
    }

    fn response(status_code: u16) -> ItemResponse {
        ItemResponse { status_code, entity: None }
    }

    #[test]
    fn a_batch_is_taken_sent_again_or_refused() {
        assert_eq!(
            verdict(200, r#"{"responseList":[{"statusCode":404}]}"#),
            Verdict::Taken(vec![response(404)])
        );
        for odd in [r#"{"responseList":[]}"#, "", "<html>"] {
            assert_eq!(verdict(200, odd), Verdict::Taken(Vec::new()), "{odd}");
        }
        for again in [301, 401, 403, 404, 405, 408, 429, 502, 503, 504] {
            assert!(matches!(verdict(again, ""), Verdict::Again(_)), "{again}");
        }
        for refused in [400, 406, 413, 415, 500] {
            assert!(matches!(verdict(refused, ""), Verdict::Refused(_)), "{refused}");
        }
    }

    #[test]
    fn a_server_that_does_not_know_an_instance_is_told_of_it() {
        for action in [BatchAction::Heartbeat, BatchAction::StatusUpdate, BatchAction::DeleteStatusOverride] {
            assert_eq!(reaction(&sent(action), &response(404)), Reaction::Register);
            let with_document = Sent { is_registered: true, ..sent(action) };
            assert_eq!(reaction(&with_document, &response(404)), Reaction::Nothing);
        }
        assert_eq!(reaction(&sent(BatchAction::Cancel), &response(404)), Reaction::Nothing);
        assert_eq!(reaction(&sent(BatchAction::Heartbeat), &response(200)), Reaction::Nothing);
    }

    #[test]
    fn what_a_server_knows_better_is_adopted() {
        let entity = Some(Box::new(crate::eureka::Document::default())).map(|document| *document);
        let newer = ItemResponse { status_code: 409, entity };
        assert_eq!(reaction(&sent(BatchAction::Heartbeat), &newer), Reaction::Adopt(&newer));
        assert!(matches!(reaction(&sent(BatchAction::Heartbeat), &response(409)), Reaction::Refused(_)));
        assert!(matches!(reaction(&sent(BatchAction::Register), &response(500)), Reaction::Refused(_)));
    }
}
