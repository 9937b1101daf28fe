//! Proposals that no batch has yet, and when one has to leave.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::{Proposal, Request};

const BATCH_COMMANDS: u32 = 4096;
/// A batch is closed when the next proposal would take it beyond this; a proposal that is larger
/// goes alone.
const BATCH_BYTES: usize = 1 << 20;
/// So many together cost little more by each: they wait for no further company.
pub(super) const ENOUGH_COMPANY: u32 = 256;
/// Where fewer write at a time, waiting for company would cost them more time than it saves the machine.
pub(super) const COMPANY_MATTERS: u32 = 16;
/// How long after a batch the next one waits for company, by a clock of whole milliseconds: about what it takes a client
/// to send again.
pub(super) const LONGEST_WAIT: Duration = Duration::from_millis(1);

pub struct Waiting {
    proposals: mpsc::Receiver<Proposal>,
    /// Waiting for company, or for [`Waiting::take_batch`].
    batch: Vec<Proposal>,
    commands: u32,
    bytes: usize,
    /// Whether any of them is in a hurry.
    hurried: bool,
    /// When the batch has to leave at the latest, if there is anything in it.
    leaves_at: Option<Instant>,
    /// Taken from the queue, but too much for the last batch.
    next: Option<Proposal>,
    /// How many commands the last batch had.
    former: u32,
    /// How many this one waits for, and until when.
    enough: u32,
    gathers_until: Option<Instant>,
}

impl Waiting {
    pub fn new(proposals: mpsc::Receiver<Proposal>) -> Self {
        let (batch, commands, bytes, hurried) = (Vec::new(), 0, 0, false);
        Self {
            proposals,
            batch,
            commands,
            bytes,
            hurried,
            leaves_at: None,
            next: None,
            former: 0,
            enough: 0,
            gathers_until: None,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.next.is_none() && self.proposals.is_empty()
    }

    /// Returns when a batch has to leave; false if there will be none any more. What is in no hurry has `departs_in` left
    /// until it does. What is in a hurry leaves at once, or, where batches gather and it comes right behind the last one,
    /// with half of those who wrote then: they send again when they have their answers, and a batch costs as much for
    /// few. May be dropped at any time: nothing is lost by that.
    pub async fn batch_to_leave(&mut self, departs_in: impl Fn() -> Duration, gathers: bool) -> bool {
        if self.batch.is_empty() {
            self.gathers_until = gathers.then(|| Instant::now() + LONGEST_WAIT);
            let there = if gathers { self.fill(&departs_in) + self.former } else { 0 };
            self.enough = if there < COMPANY_MATTERS { 0 } else { there / 2 };
        }
        loop {
            let complete = self.next.is_some() || self.commands >= ENOUGH_COMPANY;
            if !self.batch.is_empty() && (complete || self.hurried && self.commands >= self.enough) {
                return true;
            }
            let proposal = match (self.next.take(), self.leaves_at) {
                (Some(proposal), _) => Some(proposal),
                (None, None) => self.proposals.recv().await,
                (None, Some(at)) => match timeout_at(at, self.proposals.recv()).await {
                    Ok(proposal) => proposal,
                    Err(_) => return true,
                },
            };
            let Some(proposal) = proposal else {
                return !self.batch.is_empty();
            };
            self.seat(proposal, &departs_in);
        }
    }

    /// What waits, as far as one batch can hold it.
    pub fn take_batch(&mut self) -> Vec<Proposal> {
        // It leaves now, whenever it would have had to.
        self.fill(Duration::default);
        self.former = self.commands;
        (self.commands, self.bytes, self.hurried, self.leaves_at) = (0, 0, false, None);
        std::mem::take(&mut self.batch)
    }

    /// Takes what is in the queue, as far as one batch can hold it; how many commands that makes.
    fn fill(&mut self, departs_in: impl Fn() -> Duration) -> u32 {
        let mut from_before = self.next.take();
        while self.next.is_none()
            && let Some(proposal) = from_before.take().or_else(|| self.proposals.try_recv().ok())
        {
            self.seat(proposal, &departs_in);
        }
        self.commands
    }

    /// Puts a proposal into the batch, or aside for the next one if it is too much for this.
    fn seat(&mut self, proposal: Proposal, departs_in: impl Fn() -> Duration) {
        let Request { commands, unhurried, .. } = &proposal.request;
        let (commands, bytes) = (self.commands + commands.count(), self.bytes + commands.len());
        if !self.batch.is_empty() && (commands > BATCH_COMMANDS || bytes > BATCH_BYTES) {
            self.next = Some(proposal);
            return;
        }
        let leaves_at = match unhurried {
            true => self.leaves_at.is_none().then(|| Instant::now() + departs_in()),
            false => self.gathers_until,
        };
        self.leaves_at = self.leaves_at.into_iter().chain(leaves_at).min();
        self.hurried |= !unhurried;
        (self.commands, self.bytes) = (commands, bytes);
        self.batch.push(proposal);
    }
}
