//! Tells one Eureka server what there is to tell, one batch after the other, so that nothing overtakes anything.

use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use hyper::header::{ACCEPT, HeaderName};
use tokio::time::Instant;

use super::EurekaPeer;
use super::answer::{Reaction, Sent, Verdict, reaction};
use super::items::items;
use super::outbox::{Deed, Entry, Outbox};
use crate::command::Command;
use crate::eureka::{BatchAction, ItemResponse, MAX_BATCH_BYTES, MAX_OUTGOING_ITEMS, OutgoingBatch};
use crate::http_client::Request;
use crate::propose::Proposer;
use crate::raft::Machine;
use crate::registry::{Key, Origin, Registration, Status};

pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// As Netflix's servers wait for each other.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

const PATH: &str = "/peerreplication/batch/";
/// By which Eureka's servers tell clients of their own kind.
const IDENTITY_NAME: HeaderName = HeaderName::from_static("discoveryidentity-name");
const IDENTITY_VERSION: HeaderName = HeaderName::from_static("discoveryidentity-version");

struct Sender {
    peer: Arc<EurekaPeer>,
    machine: Machine,
    proposer: Proposer,
    /// Instances in a batch at most: fewer, once the server has refused one of so many.
    most: usize,
    pause: Duration,
}

/// A batch, and what it was made of.
struct Made {
    epoch: u64,
    entries: Vec<Entry>,
    sent: Vec<Sent>,
    body: Vec<u8>,
}

/// Runs until it is dropped.
pub async fn send(peer: Arc<EurekaPeer>, machine: Machine, proposer: Proposer) {
    let mut sender = Sender { peer, machine, proposer, most: MAX_OUTGOING_ITEMS, pause: FIRST_PAUSE };
    loop {
        sender.peer.due(sender.most).await;
        if let Some(made) = sender.make() {
            sender.exchange(made).await;
        }
        sender.peer.look_for_what_is_missing(&sender.machine);
    }
}

impl EurekaPeer {
    /// Returns when there is something to tell and enough of it, or when it has waited long enough.
    async fn due(&self, full: usize) {
        loop {
            let due = self.outbox().as_ref().and_then(|outbox| outbox.due(full));
            match due {
                None => self.noted.notified().await,
                Some(due) if due <= Instant::now() => return,
                Some(due) => {
                    // What comes meanwhile may be in more of a hurry.
                    drop(tokio::time::timeout_at(due, self.noted.notified()).await);
                }
            }
        }
    }

    /// Once all is told for which there was room, there may be more.
    fn look_for_what_is_missing(&self, machine: &Machine) {
        if self.outbox().as_ref().is_some_and(Outbox::lacks_some) {
            machine.with_registry(|registry| {
                let progress_ms = self.outbox().as_ref().and_then(Outbox::progress_ms);
                self.begin_again(registry, progress_ms);
            });
        }
    }

    /// What waits, unless that is for another node by now, or was begun anew.
    fn in_epoch(&self, epoch: u64, change: impl FnOnce(&mut Outbox)) {
        if let Some(outbox) = self.outbox().as_mut().filter(|outbox| outbox.epoch() == epoch) {
            change(outbox);
        }
    }
}

impl Sender {
    fn make(&self) -> Option<Made> {
        let (epoch, entries) = {
            let mut outbox = self.peer.outbox();
            let outbox = outbox.as_mut()?;
            (outbox.epoch(), outbox.take(self.most))
        };
        let held: Vec<Option<Arc<Registration>>> = self.machine.with_registry(|registry| {
            entries.iter().map(|entry| registry.get(&entry.key).cloned()).collect()
        });
        let mut batch = OutgoingBatch::default();
        let (mut sent, mut fitting, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for (entry, held) in entries.into_iter().zip(held) {
            let items = items(&entry, held.as_deref());
            if !rest.is_empty() || !batch.push(&items) {
                rest.push(entry);
                continue;
            }
            let is_registered = items.iter().any(|item| item.action == BatchAction::Register);
            sent.extend(items.iter().map(|item| Sent {
                key: entry.key.clone(),
                action: item.action,
                is_registered,
            }));
            fitting.push(entry);
        }
        self.peer.in_epoch(epoch, |outbox| outbox.put_back(rest));
        if batch.is_empty() {
            self.peer.in_epoch(epoch, Outbox::arrived);
            return None;
        }
        Some(Made { epoch, entries: fitting, sent, body: batch.finish() })
    }

    async fn exchange(&mut self, Made { epoch, entries, sent, body }: Made) {
        let request = Request::new(Method::POST, &self.peer.url, PATH)
            .header(ACCEPT, "application/json")
            .header(IDENTITY_NAME, "DefaultServer")
            .header(IDENTITY_VERSION, "1.0")
            .body("application/json", body)
            .accept_gzip();
        let answered = self.peer.client.send(request, ANSWER_TIMEOUT, MAX_BATCH_BYTES).await;
        match Verdict::of(answered, sent.len()) {
            Verdict::Taken(responses) => {
                self.told(sent.len());
                let adopted = self.react(epoch, &sent, &responses);
                self.peer.in_epoch(epoch, Outbox::arrived);
                self.adopt(adopted).await;
            }
            Verdict::Again(reason) => {
                self.failed(&reason);
                self.give_back(epoch, entries);
                tokio::time::sleep(self.pause).await;
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            }
            Verdict::Refused(reason) => self.refused(epoch, entries, &reason),
        }
    }

    fn told(&mut self, items: usize) {
        self.pause = FIRST_PAUSE;
        self.most = (self.most * 2).min(MAX_OUTGOING_ITEMS);
        let mut standing = self.peer.standing();
        standing.count(|counted| {
            counted.batches += 1;
            counted.items += items as u64;
        });
        if standing.set_reachable(true) {
            tracing::info!(peer = %self.peer.name, "the Eureka server is told of changes");
        }
    }

    fn failed(&self, reason: &str) {
        let mut standing = self.peer.standing();
        standing.count(|counted| counted.failed += 1);
        standing.note_error(reason.to_owned(), Instant::now());
        if standing.set_reachable(false) {
            tracing::warn!(
                peer = %self.peer.name, reason,
                "the Eureka server cannot be told of changes; they wait, and are sent when it can"
            );
        }
    }

    /// One item that cannot be read spoils all that it is sent with: it is looked for by halves.
    fn refused(&mut self, epoch: u64, entries: Vec<Entry>, reason: &str) {
        self.peer.standing().note_error(reason.to_owned(), Instant::now());
        match &entries[..] {
            [one] => {
                tracing::warn!(
                    peer = %self.peer.name, instance = %one.key, reason,
                    "the Eureka server is not told of this"
                );
                self.peer.standing().count(|counted| counted.refused += 1);
                self.peer.in_epoch(epoch, Outbox::arrived);
            }
            many => {
                self.most = many.len() / 2;
                self.give_back(epoch, entries);
            }
        }
    }

    fn give_back(&self, epoch: u64, entries: Vec<Entry>) {
        self.peer.in_epoch(epoch, |outbox| {
            outbox.put_back(entries);
            outbox.arrived();
        });
    }

    /// Notes what is to be told because of the answers, and returns what the server knows better.
    fn react<'r>(
        &self,
        epoch: u64,
        sent: &[Sent],
        responses: &'r [ItemResponse],
    ) -> Vec<(Key, &'r ItemResponse)> {
        let mut adopted = Vec::new();
        for (sent, response) in sent.iter().zip(responses) {
            match reaction(sent, response) {
                Reaction::Nothing => {}
                Reaction::Register => self.peer.in_epoch(epoch, |outbox| {
                    outbox.note(&sent.key, Deed::Registered, outbox.last_ms(), Instant::now());
                }),
                Reaction::Adopt(response) => adopted.push((sent.key.clone(), response)),
                Reaction::Refused(reason) => {
                    let mut standing = self.peer.standing();
                    standing.count(|counted| counted.refused += 1);
                    standing.note_error(reason, Instant::now());
                }
            }
        }
        adopted
    }

    /// Has the registry take what the server knows better, as if it had been replicated from there.
    async fn adopt(&self, adopted: Vec<(Key, &ItemResponse)>) {
        let commands: Vec<Command> =
            adopted.iter().flat_map(|(key, response)| self.adoption(key, response)).collect();
        if commands.is_empty() {
            return;
        }
        self.peer.standing().count(|counted| counted.adopted += adopted.len() as u64);
        if let Err(error) = self.proposer.propose_all(&commands).await {
            // The next renewal brings it again.
            tracing::debug!(%error, "what a Eureka server knows better is not adopted yet");
        }
    }

    fn adoption(&self, key: &Key, response: &ItemResponse) -> Vec<Command> {
        let Some(accepted) =
            response.entity.clone().and_then(|known| known.into_registration(key.app.as_str()).ok())
        else {
            return Vec::new();
        };
        let known_ms =
            self.machine.with_registry(|registry| registry.get(key).map(|held| held.last_dirty_ms));
        if accepted.key != *key
            || known_ms.is_some_and(|known| accepted.last_dirty_ms.is_none_or(|ms| ms < known))
        {
            return Vec::new();
        }
        let origin = Origin::Replication;
        let overridden = accepted.instance.overridden_status;
        let set = Command::SetStatus { key: key.clone(), status: overridden, last_dirty_ms: None, origin };
        let register = Command::Register {
            key: key.clone(),
            instance: accepted.instance.into(),
            last_dirty_ms: accepted.last_dirty_ms,
            origin,
        };
        let set = (overridden != Status::Unknown).then_some(set);
        set.into_iter().chain([register]).collect()
    }
}
