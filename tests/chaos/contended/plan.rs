//! What clients do and what breaks, and in which order: all of it follows from the seed.

use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

use crate::linearizability::{Action, Status, Version};

/// Longest pause of a client between two operations.
const PAUSE_MS: u64 = 25;
/// How long clients wait for an answer: most for longer than a node waits with its own, one in
/// [`IMPATIENT`] so briefly that a node under a fault answers too late.
const PATIENCE: Duration = Duration::from_millis(2500);
const IMPATIENCE_MS: Range<u64> = 20..500;
const IMPATIENT: u32 = 4;
/// Of a fault: around an election, and longer than a write waits.
const HOLD_MS: Range<u64> = 150..3000;
/// Before a fault, so that there is something to break.
const CALM_MS: Range<u64> = 300..1200;
const SET: [Status; 3] = [Status::OutOfService, Status::Down, Status::Up];
const SHOWN_AFTER: [Option<Status>; 2] = [None, Some(Status::Up)];

/// Every version has its client and its number among the client's.
const VERSIONS: u64 = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Fault {
    KillLeader,
    KillFollower,
    KillTwo,
    KillAll,
    PauseLeader,
    PauseFollower,
    PauseTwo,
    CutOffLeader,
    CutWhatLeaderSends,
    CutWhatLeaderGets,
    CutOffFollower,
    CutOffAll,
    RestartLeader,
    RestartFollower,
    RestartAll,
}

impl Fault {
    const ALL: [Self; 15] = [
        Self::KillLeader,
        Self::KillFollower,
        Self::KillTwo,
        Self::KillAll,
        Self::PauseLeader,
        Self::PauseFollower,
        Self::PauseTwo,
        Self::CutOffLeader,
        Self::CutWhatLeaderSends,
        Self::CutWhatLeaderGets,
        Self::CutOffFollower,
        Self::CutOffAll,
        Self::RestartLeader,
        Self::RestartFollower,
        Self::RestartAll,
    ];

    pub fn needs_network(self) -> bool {
        matches!(
            self,
            Self::CutOffLeader
                | Self::CutWhatLeaderSends
                | Self::CutWhatLeaderGets
                | Self::CutOffFollower
                | Self::CutOffAll
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injection {
    pub calm: Duration,
    pub fault: Fault,
    pub hold: Duration,
}

/// Faults without end: all of them in some order, then all in another.
pub struct Faults {
    rng: StdRng,
    deck: Vec<Fault>,
    wanted: fn(Fault) -> bool,
}

impl Faults {
    pub fn new(seed: u64, wanted: fn(Fault) -> bool) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), deck: Vec::new(), wanted }
    }
}

impl Iterator for Faults {
    type Item = Injection;

    fn next(&mut self) -> Option<Injection> {
        loop {
            if self.deck.is_empty() {
                self.deck = Fault::ALL.to_vec();
                self.deck.shuffle(&mut self.rng);
            }
            let fault = self.deck.pop()?;
            let calm = Duration::from_millis(self.rng.random_range(CALM_MS));
            let hold = Duration::from_millis(self.rng.random_range(HOLD_MS));
            // One that cannot be injected here takes its chances with it: the others stay as they were.
            if (self.wanted)(fault) {
                return Some(Injection { calm, fault, hold });
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    pub pause: Duration,
    pub task: Task,
    pub instance: usize,
}

/// One thing to do, and how long to wait for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    pub action: Action,
    pub patience: Duration,
}

impl Task {
    pub fn patient(action: Action) -> Self {
        Self { action, patience: PATIENCE }
    }
}

/// The choices of one client in one round, without end; they do not depend on any answer.
pub struct Choices {
    rng: StdRng,
    client: u64,
    role: Role,
    instances: usize,
    registrations: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    DoesAll,
    /// Never waits for a write, which takes until its end at a node that is cut off.
    Reads,
}

impl Choices {
    pub fn new(seed: u64, round: u64, (client, role): (u64, Role), instances: usize) -> Self {
        // A seed for each pair of them, and not the same for another pair.
        let mut rounds = StdRng::seed_from_u64(seed ^ (round << 32));
        let seed = rounds.random::<u64>() ^ client;
        Self { rng: StdRng::seed_from_u64(seed), client, role, instances, registrations: 0 }
    }

    fn action(&mut self) -> Action {
        let rng = &mut self.rng;
        match rng.random_range(0..100) {
            0..25 => {
                self.registrations += 1;
                Action::Register(Version(self.client * VERSIONS + self.registrations))
            }
            25..45 => Action::Renew,
            45..58 => Action::Cancel,
            58..70 => Action::SetOverride(SET[rng.random_range(0..SET.len())]),
            70..78 => Action::RemoveOverride(SHOWN_AFTER[rng.random_range(0..SHOWN_AFTER.len())]),
            _ => Action::Read,
        }
    }
}

impl Iterator for Choices {
    type Item = Choice;

    fn next(&mut self) -> Option<Choice> {
        let pause = Duration::from_millis(self.rng.random_range(0..PAUSE_MS));
        let instance = self.rng.random_range(0..self.instances);
        let action = match self.role {
            Role::DoesAll => self.action(),
            Role::Reads => Action::Read,
        };
        let mut task = Task::patient(action);
        if self.rng.random_ratio(1, IMPATIENT) {
            task.patience = Duration::from_millis(self.rng.random_range(IMPATIENCE_MS));
        }
        Some(Choice { pause, task, instance })
    }
}

#[test]
fn a_seed_is_the_same_plan_again() {
    let all = |seed| Faults::new(seed, |_| true).take(60).collect::<Vec<_>>();
    assert_eq!(all(7), all(7));
    assert_ne!(all(7), all(8));
    let without = Faults::new(7, |fault| !fault.needs_network()).take(20).collect::<Vec<_>>();
    let left: Vec<Injection> = all(7).into_iter().filter(|it| !it.fault.needs_network()).take(20).collect();
    assert_eq!(without, left);

    let choices =
        |round, client| Choices::new(7, round, (client, Role::DoesAll), 4).take(200).collect::<Vec<_>>();
    assert_eq!(choices(3, 5), choices(3, 5));
    assert_ne!(choices(3, 5), choices(3, 6));
    assert_ne!(choices(3, 5), choices(4, 5));
}
