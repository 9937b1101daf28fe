//! One kind of fault: a cluster under load, the faults one by one, and the judgement.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::runtime::{Builder, Runtime};

use super::harness::{Cluster, Document, NodeSpec, Request, until};
use super::load::{self, LEASES, Load};
use super::record::Record;
use super::replay::{self, seed};
use super::watch::{self, Registered};
use super::{LEASE, LEASE_SECS};

pub const NODES: u64 = 3;
/// Instances per fault that are registered just before it and never renewed.
const DEAD_PER_FAULT: usize = 5;

pub struct Trial {
    name: String,
    // Dropped before the nodes it talks to.
    runtime: Runtime,
    pub cluster: Cluster,
    rng: StdRng,
    load: Load,
    record: Arc<Record>,
    registered: Arc<Registered>,
    dead: Vec<Document>,
    faults: usize,
}

impl Trial {
    pub fn start(name: &str) -> Self {
        Self::start_prepared(name, NODES, |_| {})
    }

    /// [`Trial::start`] with a cluster of another size.
    pub fn start_sized(name: &str, size: u64) -> Self {
        Self::start_prepared(name, size, |_| {})
    }

    /// [`Trial::start`] with what the nodes are started with changed before.
    pub fn start_prepared(name: &str, size: u64, prepare: impl FnOnce(&mut [NodeSpec])) -> Self {
        let seed = seed();
        // The test's name is still on the line.
        println!("\nchaos: {name}: SEED={seed}");
        let cluster = Cluster::start_in(replay::directory(name, seed), size, |specs| {
            for spec in specs.iter_mut() {
                spec.environment.push(("RS_REGISTRY_SELF_PRESERVATION".to_owned(), "false".to_owned()));
            }
            prepare(specs);
        });
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let addrs = cluster.addrs();
        let record = Arc::new(Record::new());
        let context = runtime.enter();
        let load = Load::start(&addrs, record.clone(), seed);
        until_renewed(&load, &record, Instant::now());
        let registered = Arc::new(first_registered(addrs[0]));
        watch::start(&addrs, &registered, &record);
        drop(context);
        let rng = StdRng::seed_from_u64(seed);
        let (dead, faults) = (Vec::new(), 0);
        Self { name: name.to_owned(), runtime, cluster, rng, load, record, registered, dead, faults }
    }

    /// Injects a fault and ends it, at some moment of the leases, with a few instances dead from its
    /// beginning on; then waits until every client was helped, and the dead are gone everywhere.
    pub fn fault<T>(&mut self, inject: impl FnOnce(&mut Self) -> T) -> T {
        thread::sleep(LEASE.mul_f32(self.rng.random::<f32>() / 4.0));
        self.register_dead();
        self.faults += 1;
        let injected = inject(self);
        self.recover();
        injected
    }

    /// Goes on for this long under the fault.
    pub fn hold(&self, duration: Duration) {
        thread::sleep(duration);
        self.record.assert_unviolated();
    }

    /// Waits until every client has renewed its lease, from now on.
    pub fn until_renewed(&self) {
        until_renewed(&self.load, &self.record, Instant::now());
    }

    /// Waits until a running node other than that at this place leads; returns its place.
    pub fn until_another_leads(&mut self, old: usize) -> usize {
        let nodes = &self.cluster.nodes;
        until("another node leads", || {
            let leads = |place: &usize| nodes[*place].view().is_ok_and(|view| view.leads());
            let others = (0..nodes.len()).filter(|place| *place != old);
            others.into_iter().find(leads).ok_or_else(|| "none does".to_owned())
        })
    }

    /// An instance of the load, which is renewed by its client all the time.
    pub fn live_document(&mut self) -> Document {
        load::document(self.rng.random_range(0..LEASES))
    }

    /// Prints what was done.
    ///
    /// # Panics
    /// When any lease of the load was lost at any node at any time, or the nodes do not agree.
    pub fn finish(mut self) {
        for addr in self.cluster.addrs() {
            let shown = self.shown(addr);
            assert!(shown == *self.registered, "{addr} does not show what was registered first: {shown:?}");
        }
        self.record.assert_unviolated();
        self.runtime.shutdown_background();
        self.cluster.assert_states_equal();
        println!(
            "chaos: {}: {} fault{}, {} leases, {} renewals, {} reads, 0 false expiries; {} dead leases ended; {}",
            self.name,
            self.faults,
            if self.faults == 1 { "" } else { "s" },
            grouped(LEASES as u64),
            grouped(self.record.renewals()),
            grouped(self.record.reads()),
            self.faults * DEAD_PER_FAULT,
            self.record.waits(),
        );
    }

    fn shown(&self, addr: SocketAddr) -> Registered {
        let response = Request::get("/eureka/apps").accept_json().expect(addr);
        watch::registered(&response.body, |id| self.registered.contains_key(id)).expect("a registry")
    }

    fn register_dead(&mut self) {
        let leader = self.cluster.leader();
        let addr = self.cluster.addrs()[leader];
        for number in 0..DEAD_PER_FAULT {
            let id = format!("dead-{}-{number}", self.faults);
            let document = Document::new("DEAD", &id).lease_secs(LEASE_SECS);
            assert_eq!(document.register().expect(addr).status, 204, "{id}");
            self.dead.push(document);
        }
    }

    fn recover(&mut self) {
        self.until_renewed();
        for document in self.dead.drain(..) {
            for addr in self.cluster.addrs() {
                until(&format!("{} ends at {addr}", document.id), || {
                    self.record.assert_unviolated();
                    match document.read().send(addr).map_err(|error| error.to_string())?.status {
                        404 => Ok(()),
                        status => Err(format!("answered {status}")),
                    }
                });
            }
        }
        self.record.assert_unviolated();
    }
}

fn until_renewed(load: &Load, record: &Record, since: Instant) {
    until("every client has renewed its lease", || {
        record.assert_unviolated();
        match load.unrenewed_since(since) {
            0 => Ok(()),
            unrenewed => Err(format!("{unrenewed} have not")),
        }
    });
}

fn first_registered(addr: SocketAddr) -> Registered {
    let response = Request::get("/eureka/apps?consistency=linearizable").accept_json().expect(addr);
    let registered = watch::registered(&response.body, |_| true).expect("a registry");
    assert_eq!(registered.len(), LEASES);
    registered
}

/// With a comma between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
