//! Histories that are known to be good or bad, and long ones made by chance.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::check::check_within;
use super::*;

const OUT: Status = Status::OutOfService;

/// An operation from one millisecond to another.
fn operation(action: Action, from: u64, to: u64, outcome: Outcome) -> Operation {
    let (invoked, returned) = (Duration::from_millis(from), Duration::from_millis(to));
    Operation { action, invoked, returned, outcome }
}

fn done(action: Action, from: u64, to: u64) -> Operation {
    operation(action, from, to, Outcome::Answered(Answer::Done))
}

fn not_found(action: Action, from: u64, to: u64) -> Operation {
    operation(action, from, to, Outcome::Answered(Answer::NotFound))
}

fn unknown(action: Action, from: u64, to: u64) -> Operation {
    operation(action, from, to, Outcome::Unknown)
}

fn register(version: u64) -> Action {
    Action::Register(Version(version))
}

fn shown(version: u64, status: Status, overridden: Option<Status>, from: u64, to: u64) -> Operation {
    let registered = Registered { version: Version(version), status, overridden };
    operation(Action::Read, from, to, Outcome::Answered(Answer::Shown(registered)))
}

fn up(version: u64, from: u64, to: u64) -> Operation {
    shown(version, Status::Up, None, from, to)
}

/// The operation at this place is the first that cannot be explained.
#[track_caller]
fn assert_refused(operations: &[Operation], place: usize) {
    assert_eq!(check(operations), Verdict::NotLinearizable);
    assert_eq!(first_unexplained(operations), Some(place));
}

#[track_caller]
fn assert_accepted(operations: &[Operation]) {
    assert_eq!(check(operations), Verdict::Linearizable);
    assert_eq!(first_unexplained(operations), None);
}

#[test]
fn one_after_the_other() {
    assert_accepted(&[]);
    assert_accepted(&[
        not_found(Action::Renew, 0, 1),
        not_found(Action::Read, 2, 3),
        not_found(Action::SetOverride(OUT), 4, 5),
        done(register(1), 6, 7),
        done(Action::Renew, 8, 9),
        up(1, 10, 11),
        done(Action::SetOverride(OUT), 12, 13),
        done(register(2), 14, 15),
        shown(2, OUT, Some(OUT), 16, 17),
        done(Action::RemoveOverride(Some(Status::Up)), 18, 19),
        up(2, 20, 21),
        done(Action::Cancel, 22, 23),
        not_found(Action::Cancel, 24, 25),
        not_found(Action::RemoveOverride(None), 26, 27),
    ]);
}

#[test]
fn an_override_that_is_removed_without_a_status_asks_for_a_new_registration() {
    let life = [
        done(register(1), 0, 1),
        done(Action::SetOverride(OUT), 2, 3),
        done(Action::RemoveOverride(None), 4, 5),
        shown(1, Status::Unknown, None, 6, 7),
        not_found(Action::Renew, 8, 9),
        done(register(2), 10, 11),
        up(2, 12, 13),
        done(Action::Renew, 14, 15),
    ];
    assert_accepted(&life);
    let mut renewed = life;
    renewed[4] = done(Action::Renew, 8, 9);
    assert_refused(&renewed, 4);
}

#[test]
fn the_status_that_is_shown_already_is_no_override() {
    let set = [done(register(1), 0, 1), done(Action::SetOverride(Status::Up), 2, 3)];
    assert_accepted(&[set.as_slice(), &[up(1, 4, 5)]].concat());
    assert_refused(&[set.as_slice(), &[shown(1, Status::Up, Some(Status::Up), 4, 5)]].concat(), 2);
}

#[test]
fn concurrent_operations_happen_in_any_order() {
    for last in [1, 2] {
        assert_accepted(&[done(register(1), 0, 9), done(register(2), 0, 9), up(last, 10, 11)]);
        assert_accepted(&[done(register(1), 0, 9), done(register(2), 0, 9), up(last, 1, 2)]);
    }
    assert_accepted(&[
        done(register(1), 0, 1),
        done(Action::Cancel, 2, 9),
        up(1, 3, 4),
        not_found(Action::Renew, 5, 6),
    ]);
}

#[test]
fn an_outdated_read_is_refused() {
    assert_refused(&[done(register(1), 0, 1), done(register(2), 2, 3), up(1, 4, 5)], 2);
    // Two reads, of which the later is the older.
    assert_refused(&[done(register(1), 0, 1), done(register(2), 2, 9), up(2, 3, 4), up(1, 5, 6)], 3);
    assert_refused(&[done(register(1), 0, 1), done(Action::Cancel, 2, 3), up(1, 4, 5)], 2);
}

#[test]
fn a_lost_acknowledged_write_is_refused() {
    assert_refused(&[done(register(1), 0, 1), not_found(Action::Read, 2, 3)], 1);
    let overridden = [done(register(1), 0, 1), done(Action::SetOverride(OUT), 2, 3)];
    assert_refused(&[overridden.as_slice(), &[up(1, 4, 5)]].concat(), 2);
    // Nor does an override outlive its instance.
    let cancelled = [done(Action::Cancel, 4, 5), done(register(2), 6, 7), shown(2, OUT, Some(OUT), 8, 9)];
    assert_refused(&[overridden.as_slice(), &cancelled].concat(), 4);
}

#[test]
fn a_404_to_the_renewal_of_a_live_instance_is_refused() {
    assert_refused(&[done(register(1), 0, 1), not_found(Action::Renew, 2, 3)], 1);
    assert_refused(&[done(register(1), 0, 1), done(register(2), 2, 9), not_found(Action::Renew, 3, 4)], 2);
}

#[test]
fn a_cancel_that_works_twice_is_refused() {
    assert_refused(&[done(register(1), 0, 1), done(Action::Cancel, 2, 8), done(Action::Cancel, 3, 9)], 2);
    // A second registration by a sender who got no answer explains it.
    let explained = [
        done(register(1), 0, 1),
        unknown(register(2), 1, 2),
        done(Action::Cancel, 2, 8),
        done(Action::Cancel, 3, 9),
    ];
    assert_accepted(&explained);
}

#[test]
fn what_nobody_answered_happens_late_or_never() {
    let begin = [done(register(1), 0, 1), unknown(register(2), 2, 3), unknown(Action::Cancel, 2, 3)];
    for end in [
        vec![up(1, 4, 5)],
        vec![up(1, 4, 5), up(2, 6, 7)],
        vec![up(1, 4, 5), not_found(Action::Read, 6, 7), up(2, 8, 9)],
        vec![up(2, 4, 5), not_found(Action::Renew, 6, 7)],
    ] {
        assert_accepted(&[begin.as_slice(), &end].concat());
    }
}

#[test]
fn an_unanswered_write_that_shows_and_then_vanishes_is_refused() {
    let begin = [done(register(1), 0, 1), unknown(register(2), 2, 3)];
    assert_refused(&[begin.as_slice(), &[up(2, 4, 5), up(1, 6, 7)]].concat(), 3);
    assert_refused(&[begin.as_slice(), &[up(2, 4, 5), not_found(Action::Renew, 6, 7)]].concat(), 3);
    // It happens once: when it is gone it does not come back.
    let back = [up(2, 4, 5), done(Action::Cancel, 6, 7), up(2, 8, 9)];
    assert_refused(&[begin.as_slice(), &back].concat(), 4);
}

#[test]
fn each_unanswered_write_happens_once_at_most() {
    let cancels = [unknown(Action::Cancel, 2, 3), unknown(Action::Cancel, 2, 4)];
    let gone_twice = [
        not_found(Action::Read, 5, 6),
        done(register(2), 7, 8),
        not_found(Action::Read, 9, 10),
        done(register(3), 11, 12),
    ];
    let twice = [[done(register(1), 0, 1)].as_slice(), &cancels, &gone_twice].concat();
    assert_accepted(&twice);
    assert_refused(&[twice.as_slice(), &[not_found(Action::Read, 13, 14)]].concat(), 7);
}

#[test]
fn nothing_shows_before_it_was_sent_or_without() {
    assert_refused(&[up(1, 0, 1), done(register(1), 2, 3)], 0);
    assert_refused(&[up(1, 0, 1), unknown(register(1), 2, 3)], 0);
    assert_refused(&[operation(register(1), 0, 1, Outcome::NotSent), up(1, 2, 3)], 1);
}

#[test]
fn a_search_that_gives_up_says_so() {
    let life = [done(register(1), 0, 1), up(1, 2, 3)];
    assert_eq!(check_within(0, &life), Verdict::GaveUp);
}

#[test]
fn long_contended_histories_are_decided() {
    for seed in 0..3 {
        let mut history = played(seed, 9, 300);
        assert_eq!(check(&history), Verdict::Linearizable, "seed {seed}");
        let reads =
            history.iter().rposition(|operation| matches!(operation.answer(), Some(Answer::Shown(_))));
        let read = reads.expect("one of hundreds");
        let Outcome::Answered(Answer::Shown(registered)) = &mut history[read].outcome else { unreachable!() };
        registered.version = Version(0);
        assert_eq!(check(&history), Verdict::NotLinearizable, "seed {seed}");
    }
}

/// What clients would see of a right registry that leaves many of them without an answer, most at the
/// same times.
fn played(seed: u64, clients: u64, count: u64) -> Vec<Operation> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut free_us = vec![0; clients as usize];
    let mut played: Vec<(u64, Operation)> = Vec::new();
    for number in 0..count {
        let client = (0..free_us.len()).min_by_key(|client| free_us[*client]).expect("a client");
        let invoked = free_us[client] + rng.random_range(0..20_000);
        let out_of_order = (invoked / 1_000_000) % 3 == 2;
        let answered = !out_of_order || rng.random_bool(0.2);
        let takes = if answered { rng.random_range(500..30_000) } else { 400_000 };
        let happens = match (answered, rng.random_bool(0.5)) {
            (true, _) => invoked + rng.random_range(0..takes),
            (false, true) => invoked + rng.random_range(0..2_000_000),
            (false, false) => u64::MAX,
        };
        free_us[client] = invoked + takes;
        let (from, to) = (Duration::from_micros(invoked), Duration::from_micros(invoked + takes));
        let outcome = if answered { Outcome::Answered(Answer::Done) } else { Outcome::Unknown };
        let operation =
            Operation { action: any_action(&mut rng, number), invoked: from, returned: to, outcome };
        played.push((happens, operation));
    }
    played.sort_by_key(|(happens, _)| *happens);
    let mut instance = None;
    for (happens, operation) in &mut played {
        let (answer, next) = step(instance, operation.action);
        if *happens < u64::MAX {
            instance = next;
        }
        if operation.outcome != Outcome::Unknown {
            operation.outcome = Outcome::Answered(answer);
        }
    }
    played.into_iter().map(|(_, operation)| operation).collect()
}

fn any_action(rng: &mut StdRng, number: u64) -> Action {
    match rng.random_range(0..100) {
        0..25 => Action::Register(Version(number + 1)),
        25..45 => Action::Renew,
        45..58 => Action::Cancel,
        58..70 => Action::SetOverride([OUT, Status::Down, Status::Up][rng.random_range(0..3)]),
        70..78 => Action::RemoveOverride([None, Some(Status::Up)][rng.random_range(0..2)]),
        _ => Action::Read,
    }
}
