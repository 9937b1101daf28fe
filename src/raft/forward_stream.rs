//! Batches for the leader on one long call, each with a number by which its answer is known: they come as the leader
//! decides.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::stream;
use tokio::sync::{mpsc, oneshot};
use tonic::{Request, Streaming};

use super::link::Link;
use super::rpc::peer;
use crate::encoding::EncodedCommands;
use crate::format::Format;
use crate::trace::Context;

/// More than a node ever has on their way.
const WAITING: usize = 64;

/// What a node has the leader propose.
#[derive(Debug)]
pub struct Forwarded {
    pub commands: EncodedCommands,
    /// Of the commands.
    pub format: Format,
    /// They may wait a little for others' to go with.
    pub unhurried: bool,
    /// The span that they belong to.
    pub span: Option<Context>,
}

/// It did not leave this node.
#[derive(Debug)]
pub(super) struct NotSent;

/// An open call. Clones share it; it ends once all are gone and what was sent is answered.
#[derive(Debug, Clone)]
pub(super) struct ForwardStream {
    requests: mpsc::Sender<peer::ForwardRequest>,
    unanswered: Arc<Unanswered>,
}

#[derive(Debug)]
struct Unanswered {
    next_id: AtomicU64,
    /// `None` once the call has ended: nobody will ever answer.
    waiting: Mutex<Option<Waiting>>,
}

type Waiting = HashMap<u64, oneshot::Sender<peer::ForwardResponse>>;

impl ForwardStream {
    /// # Errors
    /// [`NotSent`] if the peer cannot be reached or takes no batches.
    pub async fn open(link: &Link) -> Result<Self, NotSent> {
        let (requests, mut sent) = mpsc::channel(WAITING);
        let outgoing = stream::poll_fn(move |context| sent.poll_recv(context));
        let mut client = link.client().await.map_err(|_| NotSent)?;
        let Ok(opened) = client.forward_stream(Request::new(outgoing)).await else {
            link.reset();
            return Err(NotSent);
        };
        let waiting = Mutex::new(Some(HashMap::new()));
        let unanswered = Arc::new(Unanswered { next_id: AtomicU64::new(0), waiting });
        tokio::spawn(hand_out(opened.into_inner(), unanswered.clone()));
        Ok(Self { requests, unanswered })
    }

    pub fn has_ended(&self) -> bool {
        self.unanswered.waiting().is_none()
    }

    /// Sends a batch. The answer never comes if the call ends before.
    ///
    /// # Errors
    /// [`NotSent`] if it has ended already.
    pub fn send(&self, forwarded: Forwarded) -> Result<oneshot::Receiver<peer::ForwardResponse>, NotSent> {
        let id = self.unanswered.next_id.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.unanswered.waiting().as_mut().ok_or(NotSent)?.insert(id, answer);
        let Forwarded { commands, format, unhurried, span } = forwarded;
        let request = peer::ForwardRequest {
            id,
            count: commands.count(),
            commands: commands.into_bytes(),
            format: format.to_stored(),
            unhurried,
            trace_parent: span.map(|span| span.to_string()).unwrap_or_default(),
        };
        if self.requests.try_send(request).is_err() {
            self.unanswered.take(id);
            return Err(NotSent);
        }
        Ok(answered)
    }
}

impl Unanswered {
    fn waiting(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, id: u64) -> Option<oneshot::Sender<peer::ForwardResponse>> {
        self.waiting().as_mut()?.remove(&id)
    }
}

/// Hands answers to who waits for them, until there are no more.
async fn hand_out(mut answers: Streaming<peer::ForwardResponse>, unanswered: Arc<Unanswered>) {
    while let Ok(Some(answer)) = answers.message().await {
        if let Some(waiting) = unanswered.take(answer.id) {
            // Whoever no longer waits needs no answer.
            drop(waiting.send(answer));
        }
    }
    unanswered.waiting().take();
}
