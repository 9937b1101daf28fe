//! A run: one node or three, their clients and what goes wrong, a millisecond at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rs_registry::simulated::simulate;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};

use super::client::{Access, Client, Letter};
use super::committed::Committed;
use super::faults::Faults;
use super::host::{Answer, Host};
use super::paused_runtime::paused_runtime;
use super::plant::Plant;
use super::rules::Rules;
use super::wire::{NodeId, Wire};

const THREE: &[NodeId] = &[1, 2, 3];
/// It has no peers whose silence could tell it that it was stopped.
const ONE: &[NodeId] = &[1];
/// Where clients are, on the network.
const CLIENTS: NodeId = 0;
/// How long a run is, in milliseconds.
pub const RUN_MS: u64 = 120_000;
/// How long the nodes may take to become the same, in milliseconds.
const SETTLE_MS: u64 = 1000;
/// How often the rules look.
const LOOK_EVERY_MS: u64 = 10;
/// How long self-preservation keeps who is dead, where it is on.
const LONGEST_HOLD_MS: u64 = 15_000;

/// What came of a run.
pub struct Run {
    pub broken: Vec<String>,
    pub trace: Vec<String>,
    /// How many nodes had compared their state with another's at the end.
    pub compared: usize,
    /// The nodes that ended because their state was another than the others'.
    #[cfg_attr(not(feature = "planted-bugs"), expect(dead_code, reason = "only with bugs of the program"))]
    pub stopped: Vec<NodeId>,
}

struct World {
    now_ms: Arc<AtomicU64>,
    wire: Wire,
    hosts: Vec<Host>,
    clients: Runtime,
    post: Post,
    faults: Faults,
    rules: Rules,
    committed: Committed,
}

/// Requests and answers between clients and nodes.
struct Post {
    letters: mpsc::UnboundedReceiver<Letter>,
    under_way: BTreeMap<(u64, u64), Item>,
    posted: u64,
    /// Requests that a node has, and their senders.
    served: Vec<(oneshot::Receiver<Answer>, oneshot::Sender<Answer>)>,
}

enum Item {
    Request(Box<Letter>),
    Answer(Answer, oneshot::Sender<Answer>),
}

/// Runs a seed until its end, or until a rule is broken.
pub fn run(seed: u64, plant: Plant) -> Run {
    simulate(seed);
    let mut rng = StdRng::seed_from_u64(seed);
    let nodes = if rng.random_bool(0.2) { ONE } else { THREE };
    let self_preservation = rng.random_bool(0.3);
    let rules = Rules::new(if self_preservation { LONGEST_HOLD_MS } else { 0 }, plant.deviant());
    let wire = Wire::new(rng.random());
    let (letters, received) = mpsc::unbounded_channel();
    let now_ms = Arc::new(AtomicU64::new(0));
    let access = Access { nodes: nodes.to_vec(), letters, now_ms: now_ms.clone(), rules: rules.clone() };
    let mut world = World {
        hosts: hosts(nodes, self_preservation, plant, &wire, &mut rng),
        clients: clients(&access, &mut rng),
        post: Post { letters: received, under_way: BTreeMap::new(), posted: 0, served: Vec::new() },
        faults: Faults::new(rng.random(), RUN_MS, wire.clone(), rules.clone()),
        now_ms,
        wire,
        rules: rules.clone(),
        committed: Committed::default(),
    };
    world.run();
    let (broken, trace) = rules.told();
    let compared = world.hosts.iter().filter(|host| host.compared_index() > 0).count();
    let stopped = world.hosts.iter().filter(|host| host.deviation().is_some()).map(|host| host.id).collect();
    Run { broken, trace, compared, stopped }
}

/// They make snapshots and install them often.
fn hosts(
    nodes: &[NodeId],
    self_preservation: bool,
    plant: Plant,
    wire: &Wire,
    rng: &mut StdRng,
) -> Vec<Host> {
    let (on, longest_hold_ms) = (self_preservation.to_string(), LONGEST_HOLD_MS.to_string());
    let settings = [
        ("self_preservation", on.as_str()),
        ("self_preservation_longest_hold_ms", &longest_hold_ms),
        ("snapshot_entries", "200"),
        ("snapshot_keep_entries", "50"),
    ];
    nodes.iter().map(|id| Host::new(*id, nodes, wire, rng.random(), plant, &settings)).collect()
}

fn clients(access: &Access, rng: &mut StdRng) -> Runtime {
    let runtime = paused_runtime(rng.random());
    let mut client = |id: &str| Client::new(id, access, rng.random());
    for place in 0..4 {
        runtime.spawn(client(&format!("keeper-{place}")).keep());
        runtime.spawn(client(&format!("mortal-{place}")).die_now_and_then());
    }
    for place in 0..2 {
        runtime.spawn(client(&format!("brinkman-{place}")).live_dangerously());
        runtime.spawn(client(&format!("canceller-{place}")).cancel_now_and_then());
        runtime.spawn(client(&format!("counter-{place}")).count());
        runtime.spawn(client(&format!("counter-{place}")).read_linearizable());
    }
    runtime.spawn(client("operated").override_now_and_then());
    runtime
}

impl World {
    fn run(&mut self) {
        for host in &mut self.hosts {
            host.start();
        }
        for now_ms in 1..=RUN_MS {
            self.step(now_ms);
            if now_ms % LOOK_EVERY_MS == 0 {
                self.rules.look(now_ms, &self.hosts);
                if self.rules.are_broken() {
                    return;
                }
            }
        }
        self.settle();
        self.rules.look_at_the_end(&self.hosts);
    }

    /// Has the nodes come to the same without clients that go on.
    fn settle(&mut self) {
        for now_ms in RUN_MS + 1..RUN_MS + SETTLE_MS {
            if self.rules.have_one_state(&self.hosts) {
                return;
            }
            self.wire.deliver(now_ms);
            for host in &mut self.hosts {
                host.step(now_ms);
            }
        }
    }

    fn step(&mut self, now_ms: u64) {
        self.now_ms.store(now_ms, Ordering::Relaxed);
        self.faults.step(now_ms, &mut self.hosts);
        self.rules.at(now_ms, self.faults.calm_since_ms());
        self.wire.deliver(now_ms);
        self.post.deliver(now_ms, &self.hosts);
        for host in &mut self.hosts {
            host.step(now_ms);
        }
        self.committed.look(now_ms, &self.hosts, &self.rules);
        self.clients.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        self.post.collect(now_ms, &self.wire);
    }
}

impl Post {
    fn deliver(&mut self, now_ms: u64, hosts: &[Host]) {
        while let Some(due) = self.under_way.first_entry().filter(|first| first.key().0 <= now_ms) {
            match due.remove() {
                Item::Answer(answer, reply) => drop(reply.send(answer)),
                Item::Request(letter) => {
                    let Letter { to, request, reply } = *letter;
                    let Some(host) = hosts.iter().find(|host| host.id == to) else {
                        continue;
                    };
                    let (answer, answered) = oneshot::channel();
                    host.serve(request, answer);
                    self.served.push((answered, reply));
                }
            }
        }
    }

    fn collect(&mut self, now_ms: u64, wire: &Wire) {
        while let Ok(letter) = self.letters.try_recv() {
            let due_ms = now_ms + wire.latency_ms(CLIENTS, letter.to);
            self.send(due_ms, Item::Request(Box::new(letter)));
        }
        let mut place = 0;
        while place < self.served.len() {
            match self.served[place].0.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) => place += 1,
                Ok(answer) => {
                    let (_, reply) = self.served.remove(place);
                    self.send(now_ms + wire.latency_ms(CLIENTS, CLIENTS), Item::Answer(answer, reply));
                }
                // The process is gone, and with it the connection.
                Err(oneshot::error::TryRecvError::Closed) => drop(self.served.remove(place)),
            }
        }
    }

    fn send(&mut self, due_ms: u64, item: Item) {
        self.posted += 1;
        self.under_way.insert((due_ms, self.posted), item);
    }
}
