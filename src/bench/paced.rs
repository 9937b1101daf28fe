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

/// The clients that share a connection.
pub struct Lane {
    connection: Connection,
    renewals: Vec<Request>,
    delta: Request,
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

/// Without those that would have no client.
pub fn lanes(fleet: &Fleet) -> Vec<Lane> {
    let count = fleet.connections.min(fleet.instances);
    let lane = |place: usize| {
        let target = fleet.target_of(place);
        let renew = |number| request::renew(target, &fleet.documents, number);
        Lane {
            connection: Connection::new(Arc::clone(target)),
            renewals: fleet.share(place, fleet.instances).map(renew).collect(),
            delta: request::delta(target, true),
            clients: fleet.instances,
            place,
            lanes: count,
        }
    };
    (0..count).map(lane).collect()
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
        tasks.spawn(lane.run(renew, fetch, window.clone()));
    }
    let (mut renewals, mut fetches) = (Tally::default(), Tally::default());
    for (renewal, fetch) in gather(&mut tasks).await? {
        renewals.add(&renewal);
        fetches.add(&fetch);
    }
    Ok(vec![Row::new("renew", renewals), Row::new("delta", fetches).with_bytes()])
}

impl Lane {
    async fn run(mut self, renew: Duration, fetch: Duration, window: Window) -> (Tally, Tally) {
        let turns = |interval, offset| {
            Turns::new(window.start, interval, self.clients, self.place, self.lanes, offset)
        };
        let (mut renewing, mut fetching) = (turns(renew, 0.0), turns(fetch, FETCH_OFFSET));
        let (mut renewals, mut fetches) = (Tally::default(), Tally::default());
        let alarm = Alarm::fine();
        while let Some((due, kind, client)) = next(&renewing, &fetching) {
            if due >= window.end || !alarm.until(due, &window).await {
                break;
            }
            let (turns, tally, request) = match kind {
                Kind::Renew => (&mut renewing, &mut renewals, &self.renewals[client]),
                Kind::Fetch => (&mut fetching, &mut fetches, &self.delta),
            };
            turns.advance();
            if window.is_past(Instant::now()) {
                tally.not_sent += u64::from(window.counts(due));
                continue;
            }
            let outcome = self.connection.exchange(request).await.and_then(Answer::success);
            tally.take(&window, due, &outcome);
            if outcome.is_err() {
                sleep(FAILURE_PAUSE).await;
            }
        }
        renewals.reconnects = self.connection.made_again();
        (renewals, fetches)
    }
}

/// What is due first.
fn next(renewing: &Turns, fetching: &Turns) -> Option<(Instant, Kind, usize)> {
    let renewal = renewing.due().map(|(due, client)| (due, Kind::Renew, client));
    let fetch = fetching.due().map(|(due, client)| (due, Kind::Fetch, client));
    [renewal, fetch].into_iter().flatten().min_by_key(|(due, _, _)| *due)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn renewals_and_fetches_take_turns_by_when_they_are_due() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut renewing = Turns::new(start, 2 * second, 1, 0, 1, 0.0);
        let mut fetching = Turns::new(start, 3 * second, 1, 0, 1, FETCH_OFFSET);
        let mut order = Vec::new();
        for _ in 0..5 {
            let (due, kind, _) = next(&renewing, &fetching).expect("a client");
            order.push((due.duration_since(start).as_millis(), kind));
            if kind == Kind::Renew { renewing.advance() } else { fetching.advance() }
        }
        let expected = [
            (0, Kind::Renew),
            (1500, Kind::Fetch),
            (2000, Kind::Renew),
            (4000, Kind::Renew),
            (4500, Kind::Fetch),
        ];
        assert_eq!(order, expected);
    }
}
