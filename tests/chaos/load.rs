//! Instances that are registered once and renewed ever after, as their clients would.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, sleep, sleep_until};

use super::client::Client;
use super::harness::Document;
use super::record::{Kind, Record};
use super::{LEASE, LEASE_SECS};

pub const LEASES: usize = 1000;
const APPS: usize = 10;
const RENEWAL_INTERVAL: Duration = Duration::from_millis(LEASE.as_millis() as u64 / 3);
/// Below the lease, so that a client that talks to a hung node has time for another.
const CLIENT_LIMIT: Duration = Duration::from_secs(1);
/// Between two passes over all nodes, of which none could help.
const PAUSE: Duration = Duration::from_millis(250);
const PULSE: Duration = Duration::from_millis(20);

pub struct Load {
    shared: Arc<Shared>,
}

struct Shared {
    addrs: Vec<SocketAddr>,
    client: Client,
    record: Arc<Record>,
    start: Instant,
    /// When each instance was last answered 200, in milliseconds since the start.
    renewed_ms: Vec<AtomicU64>,
}

impl Load {
    /// Begins to register and renew all instances, on the runtime this is called in.
    pub fn start(addrs: &[SocketAddr], record: Arc<Record>, seed: u64) -> Self {
        let renewed_ms = (0..LEASES).map(|_| AtomicU64::new(0)).collect();
        let (addrs, client, start) = (addrs.to_vec(), Client::new(CLIENT_LIMIT), Instant::now());
        let shared = Arc::new(Shared { addrs, client, record, start, renewed_ms });
        let mut rng = StdRng::seed_from_u64(seed);
        for number in 0..LEASES {
            let phase = LEASE.mul_f32(rng.random());
            let node = rng.random_range(0..shared.addrs.len());
            tokio::spawn(live(shared.clone(), number, phase, node));
        }
        tokio::spawn(feel_pulse(shared.record.clone()));
        Self { shared }
    }

    /// How many instances have not been renewed since.
    pub fn unrenewed_since(&self, since: std::time::Instant) -> usize {
        let since_ms = millis(Instant::from_std(since) - self.shared.start);
        let renewed_ms = self.shared.renewed_ms.iter();
        renewed_ms.filter(|renewed_ms| renewed_ms.load(Ordering::Relaxed) <= since_ms).count()
    }
}

/// The instance of this number among the [`LEASES`] that live on.
pub fn document(number: usize) -> Document {
    Document::new(&format!("LIVE-{}", number % APPS), &format!("live-{number}")).lease_secs(LEASE_SECS)
}

async fn live(shared: Arc<Shared>, number: usize, phase: Duration, mut node: usize) {
    let document = document(number);
    let mut due = Instant::now() + phase;
    sleep_until(due).await;
    shared.register(&document, &mut node).await;
    loop {
        due += RENEWAL_INTERVAL;
        sleep_until(due).await;
        shared.renew(&document, number, &mut node).await;
        // What was missed while no node could help is not made up for.
        due = due.max(Instant::now() - RENEWAL_INTERVAL);
    }
}

impl Shared {
    /// As often as it takes: what counts begins when all are registered.
    async fn register(&self, document: &Document, node: &mut usize) {
        let request = document.register();
        while !self.client.send_to_any(&self.addrs, node, &request).await.is_ok_and(|it| it.status == 204) {
            sleep(PAUSE).await;
        }
    }

    async fn renew(&self, document: &Document, number: usize, node: &mut usize) {
        let request = document.renew();
        let (mut passes, mut last_failure) = (0, None);
        let begin = Instant::now();
        loop {
            match self.client.send_to_any(&self.addrs, node, &request).await {
                Ok(answer) if answer.status == 200 => {
                    self.record.renewed(begin.elapsed());
                    return self.renewed_ms[number].store(millis(self.start.elapsed()), Ordering::Relaxed);
                }
                Ok(answer) => {
                    let (id, addr, status) = (&document.id, self.addrs[*node], answer.status);
                    let last_ms = self.renewed_ms[number].load(Ordering::Relaxed);
                    let ago_ms = millis(self.start.elapsed()) - last_ms;
                    return self.record.violated(
                        Kind::Renewal,
                        &format!(
                            "{addr} answers {id} with {status}, {ago_ms} ms after a 200 and {passes} passes over \
                             all nodes in vain, the last of them: {last_failure:?}"
                        ),
                    );
                }
                Err(failure) => {
                    passes += 1;
                    last_failure = Some(failure);
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Tells how late this runtime is: a client that slept through its lease has lost it rightly.
async fn feel_pulse(record: Arc<Record>) {
    loop {
        let due = Instant::now() + PULSE;
        sleep_until(due).await;
        record.delayed(due.elapsed());
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
