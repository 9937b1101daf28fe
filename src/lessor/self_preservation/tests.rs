//! Self-preservation in simulated time: clients that renew, fall silent, and come back.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::lessor::deadlines::Known;
use crate::registry::Lease;
use crate::registry::arbitrary::key_of;

const TICK_MS: u64 = 250;
const DURATION_MS: u64 = 90_000;
const INTERVAL_MS: u64 = 30_000;
const HOLD_MS: u64 = 600_000;
/// From the end of a lease until it is found: its bucket, and the look after that.
const SLACK_MS: u64 = 2 * TICK_MS;

fn settings() -> SelfPreservationSettings {
    SelfPreservationSettings {
        enabled: true,
        threshold_percent: 15,
        window: Duration::from_millis(INTERVAL_MS),
        longest_hold: Duration::from_millis(HOLD_MS),
    }
}

/// A client, which renews every interval, at a phase of its own, unless it is silent.
struct Client {
    key: Key,
    phase_ms: u64,
    renewed_ms: u64,
}

struct World {
    settings: SelfPreservationSettings,
    deadlines: Deadlines,
    self_preservation: SelfPreservation,
    now_ms: u64,
    renew_seq: u64,
    clients: Vec<Client>,
    silent: BTreeSet<usize>,
    /// When each lease ended, and how long after its last renewal.
    ended: BTreeMap<usize, (u64, u64)>,
    begun: usize,
}

impl World {
    /// Clients of applications of these sizes, who all have renewed a while.
    fn new(settings: SelfPreservationSettings, sizes: &[usize]) -> Self {
        let mut world = Self {
            settings,
            deadlines: Deadlines::new(Duration::from_millis(TICK_MS), settings.window),
            self_preservation: SelfPreservation::new(settings),
            now_ms: 0,
            renew_seq: 0,
            clients: Vec::new(),
            silent: BTreeSet::new(),
            ended: BTreeMap::new(),
            begun: 0,
        };
        for (app, size) in sizes.iter().enumerate() {
            for id in 0..*size {
                let key = key_of(&format!("APP-{app}"), &format!("id-{id}"));
                // Some that come one after the other, some together.
                let phase_ms = (world.clients.len() as u64 * 7_919) % INTERVAL_MS / TICK_MS * TICK_MS;
                world.clients.push(Client { key, phase_ms, renewed_ms: 0 });
            }
        }
        for place in 0..world.clients.len() {
            world.renew(place);
        }
        world.pass(2 * DURATION_MS);
        world
    }

    fn renew(&mut self, place: usize) {
        self.renew_seq += 1;
        let client = &mut self.clients[place];
        client.renewed_ms = self.now_ms;
        let (duration_ms, renew_seq) = (DURATION_MS, self.renew_seq);
        let lease = Lease { duration_ms, renew_seq, ..Lease::default() };
        self.deadlines.renew(&client.key, &lease, Known::Renewed, self.now_ms);
    }

    fn pass(&mut self, length_ms: u64) {
        let end_ms = self.now_ms + length_ms;
        while self.now_ms < end_ms {
            self.now_ms += TICK_MS;
            for place in 0..self.clients.len() {
                let due = self.now_ms % INTERVAL_MS == self.clients[place].phase_ms;
                if due && !self.silent.contains(&place) && !self.ended.contains_key(&place) {
                    self.renew(place);
                }
            }
            self.look();
        }
    }

    /// One look, whose decisions all come through.
    fn look(&mut self) {
        let Decisions { expire, begin, tell, end, more: _ } =
            self.self_preservation.decide(&mut self.deadlines, self.now_ms);
        self.begun += begin.len();
        for (scope, silence) in begin.into_iter().chain(tell) {
            self.self_preservation.set(&scope, Some(silence));
        }
        for (scope, _) in end {
            self.self_preservation.set(&scope, None);
        }
        for (key, _) in expire {
            let place = self.clients.iter().position(|client| client.key == key).unwrap();
            let silent_for_ms = self.now_ms - self.clients[place].renewed_ms;
            self.deadlines.remove(&key);
            assert_eq!(self.ended.insert(place, (self.now_ms, silent_for_ms)), None);
        }
    }

    /// The leader dies; its successor knows what is in the log.
    fn change_leader(&mut self) {
        let in_force = self.self_preservation.in_force.clone();
        self.deadlines.clear();
        let mut clients = std::mem::take(&mut self.clients);
        for (place, client) in clients.iter_mut().enumerate() {
            if !self.ended.contains_key(&place) {
                let (duration_ms, renew_seq) = (DURATION_MS, 0);
                let lease = Lease { duration_ms, renew_seq, ..Lease::default() };
                self.deadlines.renew(&client.key, &lease, Known::Inherited, self.now_ms);
                client.renewed_ms = self.now_ms;
            }
        }
        self.clients = clients;
        self.self_preservation = SelfPreservation::new(self.settings);
        self.self_preservation.restart(in_force.into_iter());
    }

    fn silence(&mut self, places: Range<usize>) {
        self.silent.extend(places);
    }

    fn in_force(&self) -> Vec<String> {
        self.self_preservation.in_force.keys().map(ToString::to_string).collect()
    }

    /// That these leases have ended, each within this time after its last renewal.
    fn assert_ended(&self, places: Range<usize>, after_ms: Range<u64>) {
        for place in places {
            let (_, silent_for_ms) = self.ended.get(&place).unwrap_or_else(|| panic!("{place} is there"));
            assert!(after_ms.contains(silent_for_ms), "{place} ended after {silent_for_ms} ms");
        }
    }
}

const AT_ITS_DURATION: Range<u64> = DURATION_MS..DURATION_MS + SLACK_MS + 1;

#[test]
fn a_small_application_that_crashes_ends_at_its_duration() {
    for size in 1..=5 {
        let mut world = World::new(settings(), &[20, size, 10]);
        world.silence(20..20 + size);
        world.pass(DURATION_MS + INTERVAL_MS);
        world.assert_ended(20..20 + size, AT_ITS_DURATION);
        assert_eq!((world.ended.len(), world.begun), (size, 0));
    }
}

#[test]
fn one_instance_that_crashes_ends_at_its_duration() {
    for size in [2, 6, 7, 100] {
        let mut world = World::new(settings(), &[size]);
        world.silence(0..1);
        world.pass(DURATION_MS + INTERVAL_MS);
        world.assert_ended(0..1, AT_ITS_DURATION);
        assert_eq!((world.ended.len(), world.begun), (1, 0));
    }
}

#[test]
fn a_share_below_the_threshold_ends_at_its_duration() {
    let mut world = World::new(settings(), &[100, 100]);
    world.silence(0..15);
    world.pass(DURATION_MS + INTERVAL_MS);
    world.assert_ended(0..15, AT_ITS_DURATION);
    assert_eq!((world.ended.len(), world.begun), (15, 0));
}

#[test]
fn a_fifth_of_an_application_that_crashes_ends_within_the_longest_hold() {
    let mut world = World::new(settings(), &[20, 200]);
    world.silence(0..4);
    world.pass(DURATION_MS + INTERVAL_MS);
    assert_eq!(world.in_force(), ["application APP-0"]);
    assert!(world.ended.is_empty());
    world.pass(HOLD_MS);
    world.assert_ended(0..4, DURATION_MS + HOLD_MS..DURATION_MS + HOLD_MS + SLACK_MS + 1);
    assert_eq!(world.ended.len(), 4);
    world.pass(TICK_MS);
    assert!(world.in_force().is_empty(), "{:?}", world.in_force());
}

#[test]
fn a_cut_between_clients_and_cluster_ends_nobody_and_self_preservation_ends_with_it() {
    let mut world = World::new(settings(), &[1, 3, 3, 20]);
    world.silence(0..27);
    world.pass(DURATION_MS + HOLD_MS - INTERVAL_MS - TICK_MS);
    assert_eq!(world.in_force(), ["the cluster"]);
    world.silent.clear();
    world.pass(INTERVAL_MS + TICK_MS);
    assert!(world.in_force().is_empty(), "{:?}", world.in_force());
    world.pass(DURATION_MS + HOLD_MS);
    assert!(world.ended.is_empty());
}

#[test]
fn those_who_are_still_silent_at_the_end_have_a_whole_duration_to_come_back() {
    let mut world = World::new(settings(), &[20, 20]);
    world.silence(0..40);
    world.pass(DURATION_MS + INTERVAL_MS);
    world.silent = (0..2).collect();
    world.pass(INTERVAL_MS);
    assert!(world.in_force().is_empty(), "{:?}", world.in_force());
    world.pass(DURATION_MS - INTERVAL_MS);
    assert!(world.ended.is_empty());
    world.pass(INTERVAL_MS + SLACK_MS);
    assert_eq!(world.ended.keys().collect::<Vec<_>>(), [&0, &1], "they did not come back");
}

#[test]
fn switched_off_it_keeps_nobody_and_ends_what_another_leader_began() {
    let mut world = World::new(settings(), &[10, 10]);
    world.silence(0..20);
    world.pass(DURATION_MS + INTERVAL_MS);
    assert_eq!(world.in_force(), ["the cluster"]);
    world.settings.enabled = false;
    world.change_leader();
    world.pass(TICK_MS);
    assert!(world.in_force().is_empty());
    world.pass(DURATION_MS + SLACK_MS);
    world.assert_ended(0..20, AT_ITS_DURATION);
}

#[test]
fn a_new_leader_goes_on_until_it_has_heard_of_enough() {
    let mut world = World::new(settings(), &[10, 10]);
    world.silence(0..20);
    world.pass(DURATION_MS + INTERVAL_MS);
    world.change_leader();
    world.pass(DURATION_MS + INTERVAL_MS);
    assert_eq!((world.in_force(), world.begun), (vec!["the cluster".to_owned()], 1), "never ended");
    world.silent.clear();
    world.pass(INTERVAL_MS + TICK_MS);
    assert!(world.in_force().is_empty(), "{:?}", world.in_force());
    assert!(world.ended.is_empty());
}

#[test]
fn the_reason_is_told_anew_when_it_changes_but_not_at_every_look() {
    let mut world = World::new(settings(), &[20, 20]);
    world.silence(0..10);
    world.pass(DURATION_MS);
    let scope = Scope::Application(key_of("APP-0", "x").app);
    let told = world.self_preservation.in_force[&scope];
    assert_eq!(told, Silence { silent: 10, leases: 20 });
    world.silence(10..20);
    world.pass(DURATION_MS);
    assert_eq!(world.self_preservation.in_force[&scope], Silence { silent: 20, leases: 20 });
    let decisions = world.self_preservation.decide(&mut world.deadlines, world.now_ms + 1);
    assert_eq!(decisions, Decisions::default());
}

#[test]
fn an_end_that_did_not_come_through_is_proposed_again_and_keeps_nobody_meanwhile() {
    let mut world = World::new(settings(), &[20, 20]);
    world.silence(0..40);
    world.pass(DURATION_MS + INTERVAL_MS);
    assert_eq!(world.in_force(), ["the cluster"]);
    world.silent.clear();
    for place in 0..40 {
        world.renew(place);
    }
    for _ in 0..3 {
        world.now_ms += TICK_MS;
        let decisions = world.self_preservation.decide(&mut world.deadlines, world.now_ms);
        assert_eq!(decisions.end, [(Scope::Cluster, Ended::Quiet)]);
        assert!(!world.self_preservation.covers(&key_of("APP-0", "x").app));
    }
    world.look();
    assert!(world.in_force().is_empty(), "{:?}", world.in_force());
}

/// Parts of the clients that fall silent, each for a while.
fn cuts() -> impl Strategy<Value = Vec<(Range<usize>, u64)>> {
    let cut = (0..40_usize, 1..40_usize, 1..1_500_000_u64);
    vec(cut.prop_map(|(from, length, ms)| (from..(from + length).min(40), ms)), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever happens: nobody ends before its duration, and who stays silent ends within the longest
    /// hold, after which nothing is in force any more.
    #[test]
    fn no_lease_is_held_for_longer_than_the_longest_hold(cuts in cuts(), leader_changes in any::<bool>()) {
        let mut world = World::new(settings(), &[3, 5, 7, 10, 15]);
        let mut grace_ms = 0;
        for (silent, length_ms) in cuts {
            world.silent = silent.collect();
            world.pass(length_ms / TICK_MS * TICK_MS);
            if leader_changes {
                world.change_leader();
                grace_ms = DURATION_MS;
            }
        }
        world.pass(DURATION_MS + HOLD_MS + grace_ms + SLACK_MS + TICK_MS);
        for (place, (_, silent_for_ms)) in &world.ended {
            prop_assert!(*silent_for_ms >= DURATION_MS, "{place}: {silent_for_ms}");
            prop_assert!(*silent_for_ms <= DURATION_MS + HOLD_MS + SLACK_MS, "{place}: {silent_for_ms}");
        }
        for place in &world.silent {
            prop_assert!(world.ended.contains_key(place), "{place} stays");
        }
        prop_assert!(world.in_force().is_empty(), "{:?}", world.in_force());
    }

    /// A cut of everyone that is shorter than the longest hold, of registries of any shape that is not
    /// too small.
    #[test]
    fn a_cut_of_all_clients_ends_nobody(
        sizes in vec(1..8_usize, 2..10),
        length_ms in 1..DURATION_MS + HOLD_MS - INTERVAL_MS,
    ) {
        let all: usize = sizes.iter().sum();
        prop_assume!(all >= 6);
        let mut world = World::new(settings(), &sizes);
        world.silence(0..all);
        world.pass(length_ms / TICK_MS * TICK_MS);
        world.silent.clear();
        world.pass(DURATION_MS + INTERVAL_MS);
        prop_assert!(world.ended.is_empty(), "{:?}", world.ended);
        prop_assert!(world.in_force().is_empty(), "{:?}", world.in_force());
    }
}
