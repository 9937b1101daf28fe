//! The instances there are to work on: who works on which, getting them registered before, and
//! getting rid of them after.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::connection::{Answer, Connection, Failure};
use super::documents::Documents;
use super::error::BenchError;
use super::gather;
use super::plan::Plan;
use super::progress;
use super::request::{self, Request};
use super::target::Target;
use super::window::Halt;

pub struct Fleet {
    pub documents: Documents,
    /// How many there are before the measurement.
    pub instances: usize,
    pub connections: usize,
    pub halt: Halt,
    targets: Vec<Arc<Target>>,
    /// Instances below this number may be registered.
    touched: AtomicUsize,
}

/// What became of the instances at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Cancelled {
    pub cancelled: u64,
    /// Were not there any more.
    pub gone: u64,
    /// Could not be cancelled.
    pub left: u64,
}

/// Connections that register and cancel; more do not make a cluster any faster.
const WORKERS_MAX: usize = 64;
const REGISTER_TRIES: u32 = 10;
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// One after the other that no server took: then none will.
const CANCEL_FAILURES_MAX: u32 = 3;

impl Fleet {
    pub fn new(plan: &Plan, targets: Vec<Arc<Target>>, halt: Halt) -> Self {
        Self {
            documents: Documents::new(
                plan.document,
                &plan.app_prefix,
                plan.instances_per_app,
                plan.lease_secs,
            ),
            instances: plan.instances,
            connections: plan.connections,
            halt,
            targets,
            touched: AtomicUsize::new(0),
        }
    }

    pub fn targets(&self) -> &[Arc<Target>] {
        &self.targets
    }

    /// The server of this connection.
    pub fn target_of(&self, connection: usize) -> &Arc<Target> {
        &self.targets[connection % self.targets.len()]
    }

    /// The place among the servers where this instance is registered: that of the connection that works on it, for servers
    /// of Netflix's take a while to tell each other.
    pub fn home(&self, number: usize) -> usize {
        number % self.connections % self.targets.len()
    }

    /// Which of `count` things this connection works on; at least one.
    pub fn share(&self, connection: usize, count: usize) -> impl Iterator<Item = usize> + use<> {
        (connection % count..count).step_by(self.connections)
    }

    /// The number of an instance that was not there before. It counts as registered.
    pub fn next_number(&self) -> usize {
        self.touched.fetch_add(1, Ordering::Relaxed)
    }

    /// Gets all of them registered.
    ///
    /// # Errors
    /// When a server does not take one, tried again and again.
    pub async fn register(self: &Arc<Self>) -> Result<(), BenchError> {
        let bar = progress::bar("registering", self.instances);
        let mut workers = JoinSet::new();
        for worker in 0..self.workers(self.instances) {
            let (fleet, bar) = (Arc::clone(self), bar.clone());
            workers.spawn(async move {
                let mut connections = fleet.connections_to_all();
                for number in (worker..fleet.instances).step_by(fleet.workers(fleet.instances)) {
                    fleet.register_one(&mut connections[fleet.home(number)], number).await?;
                    bar.inc(1);
                }
                Ok(())
            });
        }
        gather(&mut workers).await?.into_iter().collect()
    }

    async fn register_one(&self, connection: &mut Connection, number: usize) -> Result<(), BenchError> {
        let request = request::register(connection.target(), &self.documents, number);
        let mut tries = 0;
        while !self.halt.is_called() {
            tries += 1;
            match self.try_to_register(connection, number, &request).await {
                Ok(_) => break,
                Err(failure) if tries < REGISTER_TRIES && is_worth_another_try(&failure) => {
                    sleep(RETRY_PAUSE).await
                }
                Err(failure) => {
                    // There will be no measurement, so the others may stop as well.
                    self.halt.call();
                    return Err(BenchError::Register { url: connection.target().url(), failure });
                }
            }
        }
        Ok(())
    }

    async fn try_to_register(
        &self,
        connection: &mut Connection,
        number: usize,
        request: &Request,
    ) -> Result<Answer, Failure> {
        connection.connect().await?;
        // From here on it may be registered, whatever is heard of it.
        self.touched.fetch_max(number + 1, Ordering::Relaxed);
        connection.exchange(request).await?.success()
    }

    /// Cancels everything that may be registered.
    ///
    /// # Errors
    /// When a task panicked.
    pub async fn cancel(self: &Arc<Self>) -> Result<Cancelled, BenchError> {
        let touched = self.touched.load(Ordering::Relaxed);
        let bar = progress::bar("cancelling", touched);
        let mut workers = JoinSet::new();
        for worker in 0..self.workers(touched) {
            let (fleet, bar) = (Arc::clone(self), bar.clone());
            workers.spawn(async move {
                let mut connections = fleet.connections_to_all();
                let (mut sum, mut failures) = (Cancelled::default(), 0);
                for number in (worker..touched).step_by(fleet.workers(touched)) {
                    bar.inc(1);
                    match fleet.cancel_one(&mut connections, number, failures).await {
                        Some(Answer { status: 404, .. }) => sum.gone += 1,
                        Some(_) => sum.cancelled += 1,
                        None => {
                            sum.left += 1;
                            failures += 1;
                            continue;
                        }
                    }
                    failures = 0;
                }
                sum
            });
        }
        let sums = gather(&mut workers).await?;
        Ok(sums.iter().fold(Cancelled::default(), |sum, one| Cancelled {
            cancelled: sum.cancelled + one.cancelled,
            gone: sum.gone + one.gone,
            left: sum.left + one.left,
        }))
    }

    /// At the server where it was registered, else at any other.
    async fn cancel_one(
        &self,
        connections: &mut [Connection],
        number: usize,
        failures: u32,
    ) -> Option<Answer> {
        if failures >= CANCEL_FAILURES_MAX {
            return None;
        }
        let count = connections.len();
        for place in (0..count).map(|further| (self.home(number) + further) % count) {
            let connection = &mut connections[place];
            let request = request::cancel(connection.target(), &self.documents, number);
            match connection.exchange(&request).await {
                Ok(answer) if answer.success().is_ok() || answer.status == 404 => return Some(answer),
                Ok(_) | Err(_) => {}
            }
        }
        None
    }

    fn connections_to_all(&self) -> Vec<Connection> {
        self.targets.iter().map(|target| Connection::new(Arc::clone(target))).collect()
    }

    fn workers(&self, count: usize) -> usize {
        count.min(self.connections).min(WORKERS_MAX)
    }
}

/// A server without a leader, or one that is starting, may take it in a moment.
fn is_worth_another_try(failure: &Failure) -> bool {
    match failure {
        Failure::Status(status) => *status >= 500,
        _ => true,
    }
}
