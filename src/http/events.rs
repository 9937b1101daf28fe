//! `GET /api/dashboard/events`: how the node does, once a second, as server-sent events.
//!
//! One producer makes each event for all who look. A viewer that is slow misses events: nothing waits for it, and
//! nothing is kept for it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Extensions, HeaderValue, StatusCode, header};
use futures_util::{Stream, stream};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use super::answer::{Answer, empty, text, with};
use super::dashboard::data;
use super::{Facade, admin};
use crate::access::Role;
use crate::audit::Requester;
use crate::blocking::blocking;
use crate::dashboard::{Rates, Series, Totals};
use crate::registry::Status;

/// Often enough that nothing between takes the connection for idle.
const INTERVAL: Duration = Duration::from_secs(1);
const MAX_VIEWERS: usize = 100;
/// Then a viewer has to ask again, and to be let in again.
const LONGEST: Duration = Duration::from_secs(300);

/// What is told to those who look.
pub(super) struct Live {
    latest: watch::Sender<Told>,
    series: Mutex<Series>,
    places: Arc<Semaphore>,
}

#[derive(Clone)]
enum Told {
    Nothing,
    Event(Bytes),
    /// The node stops: all streams end.
    End,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            latest: watch::Sender::new(Told::Nothing),
            series: Mutex::default(),
            places: Arc::new(Semaphore::new(MAX_VIEWERS)),
        }
    }
}

impl Live {
    /// Ends all streams, and has none begin.
    pub(super) fn close(&self) {
        self.places.close();
        self.latest.send_replace(Told::End);
    }

    fn add(&self, rates: Rates) -> Rates {
        self.series.lock().unwrap_or_else(PoisonError::into_inner).add(rates);
        rates
    }

    fn series(&self) -> Vec<Rates> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner).to_vec()
    }

    fn tell(&self, event: Bytes) {
        self.latest.send_if_modified(|told| {
            let goes_on = !matches!(told, Told::End);
            if goes_on {
                *told = Told::Event(event);
            }
            goes_on
        });
    }
}

/// Tells those who look, as long as the node runs.
pub async fn tell(facade: Arc<Facade>) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let metrics = facade.consensus.metrics().clone();
    let (mut former, mut at) = (Totals::of(&metrics), ticks.tick().await);
    loop {
        let now = ticks.tick().await;
        let totals = Totals::of(&metrics);
        let rates = facade.live.add(Rates::between(&former, &totals, now - at));
        (former, at) = (totals, now);
        if facade.live.latest.receiver_count() > 0 {
            let state = state_aside(&facade).await;
            facade.live.tell(event("tick", &json!({"rates": rates, "state": state})));
        }
    }
}

/// Answers with the events from now on: what stands, then each second what is new.
pub async fn watch(facade: &Arc<Facade>, extensions: &Extensions) -> Answer {
    let Ok(place) = facade.live.places.clone().try_acquire_owned() else {
        return with(
            empty(StatusCode::SERVICE_UNAVAILABLE),
            header::RETRY_AFTER,
            HeaderValue::from_static("5"),
        );
    };
    let latest = facade.live.latest.subscribe();
    let hello = hello(facade, &Requester::of(extensions), &state_aside(facade).await);
    let mut answer = text(StatusCode::OK, "text/event-stream", Bytes::new());
    *answer.body_mut() = Body::from_stream(told(Some(hello), latest, place));
    with(data(answer), header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

fn told(
    hello: Option<Bytes>,
    latest: watch::Receiver<Told>,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let until = Instant::now() + LONGEST;
    stream::unfold((hello, latest, place), move |(hello, mut latest, place)| async move {
        if let Some(hello) = hello {
            return Some((Ok(hello), (None, latest, place)));
        }
        timeout_at(until, latest.changed()).await.ok()?.ok()?;
        let told = latest.borrow_and_update().clone();
        match told {
            Told::Event(event) => Some((Ok(event), (None, latest, place))),
            Told::Nothing | Told::End => None,
        }
    })
}

fn hello(facade: &Facade, requester: &Requester, state: &Value) -> Bytes {
    // Where nobody is asked who they are, everybody may do everything.
    let role = requester.principal.as_ref().map_or(Role::Admin, |principal| principal.role);
    let name = requester.principal.as_ref().map(|principal| principal.name.to_string());
    event(
        "hello",
        &json!({
            "cluster_name": facade.cluster_name,
            "scheme": facade.scheme,
            "viewer": {"name": name, "may_write": role >= Role::Write},
            "series": facade.live.series(),
            "state": state,
        }),
    )
}

/// Looks at leases where self-preservation is in force, which may be many: not for a thread that serves others.
async fn state_aside(facade: &Arc<Facade>) -> Value {
    let looking = facade.clone();
    blocking(move || state(&looking)).await.unwrap_or_default()
}

/// What stands at this moment.
fn state(facade: &Facade) -> Value {
    let view = facade.consensus.machine().view();
    let statuses =
        Status::ALL.map(|status| (status.as_str().to_owned(), view.statuses().count(status).into()));
    json!({
        "now_ms": facade.wall_clock.epoch_ms(),
        "view_index": view.index(),
        "applications": view.application_count(),
        "instances": view.instance_count(),
        "statuses": serde_json::Map::from_iter(statuses),
        "not_ready": admin::unready(facade),
        "cluster": admin::cluster_told(facade),
    })
}

/// JSON has no line break outside of texts, and in them they are escaped.
fn event(name: &str, data: &Value) -> Bytes {
    format!("retry: 1000\nevent: {name}\ndata: {data}\n\n").into()
}
