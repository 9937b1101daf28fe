//! Unanswered operations are what makes a search long: each may or may not have happened, at any time.
//! Fewer of them that can be told apart leave as many stories possible as before, or none.

use std::collections::HashMap;
use std::time::Duration;

use super::instance::{Action, Answer, Version};
use super::operation::{Operation, Outcome};

/// Stands for every version that no read showed.
const UNSEEN: Version = Version(u64::MAX);

/// An operation as the search has to know it.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    pub action: Action,
    pub invoked: Duration,
    pub ending: Ending,
}

#[derive(Debug, Clone, Copy)]
pub enum Ending {
    Answered(Answer, Duration),
    /// It has happened by then, as its effect was seen.
    Seen(Duration),
    /// It happened at some time, or never.
    Open,
}

/// Leaves out what changes nothing and tells nothing, in the order of their requests.
pub fn simplified(operations: &[Operation]) -> Vec<Told> {
    let seen = first_seen(operations);
    let mut told: Vec<Told> = operations.iter().filter_map(|operation| tell(operation, &seen)).collect();
    told.sort_by_key(|told| told.invoked);
    told
}

/// When each version that any read showed was shown first.
fn first_seen(operations: &[Operation]) -> HashMap<Version, Duration> {
    let mut seen = HashMap::new();
    for operation in operations {
        if let Some(Answer::Shown(registered)) = operation.answer() {
            let first = seen.entry(registered.version).or_insert(operation.returned);
            *first = operation.returned.min(*first);
        }
    }
    seen
}

fn tell(operation: &Operation, seen: &HashMap<Version, Duration>) -> Option<Told> {
    let Operation { action, invoked, returned, outcome } = *operation;
    let told = |action, ending| Some(Told { action, invoked, ending });
    match (outcome, action) {
        (Outcome::NotSent, _) => None,
        (Outcome::Answered(answer), action) => told(action, Ending::Answered(answer, returned)),
        (Outcome::Unknown, Action::Read | Action::Renew) => None,
        (Outcome::Unknown, Action::Register(version)) => match seen.get(&version) {
            // One that was shown before it was sent is for the search to refuse.
            Some(first) => told(action, Ending::Seen(invoked.max(*first))),
            None => told(Action::Register(UNSEEN), Ending::Open),
        },
        (Outcome::Unknown, action) => told(action, Ending::Open),
    }
}
