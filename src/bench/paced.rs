//! `paced`: many clients at Eureka's pace, each renewing its instance and fetching the delta now and then.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::alarm::Alarm;
use super::connection::{Answer, Connection};
use super::drive::FAILURE_PAUSE;
use super::error::BenchError;
use super::fleet::Fleet;
use super::gather;
use super::report::Row;
use super::request::{self, Request};
use super::schedule::Turns;
use super::tally::Tally;
use super::window::Window;

/// Clients that share a connection for one kind of request, as each has one to renew on and one to fetch on.
pub struct Lane {
    kind: Kind,
    connection: Connection,
    /// Each client's, or the same for all.
    requests: Vec<Request>,
    clients: usize,
    place: usize,
    lanes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Renew,
    Fetch,
}

/// A client's fetches fall between its renewals and those of the next.
const FETCH_OFFSET: f64 = 0.5;

/// Two for each connection that is asked for, but for those that would have no client.
pub fn lanes(fleet: &Fleet) -> Vec<Lane> {
    let count = fleet.connections.min(fleet.instances);
    let lane = |place: usize, kind: Kind| {
        let target = fleet.target_of(place);
        let renew = |number| request::renew(target, &fleet.documents, number);
        Lane {
            kind,
            connection: Connection::new(Arc::clone(target)),
            requests: match kind {
                Kind::Renew => fleet.share(place, fleet.instances).map(renew).collect(),
                Kind::Fetch => vec![request::delta(target, true)],
            },
            clients: fleet.instances,
            place,
            lanes: count,
        }
    };
    (0..count).flat_map(|place| [lane(place, Kind::Renew), lane(place, Kind::Fetch)]).collect()
}

/// # Errors
/// When a task panicked.
pub async fn run(
    lanes: Vec<Lane>,
    renew: Duration,
    fetch: Duration,
    window: &Window,
) -> Result<Vec<Row>, BenchError> {
    let mut tasks = JoinSet::new();
    for lane in lanes {
        let interval = if lane.kind == Kind::Renew { renew } else { fetch };
        tasks.spawn(lane.run(interval, window.clone()));
    }
    let (mut renewals, mut fetches) = (Tally::default(), Tally::default());
    for (kind, tally) in gather(&mut tasks).await? {
        match kind {
            Kind::Renew => renewals.add(&tally),
            Kind::Fetch => fetches.add(&tally),
        }
    }
    Ok(vec![Row::new("renew", renewals), Row::new("delta", fetches).with_bytes()])
}

impl Lane {
    async fn run(mut self, interval: Duration, window: Window) -> (Kind, Tally) {
        let offset = if self.kind == Kind::Fetch { FETCH_OFFSET } else { 0.0 };
        let mut turns = Turns::new(window.start, interval, self.clients, self.place, self.lanes, offset);
        let mut tally = Tally::default();
        let alarm = Alarm::fine();
        while let Some((due, client)) = turns.due() {
            if due >= window.end || !alarm.until(due, &window).await {
                break;
            }
            turns.advance();
            if window.is_past(Instant::now()) {
                tally.not_sent += u64::from(window.counts(due));
                continue;
            }
            let request = &self.requests[client % self.requests.len()];
            let outcome = self.connection.exchange(request).await.and_then(Answer::success);
            tally.take(&window, due, &outcome);
            if outcome.is_err() {
                sleep(FAILURE_PAUSE).await;
            }
        }
        tally.reconnects = self.connection.made_again();
        (self.kind, tally)
    }
}
