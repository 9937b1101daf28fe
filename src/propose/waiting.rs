//! Proposals that no batch has yet, and when one has to leave.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::Proposal;

const BATCH_COMMANDS: u32 = 4096;
/// A batch is closed when the next proposal would take it beyond this; a proposal that is larger
/// goes alone.
const BATCH_BYTES: usize = 1 << 20;
/// So many together cost little more by each: they wait for no further company.
pub(super) const ENOUGH_COMPANY: u32 = 256;
/// Where batches are smaller than this, waiting for company would cost a client more time than it saves the machine.
pub(super) const COMPANY_MATTERS: u32 = 8;
/// How long what is in a hurry waits for company, by a clock of whole milliseconds: less than a batch takes.
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
    /// How many commands the last two batches had.
    former: [u32; 2],
}

impl Waiting {
    pub fn new(proposals: mpsc::Receiver<Proposal>) -> Self {
        let (batch, commands, bytes, hurried) = (Vec::new(), 0, 0, false);
        Self { proposals, batch, commands, bytes, hurried, leaves_at: None, next: None, former: [0; 2] }
    }

    pub fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.next.is_none() && self.proposals.is_empty()
    }

    /// Returns when a batch has to leave; false if there will be none any more. What is in no hurry has `departs_in` left
    /// until it does. What is in a hurry leaves at once, or, where batches gather, with nearly as many as the last ones
    /// had: whoever got their answers sends again, and a batch costs as much for few. May be dropped at any time: nothing
    /// is lost by that.
    pub async fn batch_to_leave(&mut self, departs_in: impl Fn() -> Duration, gathers: bool) -> bool {
        let enough = if gathers { self.company_to_come() } else { 0 };
        loop {
            if self.commands >= ENOUGH_COMPANY || (self.hurried && self.commands >= enough) {
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
            let patience = match proposal.request.unhurried {
                true => self.leaves_at.is_none().then(&departs_in),
                false => (!self.hurried).then_some(LONGEST_WAIT),
            };
            let leaves_at = patience.map(|patience| Instant::now() + patience);
            self.hurried |= !proposal.request.unhurried;
            self.leaves_at = self.leaves_at.into_iter().chain(leaves_at).min();
            if !self.add(proposal) {
                return true;
            }
        }
    }

    /// What waits, as far as one batch can hold it.
    pub fn take_batch(&mut self) -> Vec<Proposal> {
        while self.next.is_none()
            && let Ok(proposal) = self.proposals.try_recv()
        {
            self.add(proposal);
        }
        self.former = [self.former[1], self.commands];
        (self.commands, self.bytes, self.hurried, self.leaves_at) = (0, 0, false, None);
        std::mem::take(&mut self.batch)
    }

    /// Puts a proposal into the batch, or aside for the next one if it is too much for this; whether it is in.
    fn add(&mut self, proposal: Proposal) -> bool {
        let commands = self.commands + proposal.request.commands.count();
        let bytes = self.bytes + proposal.request.commands.len();
        if !self.batch.is_empty() && (commands > BATCH_COMMANDS || bytes > BATCH_BYTES) {
            self.next = Some(proposal);
            return false;
        }
        (self.commands, self.bytes) = (commands, bytes);
        self.batch.push(proposal);
        true
    }

    /// Four fifths of what the last two batches had on average: with all of it they would wait for those who come no
    /// more, and never become smaller.
    fn company_to_come(&self) -> u32 {
        let enough = self.former.iter().sum::<u32>() * 2 / 5;
        if enough < COMPANY_MATTERS { 0 } else { enough }
    }
}
