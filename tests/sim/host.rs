//! One machine: its disks, its clocks, and the process of the node, which can be killed, stopped and
//! starved.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, Response};
use bytes::Bytes;
use http_body_util::BodyExt;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rs_registry::config::{Config, Flags};
use rs_registry::format::Formats;
use rs_registry::http::Site;
use rs_registry::lessor::Lessor;
use rs_registry::node::{Found, Replica};
use rs_registry::raft::{Consensus, Deviation, Machine};
use rs_registry::storage::{SnapshotDir, StateStore};
use rs_registry::wall_clock::WallClock;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::disk::Disk;
use super::paused_runtime::paused_runtime;
use super::plant::Plant;
use super::wire::{NodeId, SimConnector, Wire, peer_addr};

/// The wall clock when a run begins, in milliseconds since 1970.
const BEGIN_EPOCH_MS: i64 = 1_700_000_000_000;

pub struct Host {
    pub id: NodeId,
    pub disk: Disk,
    plant: Plant,
    wire: Wire,
    config: Config,
    dir: TempDir,
    /// What the wall clock shows.
    wall_ms: Arc<AtomicI64>,
    process: Option<Process>,
    pace: Pace,
    /// Milliseconds that passed while the process did not run.
    behind_ms: u64,
    power_cuts: u32,
    /// Why the process ended by itself, for good.
    deviation: Option<Deviation>,
    rng: StdRng,
}

struct Process {
    consensus: Consensus,
    site: Site,
    /// None once it stops.
    replica: Option<Replica>,
    stopping: Option<JoinHandle<()>>,
    runtime: Runtime,
}

/// What a client gets.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
}

/// How a process gets to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    Free,
    /// By SIGSTOP.
    Stopped,
    /// Only so many milliseconds of each half second.
    Starved(u64),
}

impl Host {
    pub fn new(
        id: NodeId,
        nodes: &[NodeId],
        wire: &Wire,
        seed: u64,
        plant: Plant,
        settings: &[(&str, &str)],
    ) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        Self {
            id,
            disk: Disk::with_flaw(plant.flaw()),
            plant,
            wire: wire.clone(),
            config: config(id, nodes, dir.path(), settings),
            dir,
            wall_ms: Arc::new(AtomicI64::new(BEGIN_EPOCH_MS)),
            process: None,
            pace: Pace::Free,
            behind_ms: 0,
            power_cuts: 0,
            deviation: None,
            rng: StdRng::seed_from_u64(seed),
        }
    }

    pub fn start(&mut self) {
        assert!(self.process.is_none(), "node {} is started twice", self.id);
        if self.deviation.is_some() {
            return;
        }
        self.plant.run_program_of(self.id, self.wall_ms.load(Ordering::Relaxed));
        let runtime = paused_runtime(self.rng.random());
        let wall_ms = self.wall_ms.clone();
        let tick = Duration::from_millis(self.config.lease_tick_ms);
        let replica = runtime.block_on(async {
            let lessor = Arc::new(Lessor::new(tick, self.config.self_preservation_settings()));
            let store = open_state(&self.dir.path().join(format!("state-{}", self.power_cuts)));
            let stored = store.load().expect("a stored state");
            let snapshots =
                SnapshotDir::open(&self.dir.path().join("snapshot"), Formats::THIS).expect("snapshots");
            let machine =
                Machine::open(store, stored, snapshots, lessor.clone(), Arc::default()).expect("the machine");
            let found = Found {
                log: self.disk.open(),
                machine,
                lessor,
                eureka_peers: Arc::default(),
                connector: Arc::new(SimConnector { wire: self.wire.clone(), from: self.id }),
                wall_clock: WallClock::new(move || wall_ms.load(Ordering::Relaxed)),
            };
            let replica = Replica::start(&self.config, found).await.expect("a replica");
            drop(replica.serve_peers(self.wire.listen(self.id), std::future::pending()));
            replica
        });
        self.behind_ms = 0;
        self.process = Some(Process {
            consensus: replica.consensus().clone(),
            site: replica.site(),
            replica: Some(replica),
            stopping: None,
            runtime,
        });
    }

    pub fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// Whether the process runs, does not stop, and is neither stopped nor starved.
    pub fn is_well(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.replica.is_some()) && self.pace == Pace::Free
    }

    pub fn kill(&mut self) {
        self.wire.killed(self.id);
        self.end();
    }

    /// Everything that was not synced is lost, but for the first few of the writes to the log.
    pub fn cut_power(&mut self, remaining: impl FnOnce(usize) -> usize) {
        self.wire.powerless(self.id);
        self.end();
        self.disk.cut_power(remaining);
        // The state is never synced while the process runs; the next one finds none.
        self.power_cuts += 1;
    }

    pub fn restore_power(&mut self) {
        self.wire.powered(self.id);
        self.start();
    }

    fn end(&mut self) {
        self.process = None;
        self.pace = Pace::Free;
        self.behind_ms = 0;
    }

    /// Has the process stop gracefully, which takes its time.
    pub fn terminate(&mut self) {
        let Some(process) = &mut self.process else {
            return;
        };
        if let Some(replica) = process.replica.take() {
            process.stopping = Some(process.runtime.spawn(async move {
                replica.step_down(Duration::from_secs(1)).await;
                replica.stop(Duration::from_secs(60)).await.expect("a clean stop");
            }));
        }
    }

    pub fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    pub fn shift_wall_clock(&self, by_ms: i64) {
        self.wall_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// One millisecond passes.
    pub fn step(&mut self, now_ms: u64) {
        self.wall_ms.fetch_add(1, Ordering::Relaxed);
        let Some(process) = &self.process else {
            return;
        };
        let runs = match self.pace {
            Pace::Free => true,
            Pace::Stopped => false,
            Pace::Starved(of_ms) => now_ms % 500 < of_ms,
        };
        if !runs {
            self.behind_ms += 1;
            return;
        }
        self.plant.run_program_of(self.id, self.wall_ms.load(Ordering::Relaxed));
        let span = tracing::info_span!("node", id = self.id);
        let _entered = span.enter();
        let behind = Duration::from_millis(std::mem::take(&mut self.behind_ms));
        process.runtime.block_on(async {
            if !behind.is_zero() {
                tokio::time::advance(behind).await;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        });
        let deviation = process.replica.as_ref().and_then(|replica| replica.comparison().deviation);
        if deviation.is_some() || process.stopping.as_ref().is_some_and(JoinHandle::is_finished) {
            self.deviation = deviation;
            self.kill();
        }
    }

    /// Why Raft ended in the process, unless it was told to.
    pub fn failure(&self) -> Option<String> {
        let process = self.process.as_ref().filter(|process| process.replica.is_some());
        process.and_then(|process| process.consensus.failure())
    }

    /// Why the process ended by itself.
    pub fn deviation(&self) -> Option<&Deviation> {
        self.deviation.as_ref()
    }

    /// The last log index at which the process compared its state with another's; 0 for none.
    pub fn compared_index(&self) -> u64 {
        let replica = self.process.as_ref().and_then(|process| process.replica.as_ref());
        replica.map_or(0, |replica| replica.comparison().index)
    }

    /// Has the process answer a request, unless there is none: the answer is dropped with it then.
    pub fn serve(&self, request: Request<Body>, reply: oneshot::Sender<Answer>) {
        let Some(process) = &self.process else {
            return;
        };
        let site = process.site.clone();
        process.runtime.spawn(async move {
            drop(reply.send(whole(site.answer(request).await).await));
        });
    }

    pub fn consensus(&self) -> Option<&Consensus> {
        self.process.as_ref().map(|process| &process.consensus)
    }

    pub fn machine(&self) -> Option<&Machine> {
        self.consensus().map(Consensus::machine)
    }
}

fn config(id: NodeId, nodes: &[NodeId], dir: &Path, settings: &[(&str, &str)]) -> Config {
    let cluster: Vec<String> = nodes.iter().map(|id| format!("{id}={}", peer_addr(*id))).collect();
    let (id_text, http_addr) = (id.to_string(), format!("127.0.0.1:{}", 8000 + id));
    let (cluster, peer_addr, dir) = (cluster.join(","), peer_addr(id), dir.display().to_string());
    let own = [
        ("node_id", id_text.as_str()),
        ("data_dir", &dir),
        ("http_addr", &http_addr),
        ("peer_addr", &peer_addr),
        ("initial_cluster", &cluster),
    ];
    let flags = Flags::from_pairs(own.into_iter().chain(settings.iter().copied()));
    Config::load(&flags, None, []).expect("settings that fit together")
}

/// Sled lets go of its files only a moment after it was dropped.
fn open_state(dir: &Path) -> StateStore {
    const PATIENCE: Duration = Duration::from_secs(10);
    let begin = Instant::now();
    loop {
        match StateStore::open(dir, Formats::THIS) {
            Ok(store) => return store,
            Err(error) => assert!(begin.elapsed() < PATIENCE, "the state cannot be opened: {error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

async fn whole(response: Response<Body>) -> Answer {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    Answer { status, body }
}
