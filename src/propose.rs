//! Group commit: the commands that arrive while batches are on their way make up the next one. Before it
//! leaves, what has arrived at this node's sockets already is read; at the leader it waits, a moment at most, for half of
//! those who lately wrote. Commands whose sender is in no hurry wait longer for company.
//!
//! The leader writes its batches to the log; a follower forwards them to the leader, whose own
//! batches they join. An answer is given only when this node has applied what it tells, so that
//! whoever got it reads it here.

mod batcher;
mod departures;
mod route;
#[cfg(test)]
mod tests;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::command::Command;
use crate::encoding::EncodedCommands;
use crate::metrics::{FailedProposals, Held, Metrics};
use crate::raft::{Consensus, Forwarded, Peers, Written};
use crate::registry::{Origin, Outcome};
use crate::trace::Context;
use crate::wall_clock::WallClock;

pub use batcher::Batcher;
use departures::Departures;
use route::Route;
use waiting::Waiting;

/// Proposals waiting for a batch, beyond which new ones are turned away.
const QUEUE: usize = 16_384;
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

/// What came of a command.
#[derive(Debug)]
pub struct Decided {
    /// Of the log entry that it shares with others.
    pub log_index: u64,
    pub outcome: Outcome,
}

impl ProposeError {
    fn reason(self) -> &'static str {
        match self {
            ProposeError::Overloaded => "overloaded",
            ProposeError::NotLeader => "not_leader",
            ProposeError::NoQuorum => "no_quorum",
            ProposeError::Unknown => "unknown",
            ProposeError::Stopped => "stopped",
        }
    }

    fn count(self, failed: &FailedProposals) {
        let counter = match self {
            ProposeError::Overloaded => &failed.overloaded,
            ProposeError::NotLeader => &failed.not_leader,
            ProposeError::NoQuorum => &failed.no_quorum,
            ProposeError::Unknown => &failed.unknown,
            ProposeError::Stopped => &failed.stopped,
        };
        counter.inc();
    }
}

type Answer = Result<Written, ProposeError>;

/// Who is waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Client,
    /// It waits for its answer shorter than clients do, and sends again what is not decided by then.
    EurekaServer,
    /// It forwarded its clients' commands, and does not want them forwarded again.
    Peer,
    /// What it decides holds while this node leads.
    Lessor,
}

impl Source {
    fn may_be_forwarded(self) -> bool {
        matches!(self, Self::Client | Self::EurekaServer)
    }

    fn of(command: &Command) -> Self {
        match command.origin() {
            Some(Origin::Replication) => Self::EurekaServer,
            _ => Self::Client,
        }
    }
}

/// What is to be proposed.
struct Request {
    commands: EncodedCommands,
    /// Applying it twice is the same as once, also for everyone else.
    repeatable: bool,
    source: Source,
    /// It may wait for company.
    unhurried: bool,
    /// The span that it belongs to, if that is traced.
    span: Option<Context>,
}

struct Proposal {
    request: Request,
    /// When its sender gives up.
    deadline: Instant,
    reply: oneshot::Sender<Answer>,
}

/// How long an answer takes at most.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    pub write: Duration,
    /// To what a Eureka server sends.
    pub replication: Duration,
}

/// Takes commands from anywhere in the node. Clones feed the same batches.
#[derive(Clone)]
pub struct Proposer {
    queue: mpsc::Sender<Proposal>,
    timeouts: Timeouts,
    undecided_since: watch::Receiver<Option<Instant>>,
    metrics: Arc<Metrics>,
}

impl Proposer {
    /// A proposer whose answers take no longer than `timeouts`, and the task that does its work.
    pub fn new(
        consensus: Consensus,
        peers: Arc<Peers>,
        wall_clock: WallClock,
        timeouts: Timeouts,
    ) -> (Self, Batcher) {
        let (queue, proposals) = mpsc::channel(QUEUE);
        let metrics = consensus.metrics().clone();
        let departures = Departures::new(wall_clock.clone(), timeouts.write);
        let route = Route { consensus, peers, wall_clock };
        let (undecided_since, undecided) = watch::channel(None);
        let batcher = Batcher { waiting: Waiting::new(proposals), departures, route, undecided_since };
        (Self { queue, timeouts, undecided_since: undecided, metrics }, batcher)
    }

    /// How long proposals have been waiting here without any being decided.
    pub fn undecided_for(&self) -> Duration {
        self.undecided_since.borrow().map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// # Errors
    /// [`ProposeError`] if it is not known to be written.
    pub async fn propose(&self, command: &Command) -> Result<Decided, ProposeError> {
        self.propose_one(command, Source::of(command), false).await
    }

    /// Proposes what is as good a tenth of a second later, and cheaper if it shares its way with others.
    ///
    /// # Errors
    /// [`ProposeError`] if it is not known to be written.
    pub async fn propose_unhurried(&self, command: &Command) -> Result<Decided, ProposeError> {
        self.propose_one(command, Source::Client, true).await
    }

    /// Proposes what the lessor decided, if this node leads.
    ///
    /// # Errors
    /// [`ProposeError`] if it is not known to be written.
    pub async fn propose_as_leader(&self, command: &Command) -> Result<Outcome, ProposeError> {
        Ok(self.propose_one(command, Source::Lessor, false).await?.outcome)
    }

    async fn propose_one(
        &self,
        command: &Command,
        source: Source,
        unhurried: bool,
    ) -> Result<Decided, ProposeError> {
        let repeatable = matches!(
            command,
            Command::Renew { overridden: None, .. }
                | Command::Expire { .. }
                | Command::SetSelfPreservation { .. }
        );
        let (commands, span) = (EncodedCommands::one(command), self.metrics.traces.current());
        let written = self.submit(Request { commands, repeatable, source, unhurried, span }).await?;
        let outcome = written.outcomes.into_iter().next().ok_or(ProposeError::Unknown)?;
        Ok(Decided { log_index: written.log_index, outcome })
    }

    /// Proposes commands of one sender together; each has its outcome, in their order.
    ///
    /// # Errors
    /// [`ProposeError`] if they are not known to be written.
    pub async fn propose_all(&self, commands: &[Command]) -> Answer {
        let mut encoded = EncodedCommands::default();
        for command in commands {
            encoded.join(&EncodedCommands::one(command));
        }
        if encoded.is_empty() {
            return Ok(Written { log_index: 0, outcomes: Vec::new() });
        }
        let source = commands.first().map_or(Source::Client, Source::of);
        let span = self.metrics.traces.current();
        self.submit(Request { commands: encoded, repeatable: false, source, unhurried: false, span }).await
    }

    /// Proposes what a peer forwarded, if this node leads.
    ///
    /// # Errors
    /// [`ProposeError`]; all but `Unknown` and `Stopped` mean that nothing was proposed.
    pub async fn propose_forwarded(&self, forwarded: Forwarded) -> Answer {
        let Forwarded { commands, unhurried, span, .. } = forwarded;
        self.submit(Request { commands, repeatable: false, source: Source::Peer, unhurried, span }).await
    }

    async fn submit(&self, request: Request) -> Answer {
        let _pending = Held::of(&self.metrics.proposals.pending);
        let answer = self.decided(request).await;
        if let Err(error) = &answer {
            error.count(&self.metrics.proposals.failed);
        }
        answer
    }

    async fn decided(&self, request: Request) -> Answer {
        let (reply, answer) = oneshot::channel();
        let timeout = match request.source {
            Source::EurekaServer => self.timeouts.replication,
            _ => self.timeouts.write,
        };
        let deadline = Instant::now() + timeout;
        self.queue.try_send(Proposal { request, deadline, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ProposeError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => ProposeError::Stopped,
        })?;
        match tokio::time::timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(ProposeError::Unknown),
        }
    }
}
