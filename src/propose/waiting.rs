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

pub struct Waiting {
    proposals: mpsc::Receiver<Proposal>,
    /// In no hurry: waiting for company, or for [`Waiting::take_batch`].
    batch: Vec<Proposal>,
    /// When the batch has to leave at the latest, if there is anything in it.
    leaves_at: Option<Instant>,
    /// Taken from the queue, but too much for the last batch.
    next: Option<Proposal>,
}

impl Waiting {
    pub fn new(proposals: mpsc::Receiver<Proposal>) -> Self {
        Self { proposals, batch: Vec::new(), leaves_at: None, next: None }
    }

    pub fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.next.is_none() && self.proposals.is_empty()
    }

    /// Returns when a batch has to leave; false if there will be none any more. What is in no hurry has `departs_in` left
    /// until it does. May be dropped at any time: nothing is lost by that.
    pub async fn batch_to_leave(&mut self, departs_in: impl Fn() -> Duration) -> bool {
        loop {
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
            let unhurried = proposal.request.unhurried;
            self.batch.push(proposal);
            if !unhurried || commands(&self.batch) >= ENOUGH_COMPANY {
                return true;
            }
            self.leaves_at.get_or_insert_with(|| Instant::now() + departs_in());
        }
    }

    /// What waits, as far as one batch can hold it.
    pub fn take_batch(&mut self) -> Vec<Proposal> {
        self.leaves_at = None;
        let mut batch = std::mem::take(&mut self.batch);
        let mut commands = commands(&batch);
        let mut bytes: usize = batch.iter().map(|proposal| proposal.request.commands.len()).sum();
        while let Ok(proposal) = self.proposals.try_recv() {
            commands += proposal.request.commands.count();
            bytes += proposal.request.commands.len();
            if commands > BATCH_COMMANDS || bytes > BATCH_BYTES {
                self.next = Some(proposal);
                break;
            }
            batch.push(proposal);
        }
        batch
    }
}

fn commands(batch: &[Proposal]) -> u32 {
    batch.iter().map(|proposal| proposal.request.commands.count()).sum()
}
