//! Clients at all nodes contend for a few instances while nodes are killed, paused, cut off and restarted;
//! what they saw has to be linearizable.
//!
//! A round has one fault, and instances of its own, so that each history is short enough to be judged. Plain
//! reads are left out: they may be outdated.

mod client;
mod history;
mod nemesis;
mod plan;
mod session;
mod tally;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use client::Client;
use history::{Done, History};
use nemesis::Nemesis;
use plan::{Choices, Fault, Faults, Role, Task};
use session::Session;
use tally::Tally;

use super::harness::{Cluster, applications, until};
use super::linearizability::{Action, Operation, Verdict, check, first_unexplained};
use super::network::Network;
use super::replay;
use super::skip::print_skipped;
use super::trial::NODES;

const NAME: &str = "contended";
/// Without `CHAOS_MINUTES`.
const DURATION: Duration = Duration::from_secs(90);
/// The last of them only reads.
const CLIENTS_PER_NODE: u64 = 4;
const INSTANCES: usize = 4;
/// After a fault, so that what it left behind is seen.
const AFTERMATH: Duration = Duration::from_secs(1);
/// How much is told of what was done before an answer that cannot be explained.
const TOLD: usize = 40;

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn contended_instances_are_linearizable() {
    let duration = duration();
    let seed = replay::seed();
    println!("\nchaos: {NAME}: SEED={seed}");
    let mut contest = Contest::start(seed);
    let begin = Instant::now();
    while begin.elapsed() < duration {
        contest.round();
    }
    contest.finish();
}

fn duration() -> Duration {
    match std::env::var("CHAOS_MINUTES") {
        Ok(minutes) => {
            let minutes: u32 =
                minutes.parse().unwrap_or_else(|error| panic!("CHAOS_MINUTES={minutes}: {error}"));
            Duration::from_secs(60) * minutes
        }
        Err(_) => DURATION,
    }
}

struct Contest {
    seed: u64,
    // Dropped before the nodes it talks to.
    runtime: Runtime,
    cluster: Cluster,
    network: Option<Network>,
    nemesis: Nemesis,
    faults: Faults,
    history: Arc<History>,
    tally: Tally,
    rounds: u64,
}

impl Contest {
    fn start(seed: u64) -> Self {
        let network = Network::build();
        if let Err(reason) = &network {
            print_skipped(&format!("{NAME}: partitions"), reason);
        }
        let network = network.ok();
        let wanted = if network.is_some() { |_| true } else { |fault: Fault| !fault.needs_network() };
        let cluster = Cluster::start_in(replay::directory(NAME, seed), NODES, |specs| {
            if let Some(network) = &network {
                network.place(specs);
            }
        });
        Self {
            seed,
            runtime: Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime"),
            nemesis: Nemesis::create(&cluster.scratch("faults.jsonl")),
            history: Arc::new(History::create(&cluster.scratch("history.jsonl"))),
            cluster,
            network,
            faults: Faults::new(seed, wanted),
            tally: Tally::default(),
            rounds: 0,
        }
    }

    /// Injects a fault while clients are at work, and judges what they saw.
    fn round(&mut self) {
        self.rounds += 1;
        let ids: Vec<String> = (0..INSTANCES).map(|number| format!("i-{}-{number}", self.rounds)).collect();
        let ids = Arc::new(ids);
        let stop = Arc::<AtomicBool>::default();
        let clients: Vec<_> = (0..NODES * CLIENTS_PER_NODE)
            .map(|number| {
                let role = if number / NODES == CLIENTS_PER_NODE - 1 { Role::Reads } else { Role::DoesAll };
                let choices = Choices::new(self.seed, self.rounds, (number, role), INSTANCES);
                let run = self.client(number).run(ids.clone(), choices, stop.clone());
                self.runtime.spawn(run)
            })
            .collect();
        let injection = self.faults.next().expect("faults without end");
        self.nemesis.inject(injection, &mut self.cluster, self.network.as_ref(), &self.history);
        self.cluster.leader();
        sleep(AFTERMATH);
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            self.runtime.block_on(client).expect("a client that comes to its end");
        }
        self.read_everywhere(&ids);
        self.judge();
        self.cluster.assert_states_equal();
    }

    fn client(&self, number: u64) -> Client {
        let node = &self.cluster.nodes[(number % NODES) as usize].spec;
        Client { number, node: node.id, session: Session::new(node.http), history: self.history.clone() }
    }

    /// What the round came to is part of its history.
    fn read_everywhere(&self, ids: &[String]) {
        for number in NODES * CLIENTS_PER_NODE..NODES * (CLIENTS_PER_NODE + 1) {
            let mut reader = self.client(number);
            for id in ids {
                until(&format!("node {} shows {id}", reader.node), || {
                    let answer = self.runtime.block_on(reader.operate(id, Task::patient(Action::Read)));
                    answer.ok_or_else(|| "no answer".to_owned())
                });
            }
        }
    }

    fn judge(&mut self) {
        for (id, done) in self.history.take() {
            let operations: Vec<Operation> = done.iter().map(|done| done.operation).collect();
            let begin = Instant::now();
            match check(&operations) {
                Verdict::Linearizable => self.tally.judged(&operations, begin.elapsed()),
                Verdict::NotLinearizable => self.refuse(&id, &done, &operations),
                Verdict::GaveUp => panic!(
                    "{id}: whether these {} operations are linearizable was not found out in {:?}: fewer of \
                     them on one instance, or more instances, make it possible",
                    operations.len(),
                    begin.elapsed()
                ),
            }
        }
    }

    fn refuse(&self, id: &str, done: &[Done], operations: &[Operation]) -> ! {
        let lines: Vec<String> =
            done.iter().map(|done| serde_json::to_string(done).expect("plain values")).collect();
        let file: PathBuf = self.cluster.scratch("not-linearizable.jsonl");
        fs::write(&file, lines.join("\n")).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let Some(first) = first_unexplained(operations) else {
            panic!("{id} is not linearizable; its history is {}", file.display());
        };
        let before = &lines[first.saturating_sub(TOLD)..first];
        panic!(
            "{id} is not linearizable; its history is {}. No order explains the answer to\n{}\nafter\n{}",
            file.display(),
            lines[first],
            before.join("\n")
        );
    }

    fn finish(mut self) {
        self.cluster.assert_states_equal();
        let addrs = self.cluster.addrs();
        let shown = applications(addrs[0]);
        for addr in &addrs {
            assert_eq!(applications(*addr), shown, "{addr} and {} show different registries", addrs[0]);
        }
        let injected = self.nemesis.injected.iter().map(|(fault, count)| format!("{count} {fault:?}"));
        let injected: Vec<String> = injected.collect();
        println!("chaos: {NAME}: {} faults: {}", self.rounds, injected.join(", "));
        println!("chaos: {NAME}: {}", self.tally);
        println!(
            "chaos: {NAME}: all nodes hold the same {} instances",
            shown.values().map(|app| app.len()).sum::<usize>()
        );
    }
}
