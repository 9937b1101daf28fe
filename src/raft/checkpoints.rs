//! What the state was at fixed log indexes, as a hash, to be compared with what it was at other nodes.

use std::collections::VecDeque;

/// From one checkpoint to the next, in log entries: few, for where few clients renew an entry is rare.
pub const EVERY_ENTRIES: u64 = 128;
/// Nodes that are further apart than all of these have none in common until they come closer.
const KEPT: usize = 128;

/// What the hashes cover, and how: to be changed with it, for hashes of different forms say nothing
/// about each other.
pub const CHECKPOINT_FORM: u32 = 2;

/// The state as it was right after the entry at an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    pub index: u64,
    pub hash: u64,
}

/// The last few, in ascending order.
#[derive(Debug, Default)]
pub struct Checkpoints(VecDeque<Checkpoint>);

impl Checkpoints {
    /// Whether the state at an index is to be remembered.
    pub fn are_due_at(index: u64) -> bool {
        index > 0 && index.is_multiple_of(EVERY_ENTRIES)
    }

    /// The first index from this one on for which that is so.
    pub fn due_from(index: u64) -> Option<u64> {
        index.max(1).checked_next_multiple_of(EVERY_ENTRIES)
    }

    pub fn add(&mut self, checkpoint: Checkpoint) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(checkpoint);
    }

    pub fn to_vec(&self) -> Vec<Checkpoint> {
        self.0.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_few_multiples_are_remembered() {
        let mut checkpoints = Checkpoints::default();
        for index in (0..=200 * EVERY_ENTRIES + 7).filter(|index| Checkpoints::are_due_at(*index)) {
            checkpoints.add(Checkpoint { index, hash: index * 3 });
        }
        let expected: Vec<_> = (73..=200)
            .map(|at| at * EVERY_ENTRIES)
            .map(|index| Checkpoint { index, hash: index * 3 })
            .collect();
        assert_eq!(checkpoints.to_vec(), expected);
    }
}
