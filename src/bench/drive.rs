//! One connection's requests, one after the other: as fast as answers come, or when they are due.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::connection::{Answer, Connection};
use super::error::BenchError;
use super::fleet::Fleet;
use super::gather;
use super::pace::Pace;
use super::request::Request;
use super::tally::Tally;
use super::window::Window;

/// A server that refuses connections is not asked again at once.
pub const FAILURE_PAUSE: Duration = Duration::from_millis(20);

/// What one connection sends, again and again from the first.
pub struct Lane {
    pub connection: Connection,
    /// At least one.
    pub requests: Vec<Request>,
}

/// A lane for each connection, with the requests that `requests` makes for it.
pub fn lanes(fleet: &Fleet, requests: impl Fn(usize) -> Vec<Request>) -> Vec<Lane> {
    let lane = |place: usize| Lane {
        connection: Connection::new(Arc::clone(fleet.target_of(place))),
        requests: requests(place),
    };
    (0..fleet.connections).map(lane).collect()
}

/// Drives all of them until the end of the window; with a rate they take turns.
///
/// # Errors
/// When a task panicked.
pub async fn all(lanes: Vec<Lane>, rate: Option<f64>, window: &Window) -> Result<Tally, BenchError> {
    let mut tasks = JoinSet::new();
    let count = lanes.len();
    for (place, lane) in lanes.into_iter().enumerate() {
        tasks.spawn(lane.run(Pace::new(rate, place, count, window), window.clone()));
    }
    let mut sum = Tally::default();
    for tally in gather(&mut tasks).await? {
        sum.add(&tally);
    }
    Ok(sum)
}

impl Lane {
    async fn run(mut self, mut pace: Pace, window: Window) -> Tally {
        let mut tally = Tally::default();
        for request in self.requests.iter().cycle() {
            let Some(began) = pace.next(&window).await else { break };
            let outcome = self.connection.exchange(request).await.and_then(Answer::success);
            tally.take(&window, began, &outcome);
            if outcome.is_err() {
                sleep(FAILURE_PAUSE).await;
            }
        }
        tally.not_sent = pace.not_sent(&window);
        tally.reconnects = self.connection.made_again();
        tally
    }
}
