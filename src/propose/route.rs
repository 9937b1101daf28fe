//! Where batches go, and how their answers come back to who waits for them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Proposal, ProposeError};
use crate::encoding::EncodedCommands;
use crate::raft::{Consensus, ForwardError, Forwarded, Leader, Peers, WriteError, Written};
use crate::registry::Outcome;
use crate::trace::{Context, Span, Value};
use crate::wall_clock::WallClock;

/// Batches in the log at once. With more, each would be small, and costs as much as a large one.
const BATCHES_WRITTEN_AT_ONCE: usize = 1;
/// Batches on their way to the leader at once, where they join its own: one that waited here for another to come back
/// would wait there as well.
const BATCHES_FORWARDED_AT_ONCE: usize = 4;
/// How soon to look again for a leader that is not known or does not answer.
const LEADER_RETRY: Duration = Duration::from_millis(10);

/// Where batches go.
pub struct Route {
    pub consensus: Consensus,
    pub peers: Arc<Peers>,
    /// Stamps the batches this node writes as leader. The registry never lets time go back.
    pub wall_clock: WallClock,
}

enum Attempt {
    Written(Written),
    /// Certainly not written; worth another try while there is time.
    NotWritten,
    Failed(ProposeError),
}

impl Route {
    pub fn leads(&self) -> bool {
        self.consensus.leader() == Leader::ThisNode
    }

    pub fn batches_at_once(&self) -> usize {
        match self.consensus.leader() {
            Leader::Other(_) => BATCHES_FORWARDED_AT_ONCE,
            Leader::ThisNode | Leader::Unknown => BATCHES_WRITTEN_AT_ONCE,
        }
    }

    /// Answers the proposals of one batch; whether they were decided in the log.
    pub async fn decide(&self, mut batch: Vec<Proposal>) -> bool {
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
                    batch.extract_if(.., |proposal| !proposal.request.source.may_be_forwarded()),
                    ProposeError::NotLeader,
                );
            }
            if batch.is_empty() {
                return false;
            }
            let span = self.span(leader, &batch);
            let context = span.as_ref().map(Span::context);
            let attempt = self.attempt(leader, &batch, deadline, context).await;
            if let Some(span) = span {
                end(span, &attempt);
            }
            match attempt {
                Attempt::Written(written) => {
                    distribute(written, batch);
                    return true;
                }
                Attempt::Failed(ProposeError::Unknown) => {
                    answer(
                        batch.extract_if(.., |proposal| !proposal.request.repeatable),
                        ProposeError::Unknown,
                    );
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

    /// Of the first in the batch that is traced, with links to the others.
    fn span(&self, leader: Leader, batch: &[Proposal]) -> Option<Span> {
        let traces = &self.consensus.metrics().traces;
        if !traces.are_on() {
            return None;
        }
        let mut traced = batch.iter().filter_map(|proposal| proposal.request.span);
        let name = match leader {
            Leader::ThisNode => "propose batch",
            Leader::Other(_) => "forward batch",
            Leader::Unknown => return None,
        };
        let mut span = traces.child(name, traced.next())?;
        traced.for_each(|other| span.link(other));
        let commands = batch.iter().map(|proposal| u64::from(proposal.request.commands.count())).sum();
        span.set("commands", Value::Number(commands));
        Some(span)
    }

    async fn attempt(
        &self,
        leader: Leader,
        batch: &[Proposal],
        deadline: Instant,
        span: Option<Context>,
    ) -> Attempt {
        let mut joined = EncodedCommands::default();
        for proposal in batch {
            joined.join(&proposal.request.commands);
        }
        match leader {
            Leader::ThisNode => self.write(joined, deadline, span).await,
            Leader::Other(node) => {
                let format = self.consensus.machine().format();
                let unhurried = batch.iter().all(|proposal| proposal.request.unhurried);
                self.forward(node, Forwarded { commands: joined, format, unhurried, span }, deadline).await
            }
            Leader::Unknown => Attempt::NotWritten,
        }
    }

    async fn write(&self, commands: EncodedCommands, deadline: Instant, span: Option<Context>) -> Attempt {
        let proposals = &self.consensus.metrics().proposals;
        proposals.batch_commands.observe_size(commands.count().into());
        let begin = Instant::now();
        let format = self.consensus.machine().format();
        let batch = commands.stamped(self.wall_clock.epoch_ms(), format).traced(span);
        let writing = self.consensus.write(batch);
        match tokio::time::timeout_at(deadline, writing).await {
            Ok(Ok(written)) => {
                proposals.commit_seconds.observe(begin.elapsed());
                Attempt::Written(written)
            }
            Ok(Err(WriteError::NotLeader)) => Attempt::NotWritten,
            // Raft that stopped on the way may have written it; what is tried again then finds that it has stopped.
            Ok(Err(WriteError::Unknown | WriteError::Stopped(_))) | Err(_) => {
                Attempt::Failed(ProposeError::Unknown)
            }
        }
    }

    async fn forward(&self, leader: u64, forwarded: Forwarded, deadline: Instant) -> Attempt {
        let begin = Instant::now();
        let timeout = deadline.saturating_duration_since(begin);
        let proposals = &self.consensus.metrics().proposals;
        proposals.batch_commands.observe_size(forwarded.commands.count().into());
        let forwarding = self.peers.forward(leader, forwarded, timeout);
        let answer = tokio::select! {
            biased;
            answer = forwarding => answer,
            () = self.deposed(leader) => return Attempt::Failed(ProposeError::Unknown),
        };
        match answer {
            Ok(written) => {
                let applied = self.applied_here(written, deadline).await;
                if matches!(applied, Attempt::Written(_)) {
                    proposals.forward_seconds.observe(begin.elapsed());
                }
                applied
            }
            Err(ForwardError::NotProposed(_)) => Attempt::NotWritten,
            Err(ForwardError::Overloaded(_)) => Attempt::Failed(ProposeError::Overloaded),
            Err(ForwardError::Unknown { .. }) => Attempt::Failed(ProposeError::Unknown),
        }
    }

    /// Returns once another node leads: a leader that hangs may never answer, but has a successor.
    async fn deposed(&self, leader: u64) {
        let same = [Leader::Other(leader), Leader::Unknown];
        self.consensus.until_leader(|now| !same.contains(&now)).await;
    }

    async fn applied_here(&self, written: Written, deadline: Instant) -> Attempt {
        match self.consensus.reached(written.log_index, deadline).await {
            true => Attempt::Written(written),
            false => Attempt::Failed(ProposeError::Unknown),
        }
    }
}

fn end(mut span: Span, attempt: &Attempt) {
    match attempt {
        Attempt::Written(written) => span.set("log_index", Value::Number(written.log_index)),
        Attempt::NotWritten => span.fail("not_written"),
        Attempt::Failed(error) => span.fail(error.reason()),
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
        let wanted = proposal.request.commands.count() as usize;
        let outcomes: Vec<Outcome> = outcomes.by_ref().take(wanted).collect();
        let complete = outcomes.len() == wanted;
        let answer = if complete { Ok(Written { log_index, outcomes }) } else { Err(ProposeError::Unknown) };
        drop(proposal.reply.send(answer));
    }
}
