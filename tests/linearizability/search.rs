//! The specification and the history in the words of the search.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use todc_utils::linearizability::history::{Action as Event, History};
use todc_utils::specifications::Specification;

use super::instance::{Action, Answer, Registered, step};
use super::simplify::{Ending, Told};

/// What the search may still try before it gives up: it remembers all of it.
pub type Budget = Rc<Cell<u64>>;

pub struct Instance;

/// The state between two operations.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Moment {
    instance: Option<Registered>,
    /// How many of each kind of open operations have happened.
    happened: Vec<u16>,
    /// Everything that was answered has happened; what is still open never does.
    over: bool,
}

#[derive(Debug, Clone)]
pub struct Step {
    what: What,
    budget: Budget,
}

#[derive(Debug, Clone)]
enum What {
    Answered(Action, Answer),
    Seen(Action),
    /// Those of one kind are alike, so they may happen in the order of their requests.
    Open {
        action: Action,
        kind: usize,
        place: u16,
    },
    End,
}

impl Specification for Instance {
    type State = Moment;
    type Operation = Step;

    fn init() -> Moment {
        Moment { instance: None, happened: Vec::new(), over: false }
    }

    fn apply(step: &Step, moment: &Moment) -> (bool, Moment) {
        let left = step.budget.get();
        step.budget.set(left.saturating_sub(1));
        // With nothing more to try the search ends soon, and has found no story.
        let next = if left == 0 { None } else { step.what.next(moment) };
        match next {
            Some(next) => (true, next),
            None => (false, moment.clone()),
        }
    }
}

impl What {
    /// What is after it, if it can happen at that moment.
    fn next(&self, moment: &Moment) -> Option<Moment> {
        match self {
            What::Answered(action, answer) => {
                let (right, instance) = step(moment.instance, *action);
                (right == *answer).then(|| Moment { instance, ..moment.clone() })
            }
            What::Seen(action) => {
                let (_, instance) = step(moment.instance, *action);
                Some(Moment { instance, ..moment.clone() })
            }
            What::Open { action, kind, place } => open(moment, *action, *kind, *place),
            What::End => Some(Moment { over: true, ..moment.clone() }),
        }
    }
}

fn open(moment: &Moment, action: Action, kind: usize, place: u16) -> Option<Moment> {
    let mut next = moment.clone();
    if moment.over {
        return Some(next);
    }
    next.happened.resize(next.happened.len().max(kind + 1), 0);
    next.instance = step(moment.instance, action).1;
    // Whoever changes nothing may as well never happen.
    let changes = next.instance != moment.instance;
    let in_order = next.happened[kind] == place;
    next.happened[kind] += 1;
    (changes && in_order).then_some(next)
}

/// The history as the search reads it; `told` is in the order of requests.
pub fn history(told: &[Told], budget: &Budget) -> History<Step> {
    let mut events = Vec::new();
    let mut last = Duration::ZERO;
    let mut kinds: Vec<(Action, u16)> = Vec::new();
    for (process, told) in told.iter().enumerate() {
        let (what, end) = match told.ending {
            Ending::Answered(answer, returned) => (What::Answered(told.action, answer), Some(returned)),
            Ending::Seen(seen) => (What::Seen(told.action), Some(seen)),
            Ending::Open => (next_open(&mut kinds, told.action), None),
        };
        last = last.max(told.invoked).max(end.unwrap_or_default());
        events.push((told.invoked, process, what, end));
    }
    in_order(events, last, budget)
}

fn next_open(kinds: &mut Vec<(Action, u16)>, action: Action) -> What {
    let kind = kinds.iter().position(|(other, _)| *other == action).unwrap_or_else(|| {
        kinds.push((action, 0));
        kinds.len() - 1
    });
    let place = kinds[kind].1;
    kinds[kind].1 += 1;
    What::Open { action, kind, place }
}

/// Requests and answers by their times; at the same time a request comes first, as then the two
/// operations may have happened in either order.
fn in_order(
    operations: Vec<(Duration, usize, What, Option<Duration>)>,
    last: Duration,
    budget: &Budget,
) -> History<Step> {
    const REQUEST: u8 = 0;
    const ANSWER: u8 = 1;
    const END_REQUEST: u8 = 2;
    const END_ANSWER: u8 = 3;
    const NEVER: u8 = 4;
    let mut events = Vec::new();
    let end_process = operations.len();
    for (invoked, process, what, end) in operations {
        let step = Step { what, budget: budget.clone() };
        events.push((invoked, REQUEST, process, Event::Call(step.clone())));
        let answered = end.map_or((last, NEVER), |end| (end, ANSWER));
        events.push((answered.0, answered.1, process, Event::Response(step)));
    }
    let end = Step { what: What::End, budget: budget.clone() };
    events.push((last, END_REQUEST, end_process, Event::Call(end.clone())));
    events.push((last, END_ANSWER, end_process, Event::Response(end)));
    events.sort_by_key(|(time, rank, process, _)| (*time, *rank, *process));
    History::from_actions(events.into_iter().map(|(_, _, process, event)| (process, event)).collect())
}
