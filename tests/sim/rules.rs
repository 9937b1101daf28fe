//! What must hold whatever happens. Clients tell what they did and saw; the nodes are looked at every
//! few milliseconds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rs_registry::raft::Role;
use rs_registry::registry::{AppName, InstanceId, Key};

use super::client::APP;
use super::host::Host;
use super::wire::NodeId;

/// An instance is to be gone at most so long after its duration.
const MOST_LATE_MS: u64 = 1000;
/// How long a request that was given up may still be decided.
const STILL_DECIDED_MS: u64 = 2500;

/// Clones are the same rules.
#[derive(Clone, Default)]
pub struct Rules(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    /// How long who is dead may be kept, beside the duration of the lease.
    hold_ms: u64,
    deviant: Option<NodeId>,
    now_ms: u64,
    /// Since when nothing is wrong with any node; None while something is.
    calm_since_ms: Option<u64>,
    instances: BTreeMap<String, Instance>,
    counts: BTreeMap<String, Count>,
    leaders: BTreeMap<u64, NodeId>,
    /// The leader of the highest term, and since when.
    led: Option<(u64, NodeId, u64)>,
    hashes: BTreeMap<u64, u64>,
    newest: u64,
    present: BTreeSet<String>,
    /// When the last such entry for an instance was committed.
    decided: BTreeMap<(String, Act), u64>,
    broken: Vec<String>,
    trace: Vec<String>,
}

/// What a client asks for that an entry of the log decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    Register,
    Renew,
    Cancel,
    PutMetadata,
    Override,
}

struct Instance {
    key: Key,
    duration_ms: u64,
    /// When the last renewal that was acknowledged was sent.
    sent_ms: u64,
    /// When a request last got no answer, or none that says what became of it: it may still be under way.
    failed_ms: Option<u64>,
    standing: Standing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Registering,
    Live,
    /// Without a renewal since.
    Dead(u64),
    Cancelled,
}

#[derive(Default)]
struct Count {
    begun: u64,
    acknowledged: Option<u64>,
}

impl Instance {
    /// None while nobody can tell.
    fn settled_ms(&self, calm_since_ms: Option<u64>) -> Option<u64> {
        match self.failed_ms {
            None => Some(0),
            Some(failed_ms) => Some(failed_ms.max(calm_since_ms?) + STILL_DECIDED_MS),
        }
    }
}

impl Rules {
    /// Rules for a cluster that keeps who is dead for so long at most, in which one node may make another
    /// state of the log than the others.
    pub fn new(hold_ms: u64, deviant: Option<NodeId>) -> Self {
        let rules = Self::default();
        let mut seen = rules.seen();
        (seen.hold_ms, seen.deviant) = (hold_ms, deviant);
        drop(seen);
        rules
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn trace(&self, told: String) {
        let mut seen = self.seen();
        let now_ms = seen.now_ms;
        seen.trace.push(format!("{now_ms:>7} {told}"));
    }

    pub fn broken(&self, what: String) {
        self.trace(format!("BROKEN: {what}"));
        self.seen().broken.push(what);
    }

    pub fn registering(&self, id: &str, duration_ms: u64) {
        let key = Key::new(
            AppName::parse(APP).expect("an application's name"),
            InstanceId::parse(id).expect("an id"),
        );
        let instance =
            Instance { key, duration_ms, sent_ms: 0, failed_ms: None, standing: Standing::Registering };
        self.seen().instances.entry(id.to_owned()).or_insert(instance).standing = Standing::Registering;
    }

    /// An entry with this is committed.
    pub fn decided(&self, id: &str, act: Act, now_ms: u64) {
        self.seen().decided.insert((id.to_owned(), act), now_ms);
    }

    /// What a node says is decided, since it was asked for, is committed.
    fn answered(&self, id: &str, act: Act, sent_ms: u64) {
        let decided_ms = self.seen().decided.get(&(id.to_owned(), act)).copied();
        if decided_ms.is_none_or(|decided_ms| decided_ms < sent_ms) {
            self.broken(format!("{id} is answered to {act:?} of {sent_ms}, which was never committed"));
        }
    }

    /// A registration or renewal was acknowledged.
    pub fn kept(&self, id: &str, act: Act, sent_ms: u64) {
        self.trace(format!("{id} keeps its lease"));
        self.answered(id, act, sent_ms);
        if let Some(instance) = self.seen().instances.get_mut(id) {
            instance.sent_ms = sent_ms;
            instance.standing = Standing::Live;
        }
    }

    /// A renewal got a 404: by then the lease must have run out.
    pub fn refused(&self, id: &str, sent_ms: u64) {
        self.answered(id, Act::Renew, sent_ms);
        let (now_ms, end_ms) = {
            let seen = self.seen();
            (
                seen.now_ms,
                seen.instances.get(id).map_or(0, |instance| instance.sent_ms + instance.duration_ms),
            )
        };
        match now_ms < end_ms {
            true => self.broken(format!("{id} gets a 404 before its lease ends at {end_ms}")),
            false => self.trace(format!("{id} comes too late")),
        }
    }

    pub fn died(&self, id: &str, now_ms: u64) {
        self.trace(format!("{id} dies"));
        self.stands(id, Standing::Dead(now_ms));
    }

    pub fn cancelling(&self, id: &str) {
        self.stands(id, Standing::Cancelled);
    }

    pub fn cancelled(&self, id: &str, sent_ms: u64) {
        self.trace(format!("{id} is cancelled"));
        self.answered(id, Act::Cancel, sent_ms);
    }

    pub fn overridden(&self, id: &str, status: &str, sent_ms: u64) {
        self.trace(format!("{id} is {status}"));
        self.answered(id, Act::Override, sent_ms);
    }

    /// A request got no answer, or none that tells whether it was decided.
    pub fn failed(&self, id: &str, now_ms: u64) {
        if let Some(instance) = self.seen().instances.get_mut(id) {
            instance.failed_ms = Some(now_ms);
        }
    }

    /// Whether no request of a client can be under way any more, as far as it knows none is.
    pub fn is_settled(&self, id: &str) -> bool {
        let seen = self.seen();
        let settled_ms = seen.instances.get(id).map(|instance| instance.settled_ms(seen.calm_since_ms));
        settled_ms.is_none_or(|settled_ms| settled_ms.is_some_and(|settled_ms| settled_ms <= seen.now_ms))
    }

    fn stands(&self, id: &str, standing: Standing) {
        if let Some(instance) = self.seen().instances.get_mut(id) {
            instance.standing = standing;
        }
    }

    pub fn counting(&self, id: &str, number: u64) {
        self.seen().counts.entry(id.to_owned()).or_default().begun = number;
    }

    pub fn counted(&self, id: &str, number: u64, sent_ms: u64) {
        self.trace(format!("{id} counts {number}"));
        self.answered(id, Act::PutMetadata, sent_ms);
        self.seen().counts.entry(id.to_owned()).or_default().acknowledged = Some(number);
    }

    /// The last number acknowledged.
    pub fn least_count(&self, id: &str) -> Option<u64> {
        self.seen().counts.get(id)?.acknowledged
    }

    /// A linearizable read that began when `least` was acknowledged.
    pub fn read(&self, id: &str, node: NodeId, least: Option<u64>, number: u64) {
        let begun = self.seen().counts.get(id).map_or(0, |count| count.begun);
        if !(least.unwrap_or(0)..=begun).contains(&number) {
            self.broken(format!("node {node} reads {number} of {id}, not {least:?} to {begun}"));
        }
    }

    pub fn are_broken(&self) -> bool {
        !self.seen().broken.is_empty()
    }

    /// What was broken, and everything that happened.
    pub fn told(&self) -> (Vec<String>, Vec<String>) {
        let seen = self.seen();
        (seen.broken.clone(), seen.trace.clone())
    }

    /// Of the nodes that are as they should be.
    pub fn have_one_state(&self, hosts: &[Host]) -> bool {
        let state = |host: &Host| {
            let state = host.machine()?.applied_state();
            Some((state.index, state.state_hash))
        };
        let deviant = self.seen().deviant;
        let states: Vec<_> = hosts.iter().filter(|host| Some(host.id) != deviant).map(state).collect();
        states.iter().all(|state| state.is_some() && *state == states[0])
    }

    /// At the end, long after the last trouble: every client has its lease and every node the same.
    pub fn look_at_the_end(&self, hosts: &[Host]) {
        if !self.have_one_state(hosts) {
            self.broken("the nodes do not come to one state".to_owned());
        }
        let seen = self.seen();
        let kept = |instance: &&Instance| instance.standing == Standing::Live;
        let idle = seen.instances.iter().filter(|(_, instance)| {
            kept(instance) && instance.sent_ms + 2 * instance.duration_ms < seen.now_ms
        });
        let idle: Vec<String> = idle.map(|(id, _)| id.clone()).collect();
        drop(seen);
        for id in idle {
            self.broken(format!("{id} cannot renew, with nothing wrong any more"));
        }
    }

    /// Looks at all nodes.
    pub fn look(&self, now_ms: u64, hosts: &[Host]) {
        for host in hosts {
            self.look_at_end_of(host);
            self.look_at_leader(now_ms, host);
            self.look_at_state(host);
            self.look_at_removals(now_ms, host);
        }
        let calm_since_ms = self.seen().calm_since_ms;
        if let Some(calm_since_ms) = calm_since_ms {
            self.look_for_late(now_ms, hosts, calm_since_ms);
        }
    }

    /// What time it is, and since when nothing is wrong with any node; None while something is.
    pub fn at(&self, now_ms: u64, calm_since_ms: Option<u64>) {
        let mut seen = self.seen();
        seen.now_ms = now_ms;
        seen.calm_since_ms = calm_since_ms;
    }

    /// Nothing in a run is a reason for a node to end, or its Raft: not even a disk fails.
    fn look_at_end_of(&self, host: &Host) {
        let deviation = host.deviation().filter(|_| Some(host.id) != self.seen().deviant);
        if let Some(end) = deviation.map(ToString::to_string).or_else(|| host.failure()) {
            self.broken(format!("node {} ends: {end}", host.id));
        }
    }

    fn look_at_leader(&self, now_ms: u64, host: &Host) {
        let Some(status) = host.consensus().map(|consensus| consensus.status()) else {
            return;
        };
        if status.role != Role::Leader {
            return;
        }
        let mut seen = self.seen();
        let leader = *seen.leaders.entry(status.term).or_insert(host.id);
        let newer = seen.led.is_none_or(|(term, ..)| term < status.term);
        if newer {
            seen.led = Some((status.term, host.id, now_ms));
        }
        drop(seen);
        if newer {
            self.trace(format!("node {} leads in term {}", host.id, status.term));
        }
        if leader != host.id {
            self.broken(format!("nodes {leader} and {} lead in term {}", host.id, status.term));
        }
    }

    fn look_at_state(&self, host: &Host) {
        let Some(state) = host.machine().map(|machine| machine.applied_state()) else {
            return;
        };
        if Some(host.id) == self.seen().deviant {
            return;
        }
        let hash = *self.seen().hashes.entry(state.index).or_insert(state.state_hash);
        if hash != state.state_hash {
            self.broken(format!("node {} has another state at index {}", host.id, state.index));
        }
    }

    /// The state goes on from entry to entry: what is gone at the newest index was there before.
    fn look_at_removals(&self, now_ms: u64, host: &Host) {
        let Some(machine) = host.machine() else {
            return;
        };
        let index = machine.last_applied();
        let mut told = Vec::new();
        let mut seen = self.seen();
        if index <= seen.newest {
            return;
        }
        seen.newest = index;
        let present: BTreeSet<String> = machine.with_registry(|registry| {
            let instances = seen.instances.iter();
            let held = instances.filter(|(_, instance)| registry.get(&instance.key).is_some());
            held.map(|(id, _)| id.clone()).collect()
        });
        for id in seen.present.difference(&present) {
            let Instance { duration_ms, sent_ms, standing, .. } = seen.instances[id];
            let end_ms = sent_ms + duration_ms;
            told.push((id.clone(), standing != Standing::Cancelled && now_ms < end_ms, end_ms));
        }
        seen.present = present;
        drop(seen);
        for (id, early, end_ms) in told {
            match early {
                true => self.broken(format!("{id} is gone before its lease ends at {end_ms}")),
                false => self.trace(format!("{id} is gone")),
            }
        }
    }

    /// Who died is gone from every node in time, counted from the last trouble or election.
    fn look_for_late(&self, now_ms: u64, hosts: &[Host], calm_since_ms: u64) {
        let mut late = Vec::new();
        let seen = self.seen();
        let led_since_ms = seen.led.map_or(now_ms, |(.., since_ms)| since_ms);
        for (id, instance) in &seen.instances {
            let Standing::Dead(died_ms) = instance.standing else {
                continue;
            };
            let Some(settled_ms) = instance.settled_ms(Some(calm_since_ms)) else {
                continue;
            };
            let from_ms = died_ms.max(settled_ms).max(led_since_ms).max(calm_since_ms);
            if now_ms <= from_ms + instance.duration_ms + seen.hold_ms + MOST_LATE_MS {
                continue;
            }
            let held = hosts.iter().filter(|host| {
                host.machine().is_some_and(|machine| {
                    machine.with_registry(|registry| registry.get(&instance.key).is_some())
                })
            });
            late.extend(held.map(|host| format!("{id} died at {died_ms} and is still at node {}", host.id)));
        }
        drop(seen);
        for what in late {
            self.broken(what);
        }
    }
}
