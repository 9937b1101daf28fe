//! The judgement.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use todc_utils::linearizability::WGLChecker;

use super::operation::{Operation, Outcome};
use super::search::{Instance, history};
use super::simplify::simplified;

/// What one search may remember; it takes seconds to fill this.
const MEMORY_BYTES: u64 = 512 << 20;
/// Of one thing that is remembered, beside a byte for each request and answer.
const OVERHEAD_BYTES: u64 = 160;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Linearizable,
    NotLinearizable,
    /// The search took too much memory. Whoever wants to know needs a shorter history.
    GaveUp,
}

/// Judges all that was done to one instance, which was not there before.
pub fn check(operations: &[Operation]) -> Verdict {
    check_within(MEMORY_BYTES, operations)
}

/// [`check`] with a memory of this size.
pub fn check_within(memory_bytes: u64, operations: &[Operation]) -> Verdict {
    let told = simplified(operations);
    let entries = 2 * (told.len() as u64 + 1);
    let budget = Rc::new(Cell::new(memory_bytes / (entries + OVERHEAD_BYTES)));
    match WGLChecker::<Instance>::is_linearizable(history(&told, &budget)) {
        true => Verdict::Linearizable,
        false if budget.get() == 0 => Verdict::GaveUp,
        false => Verdict::NotLinearizable,
    }
}

/// Of operations that are not linearizable, the place of the first whose answer cannot be explained
/// by anything before it; `None` if they are, or the search gives up on the way.
pub fn first_unexplained(operations: &[Operation]) -> Option<usize> {
    let mut answered: Vec<usize> =
        (0..operations.len()).filter(|place| operations[*place].answer().is_some()).collect();
    answered.sort_by_key(|place| operations[*place].returned);
    // What is linearizable was so at any time before.
    let explained =
        |place: &usize| check(&until(operations, operations[*place].returned)) == Verdict::Linearizable;
    let first = *answered.get(answered.partition_point(explained))?;
    let verdict = check(&until(operations, operations[first].returned));
    (verdict == Verdict::NotLinearizable).then_some(first)
}

/// What was known at that time.
fn until(operations: &[Operation], time: Duration) -> Vec<Operation> {
    let begun = operations.iter().filter(|operation| operation.invoked <= time);
    begun
        .map(|operation| match operation.returned > time && operation.outcome != Outcome::NotSent {
            true => Operation { outcome: Outcome::Unknown, ..*operation },
            false => *operation,
        })
        .collect()
}
