//! What goes wrong, and when: all of it follows from the seed.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::host::{Host, Pace};
use super::rules::Rules;
use super::wire::{NodeId, Wire};
use rs_registry::raft::Role;

/// Before the first fault and after the last one, in milliseconds.
const QUIET_BEGIN_MS: u64 = 5000;
const QUIET_END_MS: u64 = 30_000;
/// The longest fault, beyond any lease.
const LONGEST_MS: u64 = 15_000;
const HOUR_MS: i64 = 3_600_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Kill(Whom),
    CutPower(Whom),
    Stop(Whom),
    Starve(Whom),
    Restart(Whom),
    Isolate(Whom),
    Mute(Whom),
    Deafen(Whom),
    StallDisk(Whom),
    SlowDisks,
    SlowNetwork,
    ShiftWallClock(Whom, i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whom {
    Leader,
    Follower,
    BothFollowers,
    All,
}

const KINDS: &[Kind] = &[
    Kind::Kill(Whom::Leader),
    Kind::Kill(Whom::Follower),
    Kind::Kill(Whom::All),
    Kind::CutPower(Whom::Leader),
    Kind::CutPower(Whom::BothFollowers),
    Kind::CutPower(Whom::All),
    Kind::Stop(Whom::Leader),
    Kind::Stop(Whom::Follower),
    Kind::Stop(Whom::BothFollowers),
    Kind::Stop(Whom::All),
    Kind::Starve(Whom::Leader),
    Kind::Starve(Whom::All),
    Kind::Restart(Whom::Leader),
    Kind::Restart(Whom::Follower),
    Kind::Isolate(Whom::Leader),
    Kind::Isolate(Whom::Follower),
    Kind::Isolate(Whom::All),
    Kind::Mute(Whom::Leader),
    Kind::Deafen(Whom::Leader),
    Kind::StallDisk(Whom::Leader),
    Kind::StallDisk(Whom::BothFollowers),
    Kind::StallDisk(Whom::All),
    Kind::SlowDisks,
    Kind::SlowNetwork,
    Kind::ShiftWallClock(Whom::Leader, HOUR_MS),
    Kind::ShiftWallClock(Whom::Leader, -HOUR_MS),
    Kind::ShiftWallClock(Whom::Follower, -HOUR_MS),
];

/// One fault, with whom it befell.
struct Fault {
    kind: Kind,
    begin_ms: u64,
    end_ms: u64,
    on: Vec<NodeId>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ahead,
    On,
    Over,
}

/// Brings on one fault after the other, at times two at once.
pub struct Faults {
    faults: Vec<Fault>,
    rng: StdRng,
    wire: Wire,
    rules: Rules,
    calm_since_ms: Option<u64>,
}

impl Faults {
    pub fn new(seed: u64, run_ms: u64, wire: Wire, rules: Rules) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut faults = Vec::new();
        let mut begin_ms = QUIET_BEGIN_MS;
        while begin_ms + QUIET_END_MS < run_ms {
            let kind = *KINDS.choose(&mut rng).unwrap_or(&Kind::SlowDisks);
            let latest_ms = run_ms - QUIET_END_MS;
            let end_ms = (begin_ms + rng.random_range(300..LONGEST_MS)).min(latest_ms);
            faults.push(Fault { kind, begin_ms, end_ms, on: Vec::new(), state: State::Ahead });
            begin_ms = match rng.random_bool(0.3) {
                true => rng.random_range(begin_ms..=end_ms) + 100,
                false => end_ms + rng.random_range(500..20_000),
            };
        }
        Self { faults, rng, wire, rules, calm_since_ms: Some(0) }
    }

    /// Since when nothing is wrong; None while something is.
    pub fn calm_since_ms(&self) -> Option<u64> {
        self.calm_since_ms
    }

    pub fn step(&mut self, now_ms: u64, hosts: &mut [Host]) {
        for place in 0..self.faults.len() {
            let Fault { begin_ms, end_ms, state, .. } = self.faults[place];
            match state {
                State::Ahead if begin_ms <= now_ms => self.begin(place, hosts),
                State::On if end_ms <= now_ms => self.end(place, hosts),
                _ => continue,
            }
            let wrong = self.faults.iter().any(|fault| fault.state == State::On);
            self.calm_since_ms = (!wrong).then_some(now_ms);
        }
    }

    fn begin(&mut self, place: usize, hosts: &mut [Host]) {
        let kind = self.faults[place].kind;
        let on = chosen(kind, hosts);
        self.rules.trace(format!("{kind:?} at {on:?} begins"));
        for host in hosts.iter_mut().filter(|host| on.contains(&host.id)) {
            self.bring_on(kind, host);
        }
        let fault = &mut self.faults[place];
        (fault.on, fault.state) = (on, State::On);
    }

    fn bring_on(&mut self, kind: Kind, host: &mut Host) {
        match kind {
            Kind::Kill(_) => host.kill(),
            Kind::CutPower(_) => {
                let rng = &mut self.rng;
                host.cut_power(|writes| rng.random_range(0..=writes));
            }
            Kind::Stop(_) => host.set_pace(Pace::Stopped),
            Kind::Starve(_) => host.set_pace(Pace::Starved(self.rng.random_range(5..100))),
            Kind::Restart(_) => host.terminate(),
            Kind::Isolate(_) | Kind::Mute(_) | Kind::Deafen(_) => self.ways(kind, host.id, true),
            Kind::StallDisk(_) => host.disk.stall(true),
            Kind::SlowDisks => host.disk.set_speed(self.rng.random_range(20..400)),
            Kind::SlowNetwork => self.wire.slow_down(self.rng.random_range(5..40)),
            Kind::ShiftWallClock(_, by_ms) => host.shift_wall_clock(by_ms),
        }
    }

    fn end(&mut self, place: usize, hosts: &mut [Host]) {
        let Fault { kind, ref on, .. } = self.faults[place];
        self.rules.trace(format!("{kind:?} at {on:?} is over"));
        for host in hosts.iter_mut().filter(|host| on.contains(&host.id)) {
            self.put_right(kind, host);
        }
        self.faults[place].state = State::Over;
    }

    fn put_right(&self, kind: Kind, host: &mut Host) {
        match kind {
            Kind::Kill(_) => host.start(),
            Kind::CutPower(_) => host.restore_power(),
            Kind::Stop(_) | Kind::Starve(_) => host.set_pace(Pace::Free),
            Kind::Restart(_) => {
                if host.runs() {
                    host.kill();
                }
                host.start();
            }
            Kind::Isolate(_) | Kind::Mute(_) | Kind::Deafen(_) => self.ways(kind, host.id, false),
            Kind::StallDisk(_) => host.disk.stall(false),
            Kind::SlowDisks => host.disk.set_speed(0),
            Kind::SlowNetwork => self.wire.slow_down(0),
            Kind::ShiftWallClock(_, by_ms) => host.shift_wall_clock(-by_ms),
        }
    }

    /// Cuts or heals the ways between a node and the others.
    fn ways(&self, kind: Kind, node: NodeId, cut: bool) {
        for other in (1..=3).filter(|other| *other != node) {
            let out = !matches!(kind, Kind::Deafen(_));
            let back = !matches!(kind, Kind::Mute(_));
            for (from, to, wanted) in [(node, other, out), (other, node, back)] {
                match (wanted, cut) {
                    (false, _) => {}
                    (true, true) => self.wire.cut(from, to),
                    (true, false) => self.wire.heal(from, to),
                }
            }
        }
    }
}

/// Those of whom a fault speaks that nothing is wrong with yet.
fn chosen(kind: Kind, hosts: &[Host]) -> Vec<NodeId> {
    let whom = match kind {
        Kind::Kill(whom)
        | Kind::CutPower(whom)
        | Kind::Stop(whom)
        | Kind::Starve(whom)
        | Kind::Restart(whom)
        | Kind::Isolate(whom)
        | Kind::Mute(whom)
        | Kind::Deafen(whom)
        | Kind::StallDisk(whom)
        | Kind::ShiftWallClock(whom, _) => whom,
        Kind::SlowDisks | Kind::SlowNetwork => Whom::All,
    };
    let leads =
        |host: &&Host| host.consensus().is_some_and(|consensus| consensus.status().role == Role::Leader);
    let well = || hosts.iter().filter(|host| host.is_well());
    let followers = || well().filter(|host| !leads(host)).map(|host| host.id);
    match whom {
        Whom::Leader => well().filter(leads).map(|host| host.id).take(1).collect(),
        Whom::Follower => followers().take(1).collect(),
        Whom::BothFollowers => followers().collect(),
        Whom::All => well().map(|host| host.id).collect(),
    }
}
