//! `visible`: new instances are registered, and every other server is asked for each of them until it is there.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::alarm::Alarm;
use super::connection::{Answer, Connection, Failure};
use super::drive::FAILURE_PAUSE;
use super::error::BenchError;
use super::fleet::Fleet;
use super::gather;
use super::pace::Pace;
use super::report::Row;
use super::request;
use super::tally::Tally;
use super::window::Window;

/// Between two questions for an instance that is not there yet.
const POLL_PAUSE: Duration = Duration::from_micros(200);
/// Above the half second and the retries that Eureka's own replication takes.
const VISIBLE_LIMIT: Duration = Duration::from_secs(30);

/// A connection to each server, on which one instance after the other is followed.
struct Lane {
    fleet: Arc<Fleet>,
    window: Window,
    writers: Vec<Connection>,
    readers: Vec<Reader>,
    counts: Counts,
}

struct Reader {
    connection: Connection,
    alarm: Alarm,
}

struct Counts {
    registered: Tally,
    /// By the server where it was seen.
    seen_at: Vec<Tally>,
    seen_at_all: Tally,
}

/// # Errors
/// When there is but one server, or no connection for some.
pub fn check(fleet: &Fleet) -> Result<(), BenchError> {
    match fleet.targets().len() {
        ..2 => Err(BenchError::OneUrl),
        servers if servers > fleet.connections => Err(BenchError::FewConnections),
        _ => Ok(()),
    }
}

/// # Errors
/// When a task panicked.
pub async fn run(fleet: &Arc<Fleet>, rate: Option<f64>, window: &Window) -> Result<Vec<Row>, BenchError> {
    let mut tasks = JoinSet::new();
    let lanes = (fleet.connections / fleet.targets().len()).max(1);
    for place in 0..lanes {
        let lane = Lane::new(Arc::clone(fleet), window.clone());
        tasks.spawn(lane.run(Pace::new(rate, place, lanes, window)));
    }
    let mut sum = Counts::new(fleet.targets().len());
    for counts in gather(&mut tasks).await? {
        sum.add(&counts);
    }
    let mut rows = vec![Row::new("register", sum.registered)];
    for (target, tally) in fleet.targets().iter().zip(sum.seen_at) {
        rows.push(Row::new(&format!("seen at {}", target.authority()), tally));
    }
    rows.push(Row::new("seen at all others", sum.seen_at_all));
    Ok(rows)
}

impl Lane {
    fn new(fleet: Arc<Fleet>, window: Window) -> Self {
        let connect = |target: &Arc<_>| Connection::new(Arc::clone(target));
        let reader = |target| Reader { connection: connect(target), alarm: Alarm::fine() };
        let writers = fleet.targets().iter().map(connect).collect();
        let readers = fleet.targets().iter().map(reader).collect();
        let counts = Counts::new(fleet.targets().len());
        Self { fleet, window, writers, readers, counts }
    }

    async fn run(mut self, mut pace: Pace) -> Counts {
        while let Some(due) = pace.next(&self.window).await {
            self.follow(due).await;
        }
        self.counts.registered.not_sent = pace.not_sent(&self.window);
        self.counts.registered.reconnects = self.writers.iter().map(Connection::made_again).sum();
        for (tally, reader) in self.counts.seen_at.iter_mut().zip(&self.readers) {
            tally.reconnects = reader.connection.made_again();
        }
        self.counts
    }

    async fn follow(&mut self, due: Instant) {
        let number = self.fleet.next_number();
        let home = self.fleet.home(number);
        let writer = &mut self.writers[home];
        let register = request::register(writer.target(), &self.fleet.documents, number);
        let outcome = writer.exchange(&register).await.and_then(Answer::success);
        let acknowledged = Instant::now();
        self.counts.registered.take(&self.window, due, &outcome);
        if outcome.is_err() {
            sleep(FAILURE_PAUSE).await;
            return;
        }
        let (fleet, window) = (&self.fleet, &self.window);
        let others = self.readers.iter_mut().enumerate().filter(|(place, _)| *place != home);
        let looks = others.map(|(place, reader)| async move {
            (place, reader.look(fleet, number, acknowledged, window).await)
        });
        let mut latest = Some(acknowledged);
        for (place, seen) in join_all(looks).await {
            let tally = &mut self.counts.seen_at[place];
            match seen {
                Ok(seen) => {
                    tally.succeeded(&self.window, acknowledged, seen, 0);
                    latest = latest.map(|latest| latest.max(seen));
                }
                Err(what) => {
                    latest = None;
                    if self.window.counts(acknowledged) {
                        tally.failed(what);
                    }
                }
            }
        }
        if let Some(latest) = latest {
            self.counts.seen_at_all.succeeded(&self.window, acknowledged, latest, 0);
        }
    }
}

impl Reader {
    /// When the instance was seen here, or why it was not.
    async fn look(
        &mut self,
        fleet: &Fleet,
        number: usize,
        acknowledged: Instant,
        window: &Window,
    ) -> Result<Instant, String> {
        let read = request::read_instance(self.connection.target(), &fleet.documents, number, false);
        loop {
            match self.connection.exchange(&read).await.and_then(Answer::success) {
                Ok(_) => return Ok(Instant::now()),
                Err(Failure::Status(404)) => {}
                Err(failure) => return Err(failure.to_string()),
            }
            if window.is_halted() || acknowledged.elapsed() > VISIBLE_LIMIT {
                return Err(format!("not seen within {} s", VISIBLE_LIMIT.as_secs()));
            }
            self.alarm.pause(POLL_PAUSE).await;
        }
    }
}

impl Counts {
    fn new(targets: usize) -> Self {
        let seen_at = vec![Tally::default(); targets];
        Self { registered: Tally::default(), seen_at, seen_at_all: Tally::default() }
    }

    fn add(&mut self, other: &Self) {
        self.registered.add(&other.registered);
        for (tally, other) in self.seen_at.iter_mut().zip(&other.seen_at) {
            tally.add(other);
        }
        self.seen_at_all.add(&other.seen_at_all);
    }
}
