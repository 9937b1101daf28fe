//! Sequences of requests.

use proptest::prelude::*;
use proptest::sample::select;

use super::action::{Action, Dirty, Item, Place, actions};
use super::step::{JSON, Manner, Step, XML};
use super::target::{Spelling, Target, spellings, targets};

/// Requests to one node about a few instances.
#[derive(Debug, Clone)]
pub struct Sequence {
    /// Which node is asked, modulo their number.
    pub node: usize,
    targets: Vec<Target>,
    steps: Vec<Drawn>,
}

/// A step as drawn: its target is a place among however many the sequence has.
#[derive(Debug, Clone)]
struct Drawn {
    about: usize,
    action: Action,
    manner: Manner,
}

impl Sequence {
    pub fn steps(&self) -> Vec<Step> {
        self.steps.iter().map(|drawn| drawn.resolve(&self.targets)).collect()
    }

    /// Reads of everything there is.
    pub fn closing_steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut read = |target: Target, place: Place, manner: Manner| {
            steps.push(Step { target, action: Action::Read { place }, manner, targets: Vec::new() });
        };
        let first = self.targets[0];
        let compact = |manner: Manner| Manner { eureka_accept: Some("compact"), ..manner };
        for place in [Place::Applications, Place::Delta] {
            for manner in [JSON, XML, compact(JSON), compact(XML)] {
                read(first, place, manner);
            }
        }
        for place in [Place::Vip("v1"), Place::Vip("v2"), Place::SecureVip("v1"), Place::SecureVip("v2")] {
            read(first, place, JSON);
        }
        for (at, target) in self.targets.iter().enumerate() {
            read(*target, Place::Instance, XML);
            read(*target, Place::InstanceById, JSON);
            if self.targets[..at].iter().all(|before| before.app() != target.app()) {
                read(*target, Place::Application, JSON);
                read(*target, Place::Application, XML);
            }
        }
        steps
    }
}

impl Drawn {
    fn resolve(&self, targets: &[Target]) -> Step {
        let target = targets[self.about % targets.len()];
        let mut action = playable(self.action.clone(), target, self.about);
        let mut of_items = Vec::new();
        if let Action::Batch { items } = &mut action {
            let alone = items.len() == 1;
            for item in items {
                let target = targets[item.about % targets.len()];
                of_items.push(target);
                // What is answered otherwise by listed difference stands alone.
                if !alone && item.action == "DeleteStatusOverride" {
                    item.dirty = item.dirty.or(Some(0));
                }
                if let Some(document) = item.document.take() {
                    let as_is = document.is_readable() || (alone && !document.derails(target));
                    item.document = Some(if as_is { document } else { document.sound() });
                }
                if !target.may_be_overridden() {
                    item.overridden = None;
                    item.action = without_override(item.action);
                }
            }
        }
        let mut manner = self.manner.clone();
        if matches!(action, Action::Batch { .. } | Action::BrokenBatch { .. }) {
            // Servers ask each other for nothing else.
            manner.accept = JSON.accept;
        }
        Step { target, action, manner, targets: of_items }
    }
}

/// What can be asked about this target in place of what was drawn.
fn playable(action: Action, target: Target, about: usize) -> Action {
    let by_path = !matches!(
        action,
        Action::Register { .. } | Action::Batch { .. } | Action::BrokenBatch { .. } | Action::Read { .. }
    );
    if by_path && !target.fits_a_path() {
        return Action::Batch { items: vec![in_batch(action, about)] };
    }
    let may_be_overridden = target.may_be_overridden();
    match action {
        Action::SetStatus { changed, replicated, .. } | Action::RemoveStatus { changed, replicated, .. }
            if !may_be_overridden =>
        {
            Action::Renew { changed, overridden: None, replicated, with_body: false }
        }
        Action::Renew { changed, replicated, with_body, .. } if !may_be_overridden => {
            Action::Renew { changed, overridden: None, replicated, with_body }
        }
        other => other,
    }
}

fn without_override(action: &'static str) -> &'static str {
    match action {
        "StatusUpdate" | "DeleteStatusOverride" => "Heartbeat",
        other => other,
    }
}

/// A change as a server would pass it on.
fn in_batch(action: Action, about: usize) -> Item {
    let (name, status, changed) = match action {
        Action::Cancel { .. } => ("Cancel", None, None),
        Action::SetStatus { value, changed, .. } => ("StatusUpdate", value, Some(changed)),
        Action::RemoveStatus { value, changed, .. } => ("DeleteStatusOverride", value, Some(changed)),
        Action::Renew { changed, .. } => ("Heartbeat", None, Some(changed)),
        _ => ("Heartbeat", None, None),
    };
    let dirty = changed.and_then(|changed| match changed.dirty {
        Some(Dirty::Number(number)) => Some(number),
        _ => None,
    });
    Item {
        about,
        spelling: Spelling::AsIs,
        action: name,
        dirty,
        dirty_as_text: false,
        status,
        overridden: None,
        document: None,
    }
}

pub fn sequences() -> impl Strategy<Value = Sequence> {
    let step =
        (0..4usize, actions(), manners()).prop_map(|(about, action, manner)| Drawn { about, action, manner });
    let steps = proptest::collection::vec(step, 1..31);
    (0..3usize, targets(), steps).prop_map(|(node, targets, steps)| Sequence { node, targets, steps })
}

fn manners() -> impl Strategy<Value = Manner> {
    let accept = prop_oneof![
        10 => Just(Some("application/json")),
        6 => Just(Some("application/xml")),
        2 => Just(None),
        1 => Just(Some("application/xml, application/json;q=0.5")),
        1 => Just(Some("APPLICATION/JSON")),
        2 => select(vec![
            "*/*",
            "application/*",
            "application/json, application/*+json",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
            "text/plain",
        ])
        .prop_map(Some),
    ];
    let eureka_accept = prop_oneof![
        8 => Just(None),
        2 => Just(Some("compact")),
        1 => select(vec!["COMPACT", "full", "[compact]"]).prop_map(Some),
    ];
    let regions = proptest::option::weighted(0.1, select(vec!["", "eu-west-1", "b,A"]));
    let flag = || proptest::bool::weighted(0.15);
    (accept, eureka_accept, flag(), regions, flag(), flag(), spellings()).prop_map(
        |(accept, eureka_accept, gzip, regions, v2, slash, spelling)| Manner {
            accept,
            eureka_accept,
            gzip,
            regions,
            v2,
            slash,
            spelling,
        },
    )
}
