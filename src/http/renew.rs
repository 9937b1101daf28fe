//! `PUT apps/{app}/{id}`: renew a lease. The answer is decided in the log, never by what this node
//! happens to know: a false 404 makes a client register anew, a false 200 hides a lost lease.

use axum::http::StatusCode;
use axum::http::request::Parts;

use super::Facade;
use super::answer::{Answer, empty, text};
use super::error::HttpError;
use super::pace::AfterPause;
use super::request::{self, Parameters};
use crate::audit::Requester;
use crate::command::Command;
use crate::eureka::{Format, instance_document};
use crate::registry::{Origin, Outcome, Status};

pub async fn renew(
    facade: &Facade,
    requester: &Requester,
    (app, id): (&str, &str),
    head: &Parts,
    format: Format,
) -> Result<Answer, HttpError> {
    let origin = request::origin(&head.headers);
    let parameters = Parameters::new(head.uri.query());
    let overridden = match origin {
        Origin::Replication => {
            parameters.status("overriddenstatus")?.filter(|status| *status != Status::Unknown)
        }
        Origin::Client | Origin::Import => None,
    };
    let command = Command::Renew {
        key: request::key(app, id)?,
        last_dirty_ms: parameters.last_dirty_ms()?,
        overridden,
        origin,
    };
    #[cfg(feature = "planted-bugs")]
    if crate::planted::denies(&command, facade.consensus.machine()) {
        return Ok(empty(StatusCode::NOT_FOUND));
    }
    let unhurried = origin == Origin::Client && head.extensions.get::<AfterPause>().is_some();
    let outcome = match unhurried {
        true => facade.write_unhurried(requester, &command).await?,
        false => facade.write(requester, &command).await?,
    };
    Ok(match outcome {
        Outcome::Done => empty(StatusCode::OK),
        Outcome::Conflict(Some(stored)) => {
            let format = format.full();
            text(StatusCode::CONFLICT, format.media_type(), instance_document(format, &stored))
        }
        Outcome::Conflict(None) => empty(StatusCode::CONFLICT),
        _ => empty(StatusCode::NOT_FOUND),
    })
}
