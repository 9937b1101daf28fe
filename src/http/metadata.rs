//! `PUT apps/{app}/{id}/metadata`: merge pairs into an instance's metadata.

use std::collections::HashSet;

use axum::http::StatusCode;

use super::Facade;
use super::answer::{Answer, empty};
use super::error::HttpError;
use super::request::{self, Parameters};
use crate::audit::Requester;
use crate::command::Command;
use crate::eureka::check_metadata_names;
use crate::registry::{Metadata, Outcome};

pub async fn put(
    facade: &Facade,
    requester: &Requester,
    (app, id): (&str, &str),
    parameters: &Parameters<'_>,
) -> Result<Answer, HttpError> {
    let key = request::key(app, id)?;
    // The first value of a repeated name counts, as in Eureka. `@class` is not a name: it is how
    // JSON says that there are none.
    let mut names = HashSet::from(["@class".to_owned()]);
    let first = parameters.pairs().filter(|(name, _)| names.insert(name.clone()));
    let pairs = Metadata::from_pairs(first);
    check_metadata_names(&pairs)?;
    let command = Command::PutMetadata { key, pairs };
    Ok(match facade.write(requester, &command).await? {
        Outcome::Done => empty(StatusCode::OK),
        Outcome::TooLarge => return Err(HttpError::TooLarge),
        _ => empty(StatusCode::NOT_FOUND),
    })
}
