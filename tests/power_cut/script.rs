//! What is done to a log, at random but lawful, and what must be in it after each step.

use bytes::Bytes;
use openraft::alias::{EntryOf, LogIdOf, VoteOf};
use openraft::impls::leader_id_std::LeaderId;
use openraft::{EntryPayload, LogId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rs_registry::encoding::EncodedBatch;
use rs_registry::format::Format;
use rs_registry::raft::TypeConfig;

pub type RaftEntry = EntryOf<TypeConfig>;
pub type RaftLogId = LogIdOf<TypeConfig>;
pub type RaftVote = VoteOf<TypeConfig>;

const ENTRY_BYTES: usize = 3000;

#[derive(Debug, Clone)]
pub enum Step {
    Append(Vec<RaftEntry>),
    Vote(RaftVote),
    Commit(RaftLogId),
    /// To this last entry.
    Truncate(RaftLogId),
    /// Up to and with this entry.
    Purge(RaftLogId),
}

/// All that a log has to say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contents {
    pub purged: Option<RaftLogId>,
    pub last: Option<RaftLogId>,
    pub committed: Option<RaftLogId>,
    pub vote: Option<RaftVote>,
    pub entries: Vec<RaftEntry>,
}

#[derive(Clone)]
pub struct Script {
    pub steps: Vec<Step>,
    /// Before the first step, and after each.
    pub contents: Vec<Contents>,
}

impl Script {
    pub fn new(seed: u64, length: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut script = Self { steps: Vec::new(), contents: vec![Contents::default()] };
        let mut term = 1;
        while script.steps.len() < length {
            let before = script.contents.last().expect("the first at least");
            let Some(step) = step(before, &mut term, &mut rng) else { continue };
            let after = before.after(&step);
            script.steps.push(step);
            script.contents.push(after);
        }
        script
    }
}

fn step(before: &Contents, term: &mut u64, rng: &mut StdRng) -> Option<Step> {
    let open: Vec<RaftLogId> = before.entries.iter().map(|entry| entry.log_id).collect();
    let after_commit: Vec<RaftLogId> =
        open.iter().filter(|id| Some(**id) > before.committed).copied().collect();
    let upto_commit: Vec<RaftLogId> =
        open.iter().filter(|id| Some(**id) <= before.committed).copied().collect();
    let any =
        |ids: &[RaftLogId], rng: &mut StdRng| (!ids.is_empty()).then(|| ids[rng.random_range(0..ids.len())]);
    match rng.random_range(0..12) {
        0 => {
            *term += 1;
            let leader_id = LeaderId { term: *term, voted_for: 2 };
            Some(Step::Vote(RaftVote { leader_id, committed: rng.random() }))
        }
        1 | 2 => any(&after_commit, rng).map(Step::Commit),
        // To keep all is to do nothing: that is answered at once, whatever of what is before it was synced.
        3 => any(after_commit.split_last()?.1, rng).map(Step::Truncate),
        4 => any(&upto_commit, rng).map(Step::Purge),
        _ => {
            let next = before.last.map_or(0, |last| last.index) + 1;
            let count = rng.random_range(1..=3);
            Some(Step::Append((next..next + count).map(|index| entry(*term, index, rng)).collect()))
        }
    }
}

fn entry(term: u64, index: u64, rng: &mut StdRng) -> RaftEntry {
    let bytes: Vec<u8> = (0..rng.random_range(0..ENTRY_BYTES)).map(|_| rng.random()).collect();
    let payload = EntryPayload::Normal(EncodedBatch::new(Bytes::from(bytes), Format::FIRST));
    RaftEntry { log_id: LogId::new_term_index(term, index), payload }
}

impl Contents {
    fn after(&self, step: &Step) -> Self {
        let mut after = self.clone();
        match step {
            Step::Append(entries) => {
                after.last = entries.last().map(|entry| entry.log_id);
                after.entries.extend(entries.iter().cloned());
            }
            Step::Vote(vote) => after.vote = Some(*vote),
            Step::Commit(log_id) => after.committed = Some(*log_id),
            Step::Truncate(last) => {
                after.last = Some(*last);
                after.entries.retain(|entry| entry.log_id.index <= last.index);
            }
            Step::Purge(upto) => {
                after.purged = Some(*upto);
                after.entries.retain(|entry| entry.log_id.index > upto.index);
            }
        }
        after
    }

    /// Whether this is what a step leaves that was not done to its end.
    pub fn is_within(&self, before: &Self, step: &Step) -> bool {
        let Step::Append(entries) = step else { return false };
        (1..entries.len()).any(|count| *self == before.after(&Step::Append(entries[..count].to_vec())))
    }
}
