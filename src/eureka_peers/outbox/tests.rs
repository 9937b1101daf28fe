use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::registry::arbitrary::{IDS, key_of};

const FULL: usize = 10;

fn key(id: &str) -> Key {
    key_of("APP", id)
}

fn outbox() -> Outbox {
    Outbox::up_to_date_at(100, 0)
}

fn keys(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.key.id.as_str()).collect()
}

#[test]
fn changes_leave_before_renewals_and_soon() {
    let (mut outbox, now) = (outbox(), Instant::now());
    assert_eq!(outbox.due(FULL), None);
    outbox.note(&key("r"), Deed::Renewed, 101, now);
    assert_eq!(outbox.due(FULL), Some(now + RENEWAL_COMPANY));
    outbox.note(&key("c"), Deed::StatusSet, 102, now);
    assert_eq!(outbox.due(FULL), Some(now + CHANGE_COMPANY));
    assert_eq!(keys(&outbox.take(FULL)), ["c", "r"]);
}

#[test]
fn a_full_batch_waits_for_nobody() {
    let (mut outbox, now) = (outbox(), Instant::now());
    for number in 0..FULL {
        assert_ne!(outbox.due(FULL), Some(now));
        outbox.note(&key(&number.to_string()), Deed::Renewed, 101, now);
    }
    assert_eq!(outbox.due(FULL), Some(now));
}

#[test]
fn neither_changes_nor_renewals_keep_the_others_from_leaving() {
    let (mut outbox, now) = (outbox(), Instant::now());
    for number in 0..3 * FULL {
        outbox.note(&key(&format!("c{number}")), Deed::Registered, 101, now);
        outbox.note(&key(&format!("r{number}")), Deed::Renewed, 101, now);
    }
    let taken = outbox.take(FULL);
    let changes = taken.iter().filter(|entry| entry.told.is_change()).count();
    assert_eq!((changes, taken.len()), (FULL / 2, FULL));
    assert_eq!(outbox.len(), 6 * FULL);
}

#[test]
fn progress_is_up_to_what_still_has_to_be_told() {
    let (mut outbox, now) = (outbox(), Instant::now());
    assert_eq!(outbox.progress_ms(), Some(99));
    outbox.note(&key("a"), Deed::Registered, 110, now);
    outbox.note(&key("b"), Deed::Cancelled, 120, now);
    outbox.note(&key("a"), Deed::StatusSet, 130, now);
    // Renewals leave nothing behind.
    outbox.note(&key("c"), Deed::Renewed, 140, now);
    assert_eq!(outbox.progress_ms(), Some(109));
    let first = outbox.take(1);
    assert_eq!(outbox.progress_ms(), Some(109), "on its way is not there");
    outbox.put_back(first);
    outbox.arrived();
    assert_eq!(outbox.progress_ms(), Some(109), "not told");
    outbox.take(1);
    outbox.arrived();
    assert_eq!(outbox.progress_ms(), Some(119));
    outbox.take(FULL);
    outbox.arrived();
    assert_eq!((outbox.progress_ms(), outbox.len()), (Some(129), 0));
}

#[test]
fn a_server_that_was_never_told_has_no_progress_before_it_was_told_of_all() {
    let (mut outbox, now) = (outbox(), Instant::now());
    outbox.introduce(&key("a"), now);
    outbox.note(&key("b"), Deed::Registered, 110, now);
    assert_eq!(outbox.progress_ms(), None);
    assert_eq!(keys(&outbox.take(1)), ["a"]);
    assert_eq!(outbox.progress_ms(), None);
    outbox.arrived();
    assert_eq!(outbox.progress_ms(), Some(109));
}

#[test]
fn what_finds_no_room_is_remembered_as_missing() {
    let (mut outbox, now) = (outbox(), Instant::now());
    for number in 0..MOST_WAITING {
        outbox.note(&key(&number.to_string()), Deed::Registered, 200, now);
    }
    outbox.note(&key("renewed"), Deed::Renewed, 210, now);
    outbox.note(&key("late"), Deed::Registered, 220, now);
    outbox.note(&key("later"), Deed::Registered, 230, now);
    assert_eq!(outbox.len(), MOST_WAITING);
    assert!(!outbox.lacks_some(), "there is something to tell first");
    outbox.take(MOST_WAITING);
    outbox.arrived();
    assert!(outbox.lacks_some());
    assert_eq!(outbox.progress_ms(), Some(219));
}

#[test]
fn of_all_instances_there_are_first_words() {
    let (mut outbox, now) = (outbox(), Instant::now());
    (0..=MOST_WAITING).for_each(|number| outbox.introduce(&key(&number.to_string()), now));
    assert_eq!(outbox.len(), MOST_WAITING + 1);
    outbox.take(MOST_WAITING + 1);
    outbox.arrived();
    assert!(!outbox.lacks_some());
}

/// Something that happens to the outbox of a server.
#[derive(Debug, Clone)]
enum Act {
    Deed(&'static str, Deed),
    /// So many are sent; whether they arrive.
    Send(usize, bool),
}

fn act() -> impl Strategy<Value = Act> {
    let deed =
        select(vec![Deed::Registered, Deed::Renewed, Deed::StatusSet, Deed::StatusRemoved, Deed::Cancelled]);
    prop_oneof![
        3 => (select(IDS.to_vec()), deed).prop_map(|(id, deed)| Act::Deed(id, deed)),
        2 => (1..4_usize, any::<bool>()).prop_map(|(most, arrives)| Act::Send(most, arrives)),
    ]
}

proptest! {
    /// Whatever fails in between, each instance's deeds are told, in their order, and only once they are is it progress.
    #[test]
    fn nothing_is_forgotten_and_nothing_overtakes(acts in vec(act(), 1..40)) {
        let (mut outbox, now) = (outbox(), Instant::now());
        // What the server was not told yet: for each instance its deeds, with their times.
        let mut untold: BTreeMap<&str, Vec<(Deed, i64)>> = BTreeMap::new();
        for (at, act) in acts.into_iter().enumerate() {
            let at_ms = 101 + at as i64;
            match act {
                Act::Deed(id, deed) => {
                    outbox.note(&key(id), deed, at_ms, now);
                    untold.entry(id).or_default().push((deed, at_ms));
                }
                Act::Send(most, arrives) => {
                    let taken = outbox.take(most);
                    for entry in &taken {
                        let deeds = &untold[entry.key.id.as_str()];
                        let told = deeds.iter().fold(Told::default(), |told, (deed, _)| told.and(Told::of(*deed)));
                        prop_assert_eq!(entry.told, told);
                    }
                    match arrives {
                        true => taken.iter().for_each(|entry| drop(untold.remove(entry.key.id.as_str()))),
                        false => outbox.put_back(taken),
                    }
                    outbox.arrived();
                }
            }
            prop_assert_eq!(outbox.len(), untold.len());
            let is_change = |(deed, _): &&(Deed, i64)| *deed != Deed::Renewed;
            let oldest = untold.values().filter_map(|deeds| deeds.iter().find(is_change)).map(|(_, at_ms)| *at_ms).min();
            let progress_ms = outbox.progress_ms().unwrap();
            if let Some(oldest) = oldest {
                prop_assert!(progress_ms < oldest, "{} is told, and {} is not", progress_ms, oldest);
            }
            let waits = untold.values().flatten().next().is_some();
            prop_assert_eq!(outbox.due(FULL).is_some(), waits);
        }
    }
}
