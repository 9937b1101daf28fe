//! Deadlines by the clock that they are told.

use super::*;
use crate::registry::{AppName, InstanceId};

fn key(id: &str) -> Key {
    Key::new(AppName::parse("app").unwrap(), InstanceId::parse(id).unwrap())
}

fn lease(duration_ms: u64, renew_seq: u64) -> Lease {
    Lease { duration_ms, renew_seq, ..Lease::default() }
}

fn deadlines() -> Deadlines {
    Deadlines::new(Duration::from_millis(100), Duration::from_secs(30))
}

fn due(deadlines: &mut Deadlines, now_ms: u64) -> Vec<(Key, u64)> {
    deadlines.due(now_ms).into_iter().map(|due| (due.key, due.renew_seq)).collect()
}

#[test]
fn a_lease_is_due_within_a_bucket_after_its_duration_and_never_before() {
    let mut deadlines = deadlines();
    deadlines.renew(&key("a"), &lease(1000, 1), Known::Renewed, 50);
    assert!(due(&mut deadlines, 1049).is_empty());
    assert_eq!(due(&mut deadlines, 1100), [(key("a"), 1)]);
}

#[test]
fn a_renewal_moves_the_deadline() {
    let mut deadlines = deadlines();
    deadlines.renew(&key("a"), &lease(1000, 1), Known::Renewed, 0);
    deadlines.renew(&key("a"), &lease(1000, 2), Known::Renewed, 900);
    assert!(due(&mut deadlines, 1800).is_empty());
    assert_eq!(due(&mut deadlines, 1900), [(key("a"), 2)]);
}

#[test]
fn a_shorter_duration_takes_effect_at_once() {
    let mut deadlines = deadlines();
    deadlines.renew(&key("a"), &lease(90_000, 1), Known::Renewed, 0);
    deadlines.renew(&key("a"), &lease(1000, 2), Known::Renewed, 0);
    assert_eq!(due(&mut deadlines, 1000), [(key("a"), 2)]);
    assert_eq!(due(&mut deadlines, 90_000), [(key("a"), 2)], "still undecided, so once more, not twice");
}

#[test]
fn an_expiry_that_was_not_decided_comes_up_again() {
    let mut deadlines = deadlines();
    deadlines.renew(&key("a"), &lease(1000, 1), Known::Renewed, 0);
    assert_eq!(due(&mut deadlines, 1000).len(), 1);
    assert!(due(&mut deadlines, 1900).is_empty());
    assert_eq!(due(&mut deadlines, 2000), [(key("a"), 1)]);
}

#[test]
fn a_removed_lease_is_forgotten() {
    let mut deadlines = deadlines();
    deadlines.renew(&key("a"), &lease(1000, 1), Known::Renewed, 0);
    deadlines.remove(&key("a"));
    assert!(due(&mut deadlines, 10_000).is_empty());
}

#[test]
fn a_key_that_comes_back_is_due_once() {
    let mut deadlines = deadlines();
    deadlines.renew(&key("a"), &lease(1000, 1), Known::Renewed, 0);
    deadlines.remove(&key("a"));
    deadlines.renew(&key("a"), &lease(1000, 2), Known::Renewed, 0);
    assert_eq!(due(&mut deadlines, 1000), [(key("a"), 2)]);
}

fn silent(deadlines: &Deadlines) -> u32 {
    deadlines.tallies().of(&Scope::Cluster).silent
}

#[test]
fn a_lease_is_silent_from_the_window_before_its_end_until_it_is_renewed() {
    let mut deadlines = deadlines();
    deadlines.renew(&key("a"), &lease(90_000, 1), Known::Renewed, 0);
    deadlines.renew(&key("b"), &lease(600_000, 1), Known::Renewed, 0);
    due(&mut deadlines, 59_900);
    assert_eq!(silent(&deadlines), 0);
    due(&mut deadlines, 60_000);
    assert_eq!(silent(&deadlines), 1);
    deadlines.renew(&key("a"), &lease(90_000, 2), Known::Renewed, 60_050);
    assert_eq!(silent(&deadlines), 0);
    due(&mut deadlines, 570_000);
    assert_eq!(silent(&deadlines), 2);
    deadlines.remove(&key("b"));
    assert_eq!(silent(&deadlines), 1);
}

#[test]
fn a_short_lease_is_silent_after_two_thirds_of_its_duration() {
    let mut deadlines = deadlines();
    deadlines.renew(&key("a"), &lease(3_000, 1), Known::Renewed, 0);
    due(&mut deadlines, 1_900);
    assert_eq!(silent(&deadlines), 0);
    due(&mut deadlines, 2_000);
    assert_eq!(silent(&deadlines), 1);
}

#[test]
fn a_held_lease_is_due_again_at_its_time_and_not_before() {
    let mut deadlines = deadlines();
    deadlines.renew(&key("a"), &lease(1_000, 1), Known::Renewed, 0);
    assert_eq!(due(&mut deadlines, 1_000), [(key("a"), 1)]);
    deadlines.hold(&key("a"), 200_000);
    assert!(due(&mut deadlines, 199_900).is_empty());
    let due = deadlines.due(200_000);
    assert_eq!(due, [Due { key: key("a"), renew_seq: 1, overdue_ms: 199_000 }]);
}

#[test]
fn a_renewal_ends_a_hold() {
    let mut deadlines = deadlines();
    deadlines.renew(&key("a"), &lease(1_000, 1), Known::Renewed, 0);
    due(&mut deadlines, 1_000);
    deadlines.hold(&key("a"), 200_000);
    deadlines.renew(&key("a"), &lease(1_000, 2), Known::Renewed, 5_000);
    assert_eq!(silent(&deadlines), 0);
    assert_eq!(due(&mut deadlines, 6_000), [(key("a"), 2)]);
    deadlines.release(&Scope::Cluster, |_| false, |_, _| 7_000);
    assert!(due(&mut deadlines, 6_900).is_empty(), "it was not held any more");
}

#[test]
fn what_is_released_is_due_when_it_is_told_to_be() {
    let mut deadlines = deadlines();
    for id in ["a", "b"] {
        deadlines.renew(&key(id), &lease(1_000, 1), Known::Renewed, 0);
    }
    due(&mut deadlines, 1_000);
    deadlines.hold(&key("a"), 200_000);
    deadlines.hold(&key("b"), 200_000);
    let other = Scope::Application(AppName::parse("other").unwrap());
    deadlines.release(&other, |_| false, |_, _| 2_000);
    deadlines.release(&Scope::Cluster, |app| app.as_str() == "APP", |_, _| 2_000);
    assert!(due(&mut deadlines, 2_000).is_empty());
    deadlines.release(&Scope::Cluster, |_| false, |ran_out_ms, duration_ms| ran_out_ms + 2 * duration_ms);
    assert!(due(&mut deadlines, 2_900).is_empty());
    assert_eq!(due(&mut deadlines, 3_000).len(), 2);
}

#[test]
fn what_is_left_over_is_known_wherever_the_first_look_ended() {
    let mut deadlines = deadlines();
    for place in 0..DUE_AT_ONCE {
        deadlines.renew(&key(&place.to_string()), &lease(1000, 1), Known::Renewed, 0);
    }
    deadlines.renew(&key("later"), &lease(1100, 1), Known::Renewed, 0);
    // Each is looked at once when it falls silent.
    assert!((0..1000).step_by(100).all(|now_ms| due(&mut deadlines, now_ms).is_empty()));
    assert_eq!(due(&mut deadlines, 1100).len(), DUE_AT_ONCE, "just all of the first bucket");
    assert!(deadlines.is_behind(1100));
    assert_eq!(due(&mut deadlines, 1100), [(key("later"), 1)]);
    assert!(!deadlines.is_behind(1100));
}
