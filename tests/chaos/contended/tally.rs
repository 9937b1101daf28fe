//! What was done, in numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::linearizability::{Action, Answer, Operation, Outcome};
use crate::trial::grouped;

#[derive(Default)]
pub struct Tally {
    outcomes: BTreeMap<&'static str, [u64; KINDS.len()]>,
    operations: u64,
    instances: u64,
    longest: usize,
    checking: Duration,
}

/// Of outcomes.
const KINDS: [&str; 4] = ["done", "not found", "unknown", "not sent"];

impl Tally {
    /// An instance was judged, which took so long.
    pub fn judged(&mut self, operations: &[Operation], took: Duration) {
        self.instances += 1;
        self.operations += operations.len() as u64;
        self.longest = self.longest.max(operations.len());
        self.checking += took;
        for operation in operations {
            let kinds = self.outcomes.entry(name(operation.action)).or_default();
            kinds[kind(operation.outcome)] += 1;
        }
    }
}

fn name(action: Action) -> &'static str {
    match action {
        Action::Register(_) => "register",
        Action::Renew => "renew",
        Action::Cancel => "cancel",
        Action::SetOverride(_) => "set override",
        Action::RemoveOverride(_) => "remove override",
        Action::Read => "linearizable read",
    }
}

fn kind(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Answered(Answer::Done | Answer::Shown(_)) => 0,
        Outcome::Answered(Answer::NotFound) => 1,
        Outcome::Unknown => 2,
        Outcome::NotSent => 3,
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operations, instances) = (grouped(self.operations), grouped(self.instances));
        write!(f, "{operations} operations on {instances} instances")?;
        write!(f, ", {} at most on one", grouped(self.longest as u64))?;
        write!(f, "; all linearizable, checked in {:.1} s", self.checking.as_secs_f64())?;
        for (action, counts) in &self.outcomes {
            write!(f, "; {action}")?;
            for (kind, count) in KINDS.iter().zip(counts).filter(|(_, count)| **count > 0) {
                write!(f, " {} {kind}", grouped(*count))?;
            }
        }
        Ok(())
    }
}
