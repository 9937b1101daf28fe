//! Group commit: the commands that arrive while batches are on their way make up the next one. Before it
//! leaves, what has arrived at this node's sockets already is read. Only commands whose sender is in no hurry wait
//! for company, and only so long.
//!
//! The leader writes its batches to the log; a follower forwards them to the leader, whose own
//! batches they join. An answer is given only when this node has applied what it tells, so that
//! whoever got it reads it here.

mod batcher;
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
use crate::raft::{Consensus, Peers, Written};
use crate::registry::{Origin, Outcome};
use crate::trace::Context;
use crate::wall_clock::WallClock;

pub use batcher::Batcher;
use route::Route;
use waiting::Waiting;

/// Proposals waiting for a batch, beyond which new ones are turned away.
const QUEUE: usize = 16_384;
/// How long a command whose sender is in no hurry waits for others to share a batch with: longer than batches take, and
/// short beside a second, the shortest time in which a lease is renewed.
const COMPANY: Duration = Duration::from_millis(50);
/// And no more than this part of the time in which it has to be decided.
const COMPANY_OF_TIMEOUT: u32 = 10;

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
    /// One whose command may wait for company.
    UnhurriedClient,
    /// It waits for its answer shorter than clients do, and sends again what is not decided by then.
    EurekaServer,
    /// It forwarded its clients' commands, and does not want them forwarded again.
    Peer,
    /// What it decides holds while this node leads.
    Lessor,
}

impl Source {
    fn may_be_forwarded(self) -> bool {
        matches!(self, Self::Client | Self::UnhurriedClient | Self::EurekaServer)
    }

    fn of(command: &Command) -> Self {
        match command.origin() {
            Some(Origin::Replication) => Self::EurekaServer,
            _ => Self::Client,
        }
    }
}

struct Proposal {
    commands: EncodedCommands,
    /// Applying it twice is the same as once, also for everyone else.
    repeatable: bool,
    source: Source,
    /// Until when it does so for company, unless it is in a hurry.
    waits_until: Option<Instant>,
    /// When its sender gives up.
    deadline: Instant,
    /// The span that it belongs to, if that is traced.
    span: Option<Context>,
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
        let route = Route { consensus, peers, wall_clock };
        let (undecided_since, undecided) = watch::channel(None);
        let batcher = Batcher { waiting: Waiting::new(proposals), route, undecided_since };
        (Self { queue, timeouts, undecided_since: undecided, metrics }, batcher)
    }

    /// How long proposals have been waiting here without any being decided.
    pub fn undecided_for(&self) -> Duration {
        self.undecided_since.borrow().map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// # Errors
    /// [`ProposeError`] if it is not known to be written.
    pub async fn propose(&self, command: &Command) -> Result<Decided, ProposeError> {
        self.propose_one(command, Source::of(command)).await
    }

    /// Proposes what is as good some hundredths of a second later, and cheaper if it shares its way with others.
    ///
    /// # Errors
    /// [`ProposeError`] if it is not known to be written.
    pub async fn propose_unhurried(&self, command: &Command) -> Result<Decided, ProposeError> {
        self.propose_one(command, Source::UnhurriedClient).await
    }

    /// Proposes what the lessor decided, if this node leads.
    ///
    /// # Errors
    /// [`ProposeError`] if it is not known to be written.
    pub async fn propose_as_leader(&self, command: &Command) -> Result<Outcome, ProposeError> {
        Ok(self.propose_one(command, Source::Lessor).await?.outcome)
    }

    async fn propose_one(&self, command: &Command, source: Source) -> Result<Decided, ProposeError> {
        let repeatable = matches!(
            command,
            Command::Renew { overridden: None, .. }
                | Command::Expire { .. }
                | Command::SetSelfPreservation { .. }
        );
        let span = self.metrics.traces.current();
        let written = self.submit(EncodedCommands::one(command), repeatable, source, span).await?;
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
        self.submit(encoded, false, source, self.metrics.traces.current()).await
    }

    /// Proposes what a peer forwarded, if this node leads.
    ///
    /// # Errors
    /// [`ProposeError`]; all but `Unknown` and `Stopped` mean that nothing was proposed.
    pub async fn propose_forwarded(&self, commands: EncodedCommands, span: Option<Context>) -> Answer {
        self.submit(commands, false, Source::Peer, span).await
    }

    async fn submit(
        &self,
        commands: EncodedCommands,
        repeatable: bool,
        source: Source,
        span: Option<Context>,
    ) -> Answer {
        let _pending = Held::of(&self.metrics.proposals.pending);
        let answer = self.decided(commands, repeatable, source, span).await;
        if let Err(error) = &answer {
            error.count(&self.metrics.proposals.failed);
        }
        answer
    }

    async fn decided(
        &self,
        commands: EncodedCommands,
        repeatable: bool,
        source: Source,
        span: Option<Context>,
    ) -> Answer {
        let (reply, answer) = oneshot::channel();
        let now = Instant::now();
        let timeout = match source {
            Source::EurekaServer => self.timeouts.replication,
            _ => self.timeouts.write,
        };
        let deadline = now + timeout;
        let waits_until =
            (source == Source::UnhurriedClient).then(|| now + COMPANY.min(timeout / COMPANY_OF_TIMEOUT));
        let proposal = Proposal { commands, repeatable, source, waits_until, deadline, span, reply };
        self.queue.try_send(proposal).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ProposeError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => ProposeError::Stopped,
        })?;
        match tokio::time::timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(ProposeError::Unknown),
        }
    }
}
