//! A proxy before a node that delivers each batch of a Eureka server three times, one after the other, and
//! looks after each delivery at what readers are shown.
//!
//! The Eureka server has the first answer, lest it takes the batch for lost as well and sends it again by
//! itself. What else it sends to this node waits until the batch has been delivered for the last time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, oneshot};

use super::proxy::{self, Answer, Forwarder, Message, Unanswered};

const BATCH: &str = "/eureka/peerreplication/batch/";

const DELIVERIES: u32 = 3;

/// The changes that readers are told of, by any node, since each asks the leader first.
const CHANGES: &str = "/eureka/apps/delta?consistency=linearizable";

/// What the repeaters of all nodes have seen.
pub struct Repeated {
    forwarder: Forwarder,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Action and id to the nodes that were sent batches with it, as often as they are repeated.
    reached: BTreeMap<(String, String), BTreeSet<SocketAddr>>,
    /// Of deltas: each change that readers are told of comes with another one.
    versions: BTreeSet<String>,
    under_way: u32,
    last: Option<Instant>,
}

impl Repeated {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { forwarder: Forwarder::new(), seen: Mutex::default() })
    }

    /// A repeater before this node.
    pub fn open(self: &Arc<Self>, runtime: &Handle, node: SocketAddr) -> SocketAddr {
        let (repeated, turn) = (self.clone(), Arc::new(AsyncMutex::new(())));
        proxy::open(runtime, move |message| {
            let (repeated, turn) = (repeated.clone(), turn.clone());
            async move { repeated.pass(message, node, turn.lock_owned().await).await.ok() }
        })
    }

    /// How many states of the registry readers were told of by now.
    pub fn versions(&self) -> usize {
        self.seen().versions.len()
    }

    /// How many nodes were sent this action, and since when nothing is sent; `None` while something is.
    pub fn reached(&self, action: &str, id: &str) -> (usize, Option<Instant>) {
        let seen = self.seen();
        let key = (action.to_owned(), id.to_owned());
        let nodes = seen.reached.get(&key).map_or(0, BTreeSet::len);
        (nodes, seen.last.filter(|_| seen.under_way == 0))
    }

    /// Begins to note anew who was sent what.
    pub fn forget(&self) {
        self.seen().reached.clear();
    }

    async fn pass(
        self: Arc<Self>,
        message: Message,
        node: SocketAddr,
        turn: OwnedMutexGuard<()>,
    ) -> Result<Answer, Unanswered> {
        if message.path != BATCH {
            return self.forwarder.send(&message, node).await;
        }
        self.seen().under_way += 1;
        let (first, answered) = oneshot::channel();
        // On its own: the Eureka server breaks off when it has waited for 200 ms.
        tokio::spawn(async move {
            let answer = self.forwarder.send(&message, node).await;
            let is_delivered = answer.is_ok();
            // Nobody waits for it any more where this fails.
            let _ = first.send(answer);
            let is_repeated = is_delivered && self.repeat(&message, node).await.is_ok();
            let mut seen = self.seen();
            if is_repeated {
                seen.note(&message, node);
            }
            seen.under_way -= 1;
            seen.last = Some(Instant::now());
            drop(turn);
        });
        answered.await.unwrap_or_else(|error| Err(Unanswered::Broken(error.to_string())))
    }

    async fn repeat(&self, message: &Message, node: SocketAddr) -> Result<(), Unanswered> {
        self.look(node).await?;
        for _ in 1..DELIVERIES {
            self.forwarder.send(message, node).await?;
            self.look(node).await?;
        }
        Ok(())
    }

    async fn look(&self, node: SocketAddr) -> Result<(), Unanswered> {
        let delta = self.forwarder.send(&Message::get(CHANGES), node).await?;
        let delta: Value = serde_json::from_slice(&delta.body)
            .map_err(|error| Unanswered::Broken(format!("no delta: {error}")))?;
        self.seen().versions.insert(delta["applications"]["versions__delta"].to_string());
        Ok(())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn note(&mut self, batch: &Message, node: SocketAddr) {
        let items = serde_json::from_slice(&batch.body).map(|mut body: Value| body["replicationList"].take());
        for item in items.ok().as_ref().and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
            self.reached.entry((text("action"), text("id"))).or_default().insert(node);
        }
    }
}
