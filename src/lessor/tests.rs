//! Leases in simulated time, with a process that is stopped now and then.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::deadlines::Due;
use super::*;
use crate::registry::arbitrary::{APPS, key_of, plain_instance};
use crate::registry::{Cause, Key, Lease, Origin};

/// Between two looks, each with a pulse of the clock before it.
const TICK_MS: u64 = 100;
const IDS: [&str; 4] = ["a", "b", "c", "d"];

/// What happens from one look at the time to the next.
#[derive(Debug, Clone)]
struct Interval {
    length_ms: u64,
    kind: Kind,
    /// In ascending order of when they happen.
    events: Vec<(u64, usize, Event)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// At most two ticks long.
    Regular,
    /// The process is stopped but for the first tick and the last moment.
    Stopped,
    /// Renewals may not reach us.
    OutOfTouch,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Renew { duration_ms: u64 },
    Remove,
}

fn interval() -> impl Strategy<Value = Interval> {
    let kind = prop_oneof![
        24 => Just((Kind::Regular, TICK_MS)),
        8 => (1..=2 * TICK_MS).prop_map(|length_ms| (Kind::Regular, length_ms)),
        1 => (10 * TICK_MS..1000 * TICK_MS).prop_map(|length_ms| (Kind::Stopped, length_ms)),
        1 => (1..50 * TICK_MS).prop_map(|length_ms| (Kind::OutOfTouch, length_ms)),
    ];
    let duration = select(vec![1, 1000, 1500, 3000, 5000]);
    let event = prop_oneof![
        6 => duration.prop_map(|duration_ms| Event::Renew { duration_ms }),
        1 => Just(Event::Remove),
    ];
    let events = prop_oneof![
        6 => Just(Vec::new()),
        1 => vec((0..=TICK_MS, any::<bool>(), 0..IDS.len(), event), 1..3),
    ];
    (kind, events).prop_map(|((kind, length_ms), events)| {
        let moment = |(early_ms, late, id, event): (u64, bool, usize, Event)| {
            let at_ms = if late { length_ms } else { early_ms.min(length_ms) };
            (at_ms, id, event)
        };
        let mut events: Vec<_> = events.into_iter().map(moment).collect();
        events.sort_by_key(|(at_ms, _, _)| *at_ms);
        Interval { length_ms, kind, events }
    })
}

/// A lease as someone sees it who was there all the time.
#[derive(Debug)]
struct Seen {
    renew_seq: u64,
    duration_ms: u64,
    /// Since it was renewed: time that passed, time that this process ran and was in touch, and how
    /// often it was stopped.
    passed_ms: u64,
    ran_ms: u64,
    stops: u64,
    renewed_out_of_touch: bool,
    reported: bool,
}

impl Seen {
    fn pass(&mut self, passed_ms: u64, kind: Kind) {
        self.passed_ms += passed_ms;
        match kind {
            Kind::Regular => self.ran_ms += passed_ms,
            Kind::Stopped => self.stops += 1,
            Kind::OutOfTouch => {}
        }
    }
}

struct World {
    start: Instant,
    now_ms: u64,
    next_seq: u64,
    clock: LeaseClock,
    deadlines: Deadlines,
    seen: [Option<Seen>; IDS.len()],
}

impl World {
    fn new() -> Self {
        let (start, tick) = (Instant::now(), Duration::from_millis(TICK_MS));
        let (clock, deadlines) =
            (LeaseClock::new(tick, start), Deadlines::new(tick, Duration::from_secs(30)));
        Self { start, now_ms: 0, next_seq: 1, clock, deadlines, seen: Default::default() }
    }

    fn instant(&self, after_ms: u64) -> Instant {
        self.start + Duration::from_millis(self.now_ms + after_ms)
    }

    fn live(&mut self, interval: &Interval) {
        let Interval { length_ms, kind, .. } = *interval;
        let mut renewed_at = [None; IDS.len()];
        for (at_ms, id, event) in &interval.events {
            let key = key_of("APP", IDS[*id]);
            match *event {
                Event::Renew { duration_ms } => {
                    self.renew(*id, &key, *at_ms, duration_ms, kind);
                    renewed_at[*id] = Some(*at_ms);
                }
                Event::Remove => {
                    self.deadlines.remove(&key);
                    self.seen[*id] = None;
                }
            }
        }
        for (seen, renewed_at) in self.seen.iter_mut().zip(renewed_at) {
            if let Some(seen) = seen {
                seen.pass(length_ms - renewed_at.unwrap_or(0), kind);
            }
        }
        let now = self.instant(length_ms);
        self.now_ms += length_ms;
        self.clock.pulse(now, kind != Kind::OutOfTouch);
        self.look(self.clock.at_last_pulse_ms());
    }

    fn renew(&mut self, id: usize, key: &Key, at_ms: u64, duration_ms: u64, kind: Kind) {
        let renew_seq = self.next_seq;
        self.next_seq += 1;
        let lease = Lease { duration_ms, renew_seq, ..Lease::default() };
        let clock_ms = self.clock.read_ms(self.instant(at_ms));
        self.deadlines.renew(key, &lease, Known::Renewed, clock_ms);
        let renewed_out_of_touch = kind == Kind::OutOfTouch;
        let (passed_ms, ran_ms, stops, reported) = (0, 0, 0, false);
        self.seen[id] =
            Some(Seen { renew_seq, duration_ms, passed_ms, ran_ms, stops, renewed_out_of_touch, reported });
    }

    fn look(&mut self, clock_ms: u64) {
        let due = self.deadlines.due(clock_ms);
        for (place, Due { key, renew_seq, .. }) in due.iter().enumerate() {
            assert!(due[..place].iter().all(|other| other.key != *key), "{key} is due twice at once");
            let id = IDS.iter().position(|id| key.id.as_str() == *id).unwrap();
            let seen = self.seen[id].as_mut().expect("only a lease that is there is due");
            assert_eq!(*renew_seq, seen.renew_seq);
            assert!(seen.passed_ms >= seen.duration_ms, "due before its duration: {seen:?}");
            let counted_at_most = seen.ran_ms + seen.stops * 2 * TICK_MS;
            assert!(counted_at_most >= seen.duration_ms, "due for a stop of the process: {seen:?}");
            seen.reported = true;
        }
        for seen in self.seen.iter().flatten() {
            // One tick for the bucket; the other is the one that may pass until the next look.
            let mut latest_ms = seen.duration_ms + TICK_MS;
            if seen.renewed_out_of_touch {
                latest_ms += 2 * TICK_MS;
            }
            assert!(seen.reported || seen.ran_ms < latest_ms, "should be due by now: {seen:?}");
        }
    }
}

proptest! {
    #[test]
    fn a_lease_is_due_after_its_duration_and_soon_after_it(intervals in vec(interval(), 1..200)) {
        let mut world = World::new();
        intervals.iter().for_each(|interval| world.live(interval));
    }

    /// A client that renews every third of the duration while we run, and cannot while we do not.
    #[test]
    fn no_stop_of_the_process_makes_a_lease_due_that_is_renewed_in_time(
        stops_ms in vec(0..600_000_u64, 1..20),
        after_stop in any::<bool>(),
    ) {
        let mut world = World::new();
        let renewal = |at_ms| vec![(at_ms, 0, Event::Renew { duration_ms: 3000 })];
        for stop_ms in stops_ms {
            for tick in 0..10 {
                let events = if tick == 0 { renewal(0) } else { Vec::new() };
                world.live(&Interval { length_ms: TICK_MS, kind: Kind::Regular, events });
            }
            let length_ms = 2 * TICK_MS + stop_ms;
            let events = if after_stop { renewal(length_ms) } else { Vec::new() };
            world.live(&Interval { length_ms, kind: Kind::Stopped, events });
            prop_assert!(!world.seen[0].as_ref().is_some_and(|seen| seen.reported));
        }
    }
}

fn lessor() -> Lessor {
    let settings = SelfPreservationSettings {
        enabled: false,
        threshold_percent: 15,
        window: Duration::from_secs(30),
        longest_hold: Duration::from_secs(600),
    };
    Lessor::new(Duration::from_millis(TICK_MS), settings)
}

fn lease(duration_ms: u64) -> Lease {
    Lease { duration_ms, renew_seq: 1, ..Lease::default() }
}

/// Of many, some at a time; and none any more once another node leads.
#[tokio::test(start_paused = true)]
async fn many_leases_end_a_few_at_a_time() {
    let lessor = lessor();
    assert!(lessor.decide().is_none(), "a follower decides nothing");
    lessor.lead(&Registry::default());
    assert!(!lessor.take_over(&Registry::default()));
    let keys: BTreeSet<Key> = (0..10_000).map(|place| key_of("APP", &place.to_string())).collect();
    for key in &keys {
        lessor.applied(&[Change::Renewed {
            key: key.clone(),
            lease: lease(1000),
            cause: Cause::Renewed(Origin::Client),
        }]);
    }
    let mut ended = BTreeSet::new();
    let mut most = 0;
    for _ in 0..40 {
        tokio::time::advance(PULSE).await;
        lessor.pulse(None);
        while let Some(Decisions { expire, more, .. }) = lessor.decide() {
            most = most.max(expire.len());
            for (key, _) in expire {
                lessor.applied(&[Change::Removed {
                    key: key.clone(),
                    cause: Cause::Cancelled(Origin::Client),
                }]);
                assert!(ended.insert(key), "it ends once");
            }
            if !more {
                break;
            }
        }
    }
    assert_eq!(ended, keys);
    assert!(most < 1000, "{most} at once");
    lessor.follow();
    assert!(lessor.decide().is_none(), "a former leader decides nothing");
}

/// Renewals that take so long may be given up by those who sent them, and then by this node.
#[tokio::test(start_paused = true)]
async fn leases_stand_still_while_no_write_is_decided() {
    let lessor = lessor();
    lessor.lead(&Registry::default());
    assert!(!lessor.take_over(&Registry::default()));
    lessor.applied(&[Change::Renewed {
        key: key_of("APP", "a"),
        lease: lease(1000),
        cause: Cause::Renewed(Origin::Client),
    }]);
    for (undecided, run_out) in [(Duration::from_secs(1), 0), (Duration::ZERO, 1)] {
        for _ in 0..100 {
            tokio::time::advance(PULSE).await;
            lessor.pulse(Hindrance::found(true, undecided));
        }
        let decisions = lessor.decide().unwrap();
        assert_eq!(decisions.expire.len(), run_out, "with writes undecided for {undecided:?}");
    }
}

/// What is applied to a registry that a new leader is taking over.
fn meanwhile() -> impl Strategy<Value = Vec<Vec<(usize, usize, u8)>>> {
    vec(vec((0..APPS.len(), 0..2 * TAKEN_OVER_AT_ONCE, 0..3_u8), 0..200), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    /// A new leader goes on while it takes leases over: in the end each has a deadline, and nothing else has one.
    #[test]
    fn all_leases_are_taken_over_whatever_is_applied_meanwhile(
        sizes in [0..2 * TAKEN_OVER_AT_ONCE, 0..2_usize, 0..2 * TAKEN_OVER_AT_ONCE],
        meanwhile in meanwhile(),
    ) {
        let lessor = lessor();
        let mut registry = Registry::default();
        let key = |app: usize, id: usize| key_of(APPS[app], &id.to_string());
        let register = |key: Key| Command::Register {
            instance: plain_instance(&key).into(),
            key,
            last_dirty_ms: None,
            origin: Origin::Client,
        };
        for (app, size) in sizes.into_iter().enumerate() {
            for id in 0..size {
                register(key(app, id)).apply(&mut registry, &mut Vec::new());
            }
        }
        lessor.lead(&registry);
        let (mut meanwhile, mut heard) = (meanwhile.into_iter(), BTreeSet::new());
        prop_assert!(lessor.decide().is_none(), "nothing before that");
        while lessor.take_over(&registry) || meanwhile.len() > 0 {
            for (app, id, act) in meanwhile.next().unwrap_or_default() {
                let (key, origin, mut changes) = (key(app, id), Origin::Client, Vec::new());
                let command = match act {
                    0 => register(key),
                    1 => Command::Cancel { key, origin },
                    _ => Command::Renew { key, last_dirty_ms: None, overridden: None, origin },
                };
                command.apply(&mut registry, &mut changes);
                lessor.applied(&changes);
                for change in changes {
                    match change {
                        Change::Put { key, .. } | Change::Renewed { key, .. } => drop(heard.insert(key)),
                        Change::Removed { key, .. } => drop(heard.remove(&key)),
                        _ => {}
                    }
                }
            }
        }
        prop_assert!(lessor.decide().is_some());
        let state = lessor.state();
        for (key, _) in registry.registrations() {
            prop_assert!(state.deadlines.has(&key), "{key}");
        }
        let tally = state.deadlines.tallies().of(&Scope::Cluster);
        prop_assert_eq!(tally.leases as usize, registry.instance_count());
        prop_assert_eq!((tally.leases - tally.unheard) as usize, heard.len());
    }
}
