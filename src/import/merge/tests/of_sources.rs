//! What several sources say, and what they do not say any more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::model::{key, listed};
use crate::import::listed::Listed;
use crate::import::merge::{DOUBT, Merged, Outcome};
use crate::import::source::Reading;
use crate::import::task::{Step, Task};
use crate::registry::{Key, Status};

type Instance = (Key, Arc<Listed>);

const SECOND: Duration = Duration::from_secs(1);

fn of(listed: &[Instance]) -> Reading {
    Reading { listed: listed.to_vec(), ..Reading::default() }
}

fn without(ids: &[&str]) -> Reading {
    Reading { deleted: ids.iter().map(|id| key("APP", id)).collect(), ..Reading::default() }
}

fn up(id: &str) -> Instance {
    listed(id, Status::Up, 1, 0)
}

/// Has all that there is to do answered with the same status.
fn answer(merged: &mut Merged, status: u16, now: Instant) -> Vec<Outcome> {
    let tasks = merged.tasks(now, 100);
    tasks.iter().map(|task| merged.answered(task, &vec![status; task.steps.len()], now)).collect()
}

/// Of two sources that list these instances, all of which are registered.
fn registered(one: &[Instance], other: &[Instance], now: Instant) -> Merged {
    let mut merged = Merged::new(2);
    merged.take_all(0, of(one), false, now);
    merged.take_all(1, of(other), false, now);
    answer(&mut merged, 200, now);
    assert_eq!(merged.open_count(), 0);
    merged
}

fn cancelled(merged: &Merged, now: Instant) -> Vec<Key> {
    let tasks = merged.tasks(now, 100).into_iter().filter(|task| task.steps == [Step::Cancel]);
    tasks.map(|task| task.key).collect()
}

#[test]
fn of_what_several_list_the_newest_counts_and_then_what_was_renewed_last() {
    let status_of = |one: &Instance, other: &Instance| {
        let mut merged = Merged::new(2);
        merged.take_all(0, of(std::slice::from_ref(one)), false, Instant::now());
        merged.take_all(1, of(std::slice::from_ref(other)), false, Instant::now());
        match &merged.tasks(Instant::now(), 100)[..] {
            [Task { steps, .. }] => match &steps[..] {
                [Step::Register(listed)] => listed.status(),
                steps => panic!("{steps:?}"),
            },
            tasks => panic!("{tasks:?}"),
        }
    };
    let (old, new) = (listed("i", Status::Down, 1, 9), listed("i", Status::Up, 2, 1));
    assert_eq!((status_of(&old, &new), status_of(&new, &old)), (Status::Up, Status::Up));
    let renewed = listed("i", Status::Starting, 2, 2);
    assert_eq!((status_of(&new, &renewed), status_of(&renewed, &new)), (Status::Starting, Status::Starting));
}

#[test]
fn an_override_is_set_after_the_registration_and_one_that_was_there_removed_before() {
    let now = Instant::now();
    let steps_from = |here: Option<Status>, status: Status, there: Option<Status>| {
        let (key, listed) = listed("i", status, 1, 0);
        let mut listed = Arc::unwrap_or_clone(listed);
        listed.registration.overridden = there;
        let task = Task::register(key, &Arc::new(listed), here);
        let word = |step: &Step| match step {
            Step::Register(_) => "register".to_owned(),
            Step::SetStatus(status) => format!("set {status}"),
            Step::RemoveStatus(status) => format!("remove to {status}"),
            step => panic!("{step:?}"),
        };
        task.steps.iter().map(word).collect::<Vec<_>>()
    };
    let (out, down) = (Some(Status::OutOfService), Some(Status::Down));
    assert_eq!(steps_from(None, Status::Up, None), ["register"]);
    assert_eq!(steps_from(None, Status::OutOfService, out), ["register", "set OUT_OF_SERVICE"]);
    assert_eq!(steps_from(out, Status::OutOfService, out), ["register", "set OUT_OF_SERVICE"]);
    assert_eq!(steps_from(out, Status::Up, None), ["remove to UP", "register"]);
    assert_eq!(steps_from(out, Status::Down, down), ["remove to DOWN", "register", "set DOWN"]);
    assert_eq!(steps_from(None, Status::Down, out), ["register", "set OUT_OF_SERVICE", "register"]);
    let (key, listed) = up("i");
    let mut merged = Merged::new(1);
    merged.take_all(0, of(&[(key.clone(), listed)]), false, now);
    let tasks = merged.tasks(now, 100);
    assert_eq!(merged.answered(&tasks[0], &[200], now), Outcome::Registered { overridden: false });
    assert!(merged.tasks(now, 100).is_empty());
}

#[test]
fn an_instance_is_cancelled_when_no_source_that_answers_lists_it() {
    let now = Instant::now();
    let mut merged = registered(&[up("both"), up("one")], &[up("both")], now);
    merged.take_delta(0, without(&["both", "one"]));
    assert_eq!(cancelled(&merged, now), [key("APP", "one")]);
    merged.take_delta(1, without(&["both"]));
    assert_eq!(cancelled(&merged, now), [key("APP", "both"), key("APP", "one")]);
    assert_eq!(answer(&mut merged, 404, now), [Outcome::Cancelled; 2]);
    assert_eq!((merged.instance_count(), merged.renewed_count()), (0, 0));

    let mut merged = registered(&[up("both")], &[up("both")], now);
    merged.take_silence(1, now);
    merged.take_delta(0, without(&["both"]));
    assert_eq!(cancelled(&merged, now), [key("APP", "both")]);
}

#[test]
fn what_a_silent_source_alone_listed_is_renewed_for_five_minutes() {
    let now = Instant::now();
    let mut merged = registered(&[up("both"), up("one")], &[up("both")], now);
    merged.take_silence(0, now);
    assert_eq!((merged.give_up(now + DOUBT - SECOND), merged.renewed_count()), (0, 2));
    assert_eq!(merged.tasks(now + DOUBT - SECOND, 100).len(), 2, "renewals");
    // Silent again and again, it is still the first silence that counts.
    merged.take_silence(0, now + DOUBT - SECOND);
    assert_eq!((merged.give_up(now + DOUBT), merged.renewed_count()), (1, 1));
    assert_eq!(cancelled(&merged, now + DOUBT), [], "it is left to its lease");
    merged.take_all(0, of(&[up("one")]), false, now + DOUBT);
    assert_eq!(answer(&mut merged, 200, now + DOUBT).len(), 2, "it comes back, and the other is renewed");
}

#[test]
fn a_source_that_comes_back_with_little_is_trusted_when_it_has_been_silent_no_more() {
    let now = Instant::now();
    let all: Vec<Instance> = (0..10).map(|number| up(&format!("i-{number}"))).collect();
    for (has_delta, listed) in [(true, 9), (false, 9), (true, 0), (false, 0)] {
        let mut merged = registered(&all, &[], now);
        merged.take_silence(0, now);
        merged.take_all(0, of(&all[..listed]), !has_delta, now + SECOND);
        assert_eq!(cancelled(&merged, now + SECOND), []);
        merged.take_all(0, of(&all), !has_delta, now + SECOND * 2);
        assert_eq!((merged.give_up(now + DOUBT * 2), merged.open_count()), (0, 0));
    }
}

#[test]
fn what_is_not_listed_any_more_is_gone_if_the_source_has_no_delta_that_would_tell() {
    let now = Instant::now();
    let all: Vec<Instance> = (0..10).map(|number| up(&format!("i-{number}"))).collect();
    let lacking = |gone: usize, has_delta: bool| {
        let mut merged = registered(&all, &[], now);
        merged.take_all(0, of(&all[gone..]), !has_delta, now);
        (cancelled(&merged, now).len(), merged.give_up(now + DOUBT))
    };
    assert_eq!(lacking(5, false), (5, 0));
    assert_eq!(lacking(5, true), (0, 5));
    assert_eq!(lacking(6, false), (0, 6), "so many at once is a restart");
}

#[test]
fn what_others_keep_here_is_left_alone_until_it_changes_there() {
    let now = Instant::now();
    let mut merged = Merged::new(1);
    merged.take_all(0, of(&[up("i")]), false, now);
    assert_eq!(answer(&mut merged, 409, now), [Outcome::Kept]);
    let later = now + Duration::from_secs(100);
    merged.take_delta(0, of(&[up("i")]));
    assert_eq!(merged.tasks(later, 100), []);
    merged.take_delta(0, of(&[listed("i", Status::Down, 2, 0)]));
    assert_eq!(answer(&mut merged, 200, later), [Outcome::Registered { overridden: false }]);
    let much_later = later + Duration::from_secs(100);
    assert_eq!(answer(&mut merged, 409, much_later), [Outcome::Kept], "a renewal");
    merged.take_delta(0, without(&["i"]));
    assert_eq!(
        (merged.tasks(much_later, 100), merged.instance_count()),
        (vec![], 0),
        "it is not ours to cancel"
    );
}

#[test]
fn what_is_lost_here_is_registered_again() {
    let now = Instant::now();
    let mut merged = registered(&[up("i")], &[], now);
    let later = now + Duration::from_secs(30);
    assert_eq!(answer(&mut merged, 404, later), [Outcome::Gone]);
    assert_eq!(answer(&mut merged, 200, later), [Outcome::Registered { overridden: false }]);
    assert_eq!(merged.tasks(later, 100), []);
    assert_eq!(answer(&mut merged, 200, later + Duration::from_secs(30)), [Outcome::Renewed]);
}

#[test]
fn what_is_here_already_is_only_renewed() {
    let now = Instant::now();
    let mut merged = Merged::new(1);
    merged.take_all(0, of(&[up("same"), up("other"), up("new")]), false, now);
    for instance in [up("same"), listed("other", Status::Down, 1, 0), up("ours")] {
        merged.find(&instance.0, instance.1);
    }
    assert_eq!((merged.found_count(), merged.instance_count()), (1, 3));
    let registered = Outcome::Registered { overridden: false };
    assert_eq!(answer(&mut merged, 200, now), [registered, registered, Outcome::Confirmed]);
    assert_eq!((merged.open_count(), merged.renewed_count()), (0, 3));
}

#[test]
fn half_of_what_is_done_at_once_are_renewals_that_are_due() {
    let now = Instant::now();
    let all: Vec<Instance> = (0..10).map(|number| up(&format!("i-{number}"))).collect();
    let mut merged = registered(&all, &[], now);
    let later = now + Duration::from_secs(30);
    let changed: Vec<Instance> = (20..30).map(|number| up(&format!("i-{number}"))).collect();
    merged.take_delta(0, of(&changed));
    let renewals = |max| {
        let tasks = merged.tasks(later, max);
        (tasks.len(), tasks.iter().filter(|task| matches!(task.steps[..], [Step::Renew(_)])).count())
    };
    assert_eq!(renewals(8), (8, 4));
    assert_eq!(renewals(14), (14, 7));
    assert_eq!(renewals(100), (20, 10));
}

#[test]
fn counts_that_differ_tell_that_not_all_is_known() {
    let now = Instant::now();
    let counting = |listed: &[Instance], counts: &str| Reading {
        counts: Some(counts.parse().expect("counts")),
        ..of(listed)
    };
    let mut merged = Merged::new(1);
    // It has one more than can be read.
    merged.take_all(0, counting(&[up("a")], "DOWN_1_UP_1_"), false, now);
    assert!(merged.take_delta(0, counting(&[up("b")], "DOWN_1_UP_2_")));
    assert!(merged.take_delta(0, of(&[])), "it does not count");
    assert!(!merged.take_delta(0, counting(&[], "DOWN_1_UP_3_")));
    assert!(!merged.take_delta(0, counting(&[], "UP_3_")));
    merged.take_all(0, counting(&[up("a"), up("b"), up("c")], "UP_3_"), false, now);
    assert!(merged.take_delta(0, counting(&[], "UP_3_")));
    assert!(
        !merged.take_delta(0, Reading { counts: Some("UP_3_".parse().expect("counts")), ..without(&["a"]) })
    );
}
