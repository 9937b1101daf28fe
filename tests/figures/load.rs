//! Clients that write again and again: each on a keep-alive connection to one node, and at the next
//! node when that one fails, as Eureka's clients do.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::client::{Call, Client};
use super::tally::Tally;

/// Runs until it is dropped.
pub struct Load {
    _clients: JoinSet<()>,
    pub tally: Tally,
}

/// What one client does.
pub struct Job {
    /// In the order in which they are tried; the first that answers is kept.
    pub nodes: Vec<SocketAddr>,
    /// Sent one after the other, and again from the first.
    pub calls: Vec<Call>,
    /// From the beginning of one to that of the next. Zero: as fast as they are answered.
    pub interval: Duration,
    /// Before the first one.
    pub delay: Duration,
}

/// These calls over so many connections to all nodes, each to one of them: `per_sec` of all together.
pub fn spread(addrs: &[SocketAddr], calls: &[Call], connections: usize, per_sec: f64) -> Vec<Job> {
    let interval = Duration::from_secs_f64(connections as f64 / per_sec);
    let job = |(place, share): (usize, &[Call])| Job {
        nodes: vec![addrs[place % addrs.len()]],
        calls: share.to_vec(),
        interval,
        delay: interval.mul_f64(place as f64 / connections as f64),
    };
    calls.chunks(calls.len().div_ceil(connections)).enumerate().map(job).collect()
}

impl Load {
    pub fn start(runtime: &Runtime, jobs: impl IntoIterator<Item = Job>) -> Self {
        let tally = Tally::default();
        let mut clients = JoinSet::new();
        for job in jobs {
            clients.spawn_on(run(job, tally.clone()), runtime.handle());
        }
        Self { _clients: clients, tally }
    }
}

async fn run(job: Job, tally: Tally) {
    let mut nodes: Vec<Client> = job.nodes.into_iter().map(Client::new).collect();
    let mut due = Instant::now() + job.delay;
    for call in job.calls.iter().cycle() {
        tokio::time::sleep_until(due.into()).await;
        // A write that had to wait for the one before it has waited since it was due.
        write(&mut nodes, call, due, &tally).await;
        due = if job.interval.is_zero() { Instant::now() } else { due + job.interval };
    }
}

/// Tries once at each node.
async fn write(nodes: &mut [Client], call: &Call, due: Instant, tally: &Tally) {
    let mut reasons = Vec::new();
    for _ in 0..nodes.len() {
        match nodes[0].send(call).await {
            Ok(answer) if answer.status == 200 || answer.status == 204 => return tally.acknowledged(due),
            // No other node would answer otherwise.
            Ok(answer) if answer.status == 404 => return tally.failed(format!("{call:?} answered 404")),
            Ok(answer) => reasons.push(format!("{} answered {}", nodes[0].addr(), answer.status)),
            Err(error) => reasons.push(format!("{}: {error}", nodes[0].addr())),
        }
        nodes.rotate_left(1);
        tally.retried();
    }
    tally.failed(reasons.join(", "));
}
