//! Group commit: the commands that arrive while batches are on their way make up the next one. Before it
//! leaves, what has arrived at this node's sockets already is read; no timer waits for more.
//!
//! The leader writes its batches to the log; a follower forwards them to the leader, whose own
//! batches they join. An answer is given only when this node has applied what it tells, so that
//! whoever got it reads it here.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::command::Command;
use crate::encoding::EncodedCommands;
use crate::raft::{Consensus, ForwardError, Leader, Peers, WriteError, Written};
use crate::registry::Outcome;
use crate::wall_clock::WallClock;

/// Proposals waiting for a batch, beyond which new ones are turned away.
const QUEUE: usize = 16_384;
const BATCH_COMMANDS: u32 = 4096;
/// A batch is closed when the next proposal would take it beyond this; a proposal that is larger
/// goes alone.
const BATCH_BYTES: usize = 1 << 20;
/// Batches in the log at once. With more, each would be small, and costs as much as a large one.
const BATCHES_WRITTEN_AT_ONCE: usize = 1;
/// Batches on their way to the leader at once, where they join its own: one that waited here for another to come back
/// would wait there as well.
const BATCHES_FORWARDED_AT_ONCE: usize = 4;
/// Turns of the runtime that a batch lets others have before it leaves: those who got the answers of the last one send
/// at about the same time, and a turn costs next to nothing where nobody does.
const TURNS_TO_GATHER: usize = 4;
/// How soon to look again for a leader that is not known or does not answer.
const LEADER_RETRY: Duration = Duration::from_millis(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    #[error("too many writes are waiting; nothing was written, try again")]
    Overloaded,
    #[error("this node does not lead; nothing was written")]
    NotLeader,
    #[error("no leader with a quorum in time")]
    NoQuorum,
    #[error("not decided in time, or the leader was lost meanwhile; it may have been written or not")]
    Unknown,
    #[error("Raft has stopped on this node; look into its log")]
    Stopped,
}

type Answer = Result<Written, ProposeError>;

/// Who is waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Client,
    /// It forwarded its clients' commands, and does not want them forwarded again.
    Peer,
    /// What it decides holds while this node leads.
    Lessor,
}

struct Proposal {
    commands: EncodedCommands,
    /// Applying it twice is the same as once, also for everyone else.
    repeatable: bool,
    source: Source,
    deadline: Instant,
    reply: oneshot::Sender<Answer>,
}

/// Takes commands from anywhere in the node. Clones feed the same batches.
#[derive(Clone)]
pub struct Proposer {
    queue: mpsc::Sender<Proposal>,
    timeout: Duration,
    undecided_since: watch::Receiver<Option<Instant>>,
}

impl Proposer {
    /// A proposer whose answers take at most `timeout`, and the task that does its work.
    pub fn new(
        consensus: Consensus,
        peers: Arc<Peers>,
        wall_clock: WallClock,
        timeout: Duration,
    ) -> (Self, Batcher) {
        let (queue, proposals) = mpsc::channel(QUEUE);
        let route = Route { consensus, peers, wall_clock };
        let (undecided_since, undecided) = watch::channel(None);
        let batcher = Batcher { waiting: Waiting { proposals, next: None }, route, undecided_since };
        (Self { queue, timeout, undecided_since: undecided }, batcher)
    }

    /// How long proposals have been waiting here without any being decided.
    pub fn undecided_for(&self) -> Duration {
        self.undecided_since.borrow().map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// # Errors
    /// [`ProposeError`] if it is not known to be written.
    pub async fn propose(&self, command: &Command) -> Result<Outcome, ProposeError> {
        self.propose_one(command, Source::Client).await
    }

    /// Proposes what the lessor decided, if this node leads.
    ///
    /// # Errors
    /// [`ProposeError`] if it is not known to be written.
    pub async fn propose_as_leader(&self, command: &Command) -> Result<Outcome, ProposeError> {
        self.propose_one(command, Source::Lessor).await
    }

    async fn propose_one(&self, command: &Command, source: Source) -> Result<Outcome, ProposeError> {
        let repeatable = matches!(
            command,
            Command::Renew { overridden: None, .. }
                | Command::Expire { .. }
                | Command::SetSelfPreservation { .. }
        );
        let written = self.submit(EncodedCommands::one(command), repeatable, source).await?;
        written.outcomes.into_iter().next().ok_or(ProposeError::Unknown)
    }

    /// Proposes commands together; each has its outcome, in their order.
    ///
    /// # Errors
    /// [`ProposeError`] if they are not known to be written.
    pub async fn propose_all(&self, commands: &[Command]) -> Result<Vec<Outcome>, ProposeError> {
        let mut encoded = EncodedCommands::default();
        for command in commands {
            encoded.join(&EncodedCommands::one(command));
        }
        if encoded.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.submit(encoded, false, Source::Client).await?.outcomes)
    }

    /// Proposes what a peer forwarded, if this node leads.
    ///
    /// # Errors
    /// [`ProposeError`]; all but `Unknown` and `Stopped` mean that nothing was proposed.
    pub async fn propose_forwarded(&self, commands: EncodedCommands) -> Answer {
        self.submit(commands, false, Source::Peer).await
    }

    async fn submit(&self, commands: EncodedCommands, repeatable: bool, source: Source) -> Answer {
        let (reply, answer) = oneshot::channel();
        let deadline = Instant::now() + self.timeout;
        let proposal = Proposal { commands, repeatable, source, deadline, reply };
        self.queue.try_send(proposal).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ProposeError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => ProposeError::Stopped,
        })?;
        match tokio::time::timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(ProposeError::Stopped),
            Err(_) => Err(ProposeError::Unknown),
        }
    }
}

/// Makes batches and sends them on their way.
pub struct Batcher {
    waiting: Waiting,
    route: Route,
    undecided_since: watch::Sender<Option<Instant>>,
}

impl Batcher {
    /// Runs until every [`Proposer`] is gone and every batch has been answered.
    pub async fn run(self) {
        let Batcher { mut waiting, route, undecided_since } = self;
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
                first = waiting.next_proposal(), if !closed && in_flight.len() < route.batches_at_once() => {
                    let Some(first) = first else {
                        closed = true;
                        continue;
                    };
                    undecided_since.send_if_modified(|since| {
                        let was_none = since.is_none();
                        since.get_or_insert_with(Instant::now);
                        was_none
                    });
                    gather().await;
                    in_flight.push(route.decide(waiting.fill(first)));
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

/// Proposals that no batch has yet.
struct Waiting {
    proposals: mpsc::Receiver<Proposal>,
    /// Taken from the queue, but too much for the last batch.
    next: Option<Proposal>,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.next.is_none() && self.proposals.is_empty()
    }

    /// May be dropped at any time: nothing is lost by that.
    async fn next_proposal(&mut self) -> Option<Proposal> {
        match self.next.take() {
            Some(proposal) => Some(proposal),
            None => self.proposals.recv().await,
        }
    }

    fn fill(&mut self, first: Proposal) -> Vec<Proposal> {
        let mut commands = first.commands.count();
        let mut bytes = first.commands.len();
        let mut batch = vec![first];
        while let Ok(proposal) = self.proposals.try_recv() {
            commands += proposal.commands.count();
            bytes += proposal.commands.len();
            if commands > BATCH_COMMANDS || bytes > BATCH_BYTES {
                self.next = Some(proposal);
                break;
            }
            batch.push(proposal);
        }
        batch
    }
}

/// Where batches go.
struct Route {
    consensus: Consensus,
    peers: Arc<Peers>,
    /// Stamps the batches this node writes as leader. The registry never lets time go back.
    wall_clock: WallClock,
}

enum Attempt {
    Written(Written),
    /// Certainly not written; worth another try while there is time.
    NotWritten,
    Failed(ProposeError),
}

impl Route {
    fn batches_at_once(&self) -> usize {
        match self.consensus.leader() {
            Leader::Other(_) => BATCHES_FORWARDED_AT_ONCE,
            Leader::ThisNode | Leader::Unknown => BATCHES_WRITTEN_AT_ONCE,
        }
    }

    /// Answers the proposals of one batch; whether they were decided in the log.
    async fn decide(&self, mut batch: Vec<Proposal>) -> bool {
        loop {
            let now = Instant::now();
            answer(batch.extract_if(.., |proposal| proposal.deadline <= now), ProposeError::NoQuorum);
            if self.consensus.failure().is_some() {
                answer(batch, ProposeError::Stopped);
                return false;
            }
            // Who waits no longer than that is told so meanwhile, each at the own deadline.
            let Some(deadline) = batch.iter().map(|proposal| proposal.deadline).max() else {
                return false;
            };
            let leader = self.consensus.leader();
            if leader != Leader::ThisNode {
                answer(
                    batch.extract_if(.., |proposal| proposal.source != Source::Client),
                    ProposeError::NotLeader,
                );
            }
            if batch.is_empty() {
                return false;
            }
            match self.attempt(leader, &batch, deadline).await {
                Attempt::Written(written) => {
                    distribute(written, batch);
                    return true;
                }
                Attempt::Failed(ProposeError::Unknown) => {
                    answer(batch.extract_if(.., |proposal| !proposal.repeatable), ProposeError::Unknown);
                }
                Attempt::Failed(error) => {
                    answer(batch, error);
                    return false;
                }
                Attempt::NotWritten => {}
            }
            tokio::time::sleep(LEADER_RETRY).await;
        }
    }

    async fn attempt(&self, leader: Leader, batch: &[Proposal], deadline: Instant) -> Attempt {
        let mut joined = EncodedCommands::default();
        for proposal in batch {
            joined.join(&proposal.commands);
        }
        match leader {
            Leader::ThisNode => self.write(joined, deadline).await,
            Leader::Other(node) => self.forward(node, joined, deadline).await,
            Leader::Unknown => Attempt::NotWritten,
        }
    }

    async fn write(&self, commands: EncodedCommands, deadline: Instant) -> Attempt {
        let writing = self.consensus.write(commands.stamped(self.wall_clock.epoch_ms()));
        match tokio::time::timeout_at(deadline, writing).await {
            Ok(Ok(written)) => Attempt::Written(written),
            Ok(Err(WriteError::NotLeader)) => Attempt::NotWritten,
            Ok(Err(WriteError::Unknown)) | Err(_) => Attempt::Failed(ProposeError::Unknown),
            Ok(Err(WriteError::Stopped(_))) => Attempt::Failed(ProposeError::Stopped),
        }
    }

    async fn forward(&self, leader: u64, commands: EncodedCommands, deadline: Instant) -> Attempt {
        let count = commands.count();
        let timeout = deadline.saturating_duration_since(Instant::now());
        let forwarding = self.peers.forward(leader, commands.into_bytes(), count, timeout);
        let answer = tokio::select! {
            biased;
            answer = forwarding => answer,
            () = self.deposed(leader) => return Attempt::Failed(ProposeError::Unknown),
        };
        match answer {
            Ok(written) => self.applied_here(written, deadline).await,
            Err(ForwardError::NotProposed(_)) => Attempt::NotWritten,
            Err(ForwardError::Overloaded(_)) => Attempt::Failed(ProposeError::Overloaded),
            Err(ForwardError::Unknown { .. }) => Attempt::Failed(ProposeError::Unknown),
        }
    }

    /// Returns once another node leads: a leader that hangs may never answer, but has a successor.
    async fn deposed(&self, leader: u64) {
        while [Leader::Other(leader), Leader::Unknown].contains(&self.consensus.leader()) {
            tokio::time::sleep(LEADER_RETRY).await;
        }
    }

    async fn applied_here(&self, written: Written, deadline: Instant) -> Attempt {
        match self.consensus.reached(written.log_index, deadline).await {
            true => Attempt::Written(written),
            false => Attempt::Failed(ProposeError::Unknown),
        }
    }
}

fn answer(proposals: impl IntoIterator<Item = Proposal>, error: ProposeError) {
    for proposal in proposals {
        // Whoever no longer waits needs no answer.
        drop(proposal.reply.send(Err(error)));
    }
}

fn distribute(written: Written, batch: Vec<Proposal>) {
    let Written { log_index, outcomes } = written;
    let mut outcomes = outcomes.into_iter();
    for proposal in batch {
        let wanted = proposal.commands.count() as usize;
        let outcomes: Vec<Outcome> = outcomes.by_ref().take(wanted).collect();
        let complete = outcomes.len() == wanted;
        let answer = if complete { Ok(Written { log_index, outcomes }) } else { Err(ProposeError::Unknown) };
        drop(proposal.reply.send(answer));
    }
}
