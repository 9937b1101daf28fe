//! One node, wired: the only file that knows every module, and the order in which they start and
//! stop.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::config::Config;
use crate::http::{self, Facade};
use crate::lessor::{self, Lessor};
use crate::peer::{Addressed, PeerService};
use crate::propose::{Batcher, Proposer};
use crate::raft::peer::peer_server::PeerServer;
use crate::raft::{Consensus, LogStore, Machine, Observer, Peers, follow_roles};
use crate::registry::{Change, Registry};
use crate::storage::marker::{self, DirLock, Marker};
use crate::storage::{SnapshotDir, StateStore, StoredState, sync_dir};

/// How long a silent connection of a peer is kept before it is asked, and then for an answer.
const PEER_KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Of the nodes that form a new cluster, the first to act; the others follow if it does not.
const FOUNDER_HEAD_START: Duration = Duration::from_millis(1500);

/// Runs a node until `stop` is done, then stops it gracefully: first it is not ready any more, then
/// it hands leadership over, finishes what is under way, and stores its state.
///
/// # Errors
/// What kept it from starting, before anything was served; or Raft's end on this node.
pub async fn run(config: Config, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let http_listener = listen(config.http_addr).await.context("http_addr")?;
    let peer_listener = listen(peer_listen_addr(&config).await?).await.context("peer_addr")?;
    let node = Node::start(&config, http_listener, peer_listener).await?;
    tracing::info!(
        node = config.node_id,
        http = %config.http_addr,
        peer = %config.peer_addr,
        data_dir = %config.data_dir.display(),
        version = env!("CARGO_PKG_VERSION"),
        "serving"
    );
    tokio::pin!(stop);
    tokio::select! {
        () = &mut stop => {}
        failure = node.raft_stopped() => {
            // Reads go on: what is known here may still help. Writes are refused by themselves.
            tracing::error!(failure, "Raft has stopped on this node; it serves reads only until it is restarted");
            stop.await;
        }
    }
    tracing::info!("stopping");
    node.stop(&config).await
}

struct Node {
    consensus: Consensus,
    facade: Arc<Facade>,
    background: JoinSet<()>,
    batcher: JoinHandle<()>,
    http: JoinHandle<()>,
    peers: JoinHandle<()>,
    stop_serving: watch::Sender<bool>,
    stop_peers: watch::Sender<bool>,
    _lock: DirLock,
}

/// Passes on to the lessor what the machine applies.
struct Leases(Arc<Lessor>);

impl Observer for Leases {
    fn applied(&self, changes: &[Change]) {
        self.0.applied(changes);
    }

    fn replaced(&self, registry: &Registry) {
        self.0.replaced(registry);
    }
}

impl Node {
    async fn start(config: &Config, http: TcpListener, peer: TcpListener) -> anyhow::Result<Self> {
        let tick = Duration::from_millis(config.lease_tick_ms);
        let lessor = Arc::new(Lessor::new(tick, config.self_preservation_settings()));
        let (lock, log, machine) = open_storage(config, lessor.clone()).await?;
        let consensus = Consensus::start(config, log, machine).await?;
        let others = config.initial_cluster.iter().filter(|(id, _)| **id != config.node_id);
        let others = others.map(|(id, addr)| (*id, addr.to_string()));
        let peers = Arc::new(Peers::new(&config.cluster_name, others));
        let write_timeout = Duration::from_millis(config.write_timeout_ms);
        let (proposer, batcher) = Proposer::new(consensus.clone(), peers.clone(), write_timeout);
        let facade = Arc::new(Facade::new(consensus.clone(), proposer.clone(), peers.clone(), config));

        let (stop_serving, _) = watch::channel(false);
        let (stop_peers, _) = watch::channel(false);
        let peers_task = serve_peers(config, &consensus, &proposer, &facade, peer, &stop_peers);
        let http_task = serve_http(config, &facade, http, &stop_serving);
        let background = background(config, &consensus, &lessor, proposer, peers);
        Ok(Self {
            consensus,
            facade,
            background,
            batcher: tokio::spawn(Batcher::run(batcher)),
            http: http_task,
            peers: peers_task,
            stop_serving,
            stop_peers,
            _lock: lock,
        })
    }

    async fn raft_stopped(&self) -> String {
        const LOOK: Duration = Duration::from_millis(500);
        loop {
            if let Some(failure) = self.consensus.failure() {
                return failure;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn stop(mut self, config: &Config) -> anyhow::Result<()> {
        let patience = Duration::from_millis(config.stop_timeout_ms);
        let stopping = async {
            self.facade.stop();
            self.consensus.hand_over(patience / 10).await;
            self.stop_serving.send_replace(true);
            if tokio::time::timeout(patience / 4, &mut self.http).await.is_err() {
                tracing::warn!("some requests were still under way");
                self.http.abort();
            }
            self.background.shutdown().await;
            self.consensus.shutdown().await;
            self.stop_peers.send_replace(true);
            self.peers.abort();
            self.batcher.abort();
            let machine = self.consensus.machine().clone();
            let storing = tokio::task::spawn_blocking(move || machine.store_durably());
            anyhow::Ok(storing.await??)
        };
        let stopped = tokio::time::timeout(patience, stopping).await;
        stopped
            .context("did not stop in time; nothing acknowledged is lost")?
            .context("storing the state")?;
        tracing::info!("stopped");
        Ok(())
    }
}

async fn listen(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr)
        .await
        .with_context(|| format!("cannot listen at {addr}; is another process using the port?"))
}

async fn peer_listen_addr(config: &Config) -> anyhow::Result<SocketAddr> {
    let addr = config.peer_addr.to_string();
    let mut found =
        tokio::net::lookup_host(&addr).await.with_context(|| format!("cannot resolve peer_addr {addr}"))?;
    found.next().with_context(|| format!("peer_addr {addr} has no address"))
}

/// Everything on disk, in the order in which a wrong directory is found out before it is changed.
async fn open_storage(config: &Config, lessor: Arc<Lessor>) -> anyhow::Result<(DirLock, LogStore, Machine)> {
    let dir = config.data_dir.clone();
    let expected = Marker::new(&config.cluster_name, config.node_id);
    let opening = tokio::task::spawn_blocking(move || {
        let (_, lock) = marker::claim(&dir, &expected)?;
        let log = LogStore::open(&dir.join("log")).context(
            "the Raft log cannot be opened; if its disk is damaged, replace this node by a new one",
        )?;
        let (store, stored) = open_state(&dir.join("state"))?;
        let snapshots = SnapshotDir::open(&dir.join("snapshot")).context("the snapshot directory")?;
        sync_dir(&dir).context("the data directory")?;
        let machine =
            Machine::open(store, stored, snapshots, Arc::new(Leases(lessor))).context("the state")?;
        // A vote is on disk before anything else; a node without one that has applied entries has
        // forgotten what it promised.
        if machine.last_applied() > 0 && !log.has_vote() {
            bail!(
                "{} has a state but no log: what this node had is on the others; give it an empty data directory \
                 and an id that was never used",
                dir.display()
            );
        }
        anyhow::Ok((lock, log, machine))
    });
    opening.await?
}

/// The stored state is derived: one that cannot be read is put aside and made anew.
fn open_state(dir: &std::path::Path) -> anyhow::Result<(StateStore, Option<StoredState>)> {
    let error = match StateStore::open(dir).and_then(|store| store.load().map(|stored| (store, stored))) {
        Ok(opened) => return Ok(opened),
        Err(error) => error,
    };
    let aside = dir.with_extension("damaged");
    tracing::warn!(%error, aside = %aside.display(), "the stored state is put aside and rebuilt");
    if aside.exists() {
        std::fs::remove_dir_all(&aside)?;
    }
    std::fs::rename(dir, &aside)?;
    Ok((StateStore::open(dir)?, None))
}

fn serve_peers(
    config: &Config,
    consensus: &Consensus,
    proposer: &Proposer,
    facade: &Facade,
    listener: TcpListener,
    stop: &watch::Sender<bool>,
) -> JoinHandle<()> {
    let service = PeerService::new(consensus.clone(), proposer.clone(), facade.http_addr.clone());
    let addressed = Addressed { cluster: config.cluster_name.clone(), node_id: config.node_id };
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let mut stop = stop.subscribe();
    tokio::spawn(async move {
        let server: PeerServer<PeerService> = service.into_server();
        let service = tonic::service::interceptor::InterceptedService::new(server, addressed);
        let stopped = async {
            // An error means that the sender is gone, and this node with it.
            drop(stop.wait_for(|stop| *stop).await);
        };
        let serving = Server::builder()
            .http2_keepalive_interval(Some(PEER_KEEP_ALIVE))
            .http2_keepalive_timeout(Some(PEER_KEEP_ALIVE))
            .add_service(service)
            .serve_with_incoming_shutdown(incoming, stopped);
        if let Err(error) = serving.await {
            tracing::error!(%error, "the peer service ended");
        }
    })
}

fn serve_http(
    config: &Config,
    facade: &Arc<Facade>,
    listener: TcpListener,
    stop: &watch::Sender<bool>,
) -> JoinHandle<()> {
    let router = http::router(facade.clone());
    let config = config.clone();
    let mut stop = stop.subscribe();
    tokio::spawn(async move {
        let stopped = async {
            drop(stop.wait_for(|stop| *stop).await);
        };
        http::serve(router, listener, &config, stopped).await;
    })
}

/// What goes on beside the serving of requests, until the node stops.
fn background(
    config: &Config,
    consensus: &Consensus,
    lessor: &Arc<Lessor>,
    proposer: Proposer,
    peers: Arc<Peers>,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(consensus.compaction(config).run());
    tasks.spawn(async move { peers.keep_described().await });
    tasks.spawn(found_cluster(consensus.clone(), config.clone()));
    tasks.spawn(keep_stored(
        consensus.machine().clone(),
        Duration::from_millis(config.state_flush_interval_ms),
    ));

    let (machine, roles) = (consensus.machine().clone(), lessor.clone());
    tasks.spawn(follow_roles(consensus.clone(), move |leads| match leads {
        true => machine.with_registry(|registry| roles.lead(registry)),
        false => roles.follow(),
    }));

    let (consensus, lessor) = (consensus.clone(), lessor.clone());
    let tick = Duration::from_millis(config.lease_tick_ms);
    // The leader's lease: after it this node refuses writes, renewals too.
    let quorum_silence = Duration::from_millis(config.election_timeout_max_ms);
    tasks.spawn(async move {
        let in_touch = || consensus.last_contact() < quorum_silence;
        let keeping = lessor::keep_time(&lessor, &proposer, in_touch);
        tokio::join!(keeping, lessor::expire(&lessor, &proposer, tick));
    });
    tasks
}

/// Makes a new cluster out of the initial nodes. Each may do so; the first has a head start, so that
/// they do not all stand for election at once.
async fn found_cluster(consensus: Consensus, config: Config) {
    let founder = config.initial_cluster.iter().next().map(|(id, _)| *id);
    if founder != Some(config.node_id) {
        tokio::time::sleep(FOUNDER_HEAD_START).await;
    }
    if let Err(error) = consensus.initialize(&config).await {
        tracing::error!(%error, "cannot form the initial cluster");
    }
}

/// Writes the state behind from memory. After a long write there is a pause of four times as long:
/// when much changes it yields to what changes it, and then has less to write, as only the last
/// change to a record counts.
async fn keep_stored(machine: Machine, interval: Duration) {
    const REST: u32 = 4;
    let mut took = Duration::ZERO;
    loop {
        tokio::time::sleep(interval.max(took * REST)).await;
        let begin = Instant::now();
        let machine = machine.clone();
        match tokio::task::spawn_blocking(move || machine.store()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "the state cannot be stored; the log keeps what is missing")
            }
            Err(error) => tracing::error!(%error, "storing the state ended abnormally"),
        }
        took = begin.elapsed();
    }
}
