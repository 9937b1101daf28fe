//! Clients that register one instance after the other, at each node its own, and remember which of them
//! were acknowledged.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::json;

use super::harness::{Cluster, Document, applications, until};

const APP: &str = "DISK";
/// Longer than any test, since none of these is renewed.
const LEASE_SECS: u32 = 3_600;
/// Of a client whose node does not take its instance.
const PAUSE: Duration = Duration::from_millis(10);

#[derive(Default)]
struct Acknowledged {
    ids: Vec<String>,
    last: Option<Instant>,
    longest_gap: Duration,
}

pub struct Registering {
    stop: Arc<AtomicBool>,
    acknowledged: BTreeMap<SocketAddr, Arc<Mutex<Acknowledged>>>,
    clients: Vec<JoinHandle<()>>,
}

impl Registering {
    /// Begins, with `bytes` of metadata in each instance; of every instance id there are `ids` at each
    /// node, so that later ones take the place of earlier ones.
    pub fn start(addrs: &[SocketAddr], bytes: usize, ids: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged: BTreeMap<_, Arc<Mutex<Acknowledged>>> =
            addrs.iter().map(|addr| (*addr, Arc::default())).collect();
        let client = |(addr, acknowledged): (&SocketAddr, &Arc<Mutex<Acknowledged>>)| {
            let (stop, addr, acknowledged) = (stop.clone(), *addr, acknowledged.clone());
            thread::spawn(move || {
                for number in (0..ids).cycle() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    register(addr, &format!("{}-{number}", addr.port()), bytes, &acknowledged);
                }
            })
        };
        let clients = acknowledged.iter().map(client).collect();
        Self { stop, acknowledged, clients }
    }

    /// Waits for this many more to be acknowledged at a node.
    pub fn wait_for(&self, more: usize, addr: SocketAddr) {
        let count = || lock(&self.acknowledged[&addr]).ids.len();
        let begin = count();
        until(&format!("{more} registrations more at {addr}"), || match count() - begin {
            enough if enough >= more => Ok(()),
            few => Err(format!("{few} more")),
        });
    }

    /// How many were acknowledged at a node.
    pub fn count(&self, addr: SocketAddr) -> usize {
        lock(&self.acknowledged[&addr]).ids.len()
    }

    /// Stops, and makes sure that every node has all that was acknowledged at any, and the same. Prints
    /// how many that were, and for how long at most the clients of nodes other than `apart` waited.
    pub fn finish(mut self, name: &str, cluster: &mut Cluster, apart: SocketAddr) {
        self.stop.store(true, Ordering::Relaxed);
        std::mem::take(&mut self.clients)
            .into_iter()
            .for_each(|client| client.join().expect("a client ends"));
        cluster.assert_states_equal();
        let (mut count, mut longest) = (0, Duration::ZERO);
        for addr in cluster.addrs() {
            let registered = applications(addr);
            for (at, acknowledged) in &self.acknowledged {
                let acknowledged = lock(acknowledged);
                let lost = acknowledged.ids.iter().filter(|id| !registered[APP].contains_key(*id)).count();
                assert_eq!(lost, 0, "lost at {addr} of {} acknowledged by {at}", acknowledged.ids.len());
                count += acknowledged.ids.len();
                if *at != apart {
                    longest = longest.max(acknowledged.longest_gap);
                }
            }
        }
        println!(
            "chaos: {name}: {} acknowledged, 0 lost; the others took none for {} ms at most",
            count / cluster.nodes.len(),
            longest.as_millis()
        );
    }
}

impl Drop for Registering {
    fn drop(&mut self) {
        // Whatever panics must not leave the clients running for ever.
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn register(addr: SocketAddr, id: &str, bytes: usize, acknowledged: &Mutex<Acknowledged>) {
    let document =
        Document::new(APP, id).lease_secs(LEASE_SECS).set("metadata", json!({"pad": "x".repeat(bytes)}));
    match document.register().send(addr) {
        Ok(response) if response.status == 204 => {
            let mut acknowledged = lock(acknowledged);
            let gap = acknowledged.last.map_or(Duration::ZERO, |last| last.elapsed());
            acknowledged.longest_gap = acknowledged.longest_gap.max(gap);
            acknowledged.last = Some(Instant::now());
            acknowledged.ids.push(id.to_owned());
        }
        Ok(response) => {
            assert_eq!(response.status, 503, "a register is answered 204 or 503");
            thread::sleep(PAUSE);
        }
        Err(_) => thread::sleep(PAUSE),
    }
}

fn lock(acknowledged: &Mutex<Acknowledged>) -> std::sync::MutexGuard<'_, Acknowledged> {
    acknowledged.lock().unwrap_or_else(PoisonError::into_inner)
}
