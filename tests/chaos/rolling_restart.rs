//! A rolling restart by SIGTERM: no client notices.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Builder;

use super::client::Client;
use super::harness::{Document, Request};
use super::record::{Kind, Record};
use super::trial::Trial;

const ROUNDS: usize = 2;
const CLIENTS: usize = 8;
/// Longer than a node may wait with its own answer.
const LIMIT: Duration = Duration::from_secs(10);
const BETWEEN_OPERATIONS: Duration = Duration::from_millis(20);

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn no_operation_fails_through_a_rolling_restart() {
    let mut trial = Trial::start("rolling restart by SIGTERM");
    let operations = Operations::start(&trial.cluster.addrs());
    for _ in 0..ROUNDS {
        for place in 0..trial.cluster.nodes.len() {
            trial.fault(|trial| {
                let status = trial.cluster.nodes[place].terminate();
                assert_eq!(status.code(), Some(0), "{status}");
                trial.cluster.nodes[place].start();
                trial.cluster.nodes[place].wait_ready();
            });
            operations.record.assert_unviolated();
        }
    }
    operations.finish();
    trial.finish();
}

/// Clients that do all there is to do, each operation by one pass over the nodes at most.
struct Operations {
    runtime: tokio::runtime::Runtime,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    record: Arc<Record>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Operations {
    fn start(addrs: &[SocketAddr]) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let (stop, done) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let record = Arc::new(Record::new());
        let clients = (0..CLIENTS).map(|number| {
            let client = OperationClient {
                http: Client::new(LIMIT),
                addrs: addrs.to_vec(),
                at: number % addrs.len(),
                document: Document::new("ROLLING", &format!("rolling-{number}")),
                done: done.clone(),
                record: record.clone(),
            };
            runtime.spawn(client.run_until(stop.clone()))
        });
        let clients = clients.collect();
        Self { runtime, stop, done, record, clients }
    }

    fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            self.runtime.block_on(client).expect("a client ends");
        }
        self.record.assert_unviolated();
        println!("chaos: rolling restart by SIGTERM: {} operations", self.done.load(Ordering::Relaxed));
    }
}

struct OperationClient {
    http: Client,
    addrs: Vec<SocketAddr>,
    at: usize,
    document: Document,
    done: Arc<AtomicU64>,
    record: Arc<Record>,
}

impl OperationClient {
    async fn run_until(mut self, stop: Arc<AtomicBool>) {
        let path = self.document.path();
        // What a client sent twice, as the first answer was lost, was done by the first.
        let life: [(Request, &[u16]); 6] = [
            (self.document.register(), &[204]),
            (self.document.renew(), &[200]),
            (Request::put(&format!("{path}/status?value=OUT_OF_SERVICE")), &[200]),
            (Request::delete(&format!("{path}/status?value=UP")), &[200]),
            (Request::get(&format!("{path}?consistency=linearizable")).accept_json(), &[200]),
            (self.document.cancel(), &[200, 404]),
        ];
        while !stop.load(Ordering::Relaxed) {
            for (operation, right) in &life {
                self.operate(operation, right).await;
                tokio::time::sleep(BETWEEN_OPERATIONS).await;
            }
        }
    }

    async fn operate(&mut self, operation: &Request, right: &[u16]) {
        let answer = self.http.send_to_any(&self.addrs, &mut self.at, operation).await;
        self.done.fetch_add(1, Ordering::Relaxed);
        if !answer.as_ref().is_ok_and(|answer| right.contains(&answer.status)) {
            let (method, path) = (operation.method(), operation.path());
            self.record.violated(Kind::Operation, &format!("{method} {path}: {answer:?}"));
        }
    }
}
