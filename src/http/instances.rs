//! `GET /api/instances` and `GET /api/instances/{app}/{id}`: what the dashboard lists, and all there is of one instance.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use serde_json::json;
use tokio::time::timeout;

use super::Facade;
use super::answer::{Answer, empty, json as json_answer, text, with};
use super::dashboard::data;
use super::error::HttpError;
use super::request::{self, Parameters};
use crate::blocking::blocking;
use crate::dashboard::{Query, detail, events, listing};

/// Each takes a processor for up to some tenths of a second.
pub(super) const LISTINGS_AT_ONCE: usize = 2;
/// For those that are made before.
const LISTING_PATIENCE: Duration = Duration::from_secs(2);
/// Events of an instance that are told.
const MOST_EVENTS: usize = 16;

pub async fn list(facade: &Facade, query: Option<&str>) -> Answer {
    let query = match Query::parse(Parameters::new(query).pairs()) {
        Ok(query) => query,
        Err(error) => return json_answer(StatusCode::BAD_REQUEST, &json!({"error": error.to_string()})),
    };
    let Ok(Ok(_place)) = timeout(LISTING_PATIENCE, facade.listings.acquire()).await else {
        return busy();
    };
    let (view, now_ms) = (facade.consensus.machine().view(), facade.wall_clock.epoch_ms());
    let made = blocking(move || serde_json::to_vec(&listing(&view, &query, now_ms))).await;
    match made {
        Ok(Ok(listing)) => data(text(StatusCode::OK, "application/json", listing)),
        _ => empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn busy() -> Answer {
    with(empty(StatusCode::SERVICE_UNAVAILABLE), header::RETRY_AFTER, HeaderValue::from_static("1"))
}

/// # Errors
/// [`HttpError::BadName`] if the registry could hold no instance of this name.
pub async fn one(facade: &Facade, app: &str, id: &str) -> Result<Answer, HttpError> {
    let key = request::key(app, id)?;
    let Ok(Ok(_place)) = timeout(LISTING_PATIENCE, facade.listings.acquire()).await else {
        return Ok(busy());
    };
    let (machine, now_ms) = (facade.consensus.machine().clone(), facade.wall_clock.epoch_ms());
    // All that is remembered is gone through.
    let told = blocking(move || {
        let history =
            machine.with_history(|history| events(&history.of(&key, MOST_EVENTS), history.since_ms()));
        // Views are not told who renews.
        let keeper = machine.with_registry(|registry| registry.get(&key).map(|held| held.lease.keeper));
        let found = detail(&machine.view(), &key, keeper, now_ms, history.clone());
        (found.map(|detail| serde_json::to_vec(&detail)), history)
    });
    Ok(match told.await {
        Ok((Some(Ok(detail)), _)) => data(text(StatusCode::OK, "application/json", detail)),
        Ok((Some(Err(_)), _)) | Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
        // What is gone may be what is looked for.
        Ok((None, history)) => {
            json_answer(StatusCode::NOT_FOUND, &json!({"error": "no such instance", "history": history}))
        }
    })
}
