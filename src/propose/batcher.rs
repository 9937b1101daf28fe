//! Makes batches and sends them on their way.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::Instant;

use super::departures::Departures;
use super::route::Route;
use super::waiting::Waiting;

/// Turns of the runtime that a batch lets others have before it leaves: those who got the answers of the last one send
/// at about the same time, and a turn costs next to nothing where nobody does.
const TURNS_TO_GATHER: usize = 10;

/// The task that does a [`Proposer`](super::Proposer)'s work.
pub struct Batcher {
    pub(super) waiting: Waiting,
    pub(super) departures: Departures,
    pub(super) route: Route,
    pub(super) undecided_since: watch::Sender<Option<Instant>>,
}

impl Batcher {
    /// Runs until every [`Proposer`](super::Proposer) is gone and every batch has been answered.
    pub async fn run(self) {
        let Batcher { mut waiting, departures, route, undecided_since } = self;
        let departs_in = || departures.next(route.leads());
        let mut in_flight = FuturesUnordered::new();
        let mut closed = false;
        while !closed || !in_flight.is_empty() {
            tokio::select! {
                biased;
                Some(decided) = in_flight.next() => {
                    if decided || (in_flight.is_empty() && waiting.is_empty()) {
                        undecided_since.send_replace((!in_flight.is_empty()).then(Instant::now));
                    }
                }
                there_is = waiting.batch_to_leave(departs_in, route.leads()), if !closed && in_flight.len() < route.batches_at_once() => {
                    if !there_is {
                        closed = true;
                        continue;
                    }
                    undecided_since.send_if_modified(|since| {
                        let was_none = since.is_none();
                        since.get_or_insert_with(Instant::now);
                        was_none
                    });
                    gather().await;
                    in_flight.push(route.decide(waiting.take_batch()));
                }
            }
        }
    }
}

async fn gather() {
    for _ in 0..TURNS_TO_GATHER {
        tokio::task::yield_now().await;
    }
}
