//! One node, wired: the only file that knows every module, and the order in which they start and
//! stop.

mod exposure;
mod observers;
mod replica;
mod restore;
mod secured_peers;
mod supervisor;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tonic::transport::server::TcpIncoming;

use crate::access;
use crate::blocking::blocking;
use crate::config::Config;
use crate::eureka_peers::EurekaPeers;
use crate::format::{Format, Formats};
use crate::http::{self, Gate, Guard, Site};
use crate::lessor::Lessor;
use crate::metrics::Metrics;
use crate::raft::{Connector, Deviation, LOG_FILE_BYTES, LogStore, Machine, Names, Observer, Tcp};
use crate::storage::marker::{self, DirLock, Marker};
use crate::storage::{self, SnapshotDir, StateError, StateStore, StoredState, remedy, sync_dir};
use crate::tls::{self, PeerTls};
use crate::trace::{Otlp, Source, Traces};
use crate::wall_clock::WallClock;

pub use observers::Observers;
pub use replica::{Found, Replica};
pub use restore::{Restoration, restore};
use secured_peers::SecuredConnector;

/// Runs a node until `stop` is done, then stops it gracefully: first it is not ready any more, then
/// it hands leadership over, finishes what is under way, and stores its state.
///
/// # Errors
/// What kept it from starting, before anything was served; that it did not stop in order; or that its state is
/// not what the others made of the same log, which ends it at once.
pub async fn run(config: Config, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let peer_addr = peer_listen_addr(&config).await?;
    exposure::check(&config, peer_addr)?;
    let http_listener = listen(config.http_addr).await.context("http_addr")?;
    let peer_listener = listen(peer_addr).await.context("peer_addr")?;
    let node = Node::start(&config, http_listener, peer_listener).await?;
    tracing::info!(
        node = config.node_id,
        http = %config.http_addr,
        peer = %config.peer_addr,
        data_dir = %config.data_dir.display(),
        version = env!("CARGO_PKG_VERSION"),
        "serving"
    );
    let mut supervision = JoinSet::new();
    supervision.spawn(supervisor::keep_told(node.replica.consensus().clone()));
    tokio::pin!(stop);
    tokio::select! {
        () = &mut stop => {}
        // Neither hands over nor stores anything: what it has is wrong.
        deviation = node.replica.deviation() => return Err(distrust(&config, deviation).await),
    }
    tracing::info!("stopping");
    supervision.shutdown().await;
    supervisor::tell_stopping().await;
    node.stop(&config).await
}

struct Node {
    replica: Replica,
    http: JoinHandle<()>,
    peers: JoinHandle<()>,
    stop_serving: watch::Sender<bool>,
    stop_peers: watch::Sender<bool>,
    /// Read files again that may have changed, and tell dashboards how the node does.
    _watchers: JoinSet<()>,
    traces: Traces,
    _lock: DirLock,
}

impl Node {
    async fn start(config: &Config, http: TcpListener, peer: TcpListener) -> anyhow::Result<Self> {
        let mut watchers = JoinSet::new();
        let guard = guard(config, &mut watchers)?;
        let peer_tls = peer_tls(config, &mut watchers)?;
        let tick = Duration::from_millis(config.lease_tick_ms);
        let lessor = Arc::new(Lessor::new(tick, config.self_preservation_settings()));
        let metrics = Arc::new(Metrics::with_traces(traces(config)?));
        let eureka_peers = Arc::new(EurekaPeers::new(&config.eureka_peer)?);
        let observers = Observers { lessor: lessor.clone(), eureka_peers: eureka_peers.clone() };
        let (lock, log, machine) = open_storage(config, Arc::new(observers), metrics.clone())?;
        let connector: Arc<dyn Connector> = match &peer_tls {
            None => Arc::new(Tcp(Names::of_system())),
            Some(tls) => Arc::new(SecuredConnector { tls: tls.clone(), names: Names::of_system() }),
        };
        let found = Found { log, machine, lessor, eureka_peers, connector, wall_clock: WallClock::system() };
        let replica = Replica::start(config, found).await?;
        watchers.spawn(keep_marked(config.clone(), replica.consensus().machine().format_raised()));
        watchers.spawn(replica.tell_dashboards());
        let (stop_serving, _) = watch::channel(false);
        let (stop_peers, _) = watch::channel(false);
        let stopped = told(&stop_peers);
        let peers = match peer_tls {
            None => replica.serve_peers(TcpIncoming::from(peer).with_nodelay(Some(true)), stopped),
            Some(tls) => replica.serve_peers(secured_peers::incoming(peer, tls), stopped),
        };
        Ok(Self {
            traces: metrics.traces.clone(),
            http: serve_http(config, (replica.site(), guard), http, metrics, &stop_serving),
            peers,
            replica,
            stop_serving,
            stop_peers,
            _watchers: watchers,
            _lock: lock,
        })
    }

    async fn stop(mut self, config: &Config) -> anyhow::Result<()> {
        let patience = Duration::from_millis(config.stop_timeout_ms);
        let stopping = async {
            self.replica.step_down(patience / 10).await;
            self.stop_serving.send_replace(true);
            if tokio::time::timeout(patience / 4, &mut self.http).await.is_err() {
                tracing::warn!("some requests were still under way");
                self.http.abort();
            }
            self.stop_peers.send_replace(true);
            let stopped = self.replica.stop(patience / 4).await;
            self.peers.abort();
            let traces = self.traces.clone();
            // Whoever waits for the last spans can do without them.
            drop(blocking(move || traces.stop(patience / 10)).await);
            stopped
        };
        let stopped = tokio::time::timeout(patience, stopping).await;
        stopped
            .context("did not stop in time; nothing acknowledged is lost")?
            .context("the state is not stored, and nothing acknowledged is lost by that")?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Notes in the data directory which format is written there, so that an older program leaves it alone.
async fn keep_marked(config: Config, mut raised: watch::Receiver<Format>) {
    loop {
        let (dir, format) = (config.data_dir.clone(), *raised.borrow_and_update());
        match blocking(move || Marker::raise(&dir, format, config.formats)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the newer format is not noted in the data directory"),
            Err(error) => tracing::error!(%error, "noting the format ended abnormally"),
        }
        if raised.changed().await.is_err() {
            return;
        }
    }
}

/// Where spans go, which is nowhere without an endpoint.
fn traces(config: &Config) -> anyhow::Result<Traces> {
    let Some(endpoint) = &config.otlp_endpoint else {
        return Ok(Traces::default());
    };
    let source = Source { node_id: config.node_id, cluster_name: config.cluster_name.clone() };
    Ok(Traces::to(Arc::new(Otlp::new(endpoint, &source)?), config.otlp_sample_one_in))
}

/// Makes sure that the next start takes up nothing of a state that is wrong.
async fn distrust(config: &Config, deviation: Deviation) -> anyhow::Error {
    tracing::error!("{deviation}");
    let (data_dir, reason) = (config.data_dir.clone(), deviation.to_string());
    let marked = blocking(move || storage::distrust(&data_dir, &reason)).await.flatten();
    if let Err(error) = marked {
        let dir = config.data_dir.display();
        tracing::error!(%error, "the state cannot be marked: remove {dir}/state and {dir}/snapshot before the next start");
    }
    deviation.into()
}

async fn listen(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr)
        .await
        .with_context(|| format!("cannot listen at {addr}; is another process using the port?"))
}

async fn peer_listen_addr(config: &Config) -> anyhow::Result<SocketAddr> {
    if let Some(addr) = config.peer_listen_addr {
        return Ok(addr);
    }
    let addr = config.peer_addr.to_string();
    let mut found = tokio::net::lookup_host(&addr).await.with_context(|| {
        format!("cannot resolve peer_addr {addr}; give peer_listen_addr too if it has no address yet")
    })?;
    found.next().with_context(|| format!("peer_addr {addr} has no address"))
}

const NO_THREAD: &str =
    "the log cannot be opened for want of a thread; raise the limit of this user's threads";

/// Everything on disk, once it is known to be of this node: the log beside the state, which takes longer.
///
/// The calling thread is to be the process's first, and loads the state: for any other glibc asks the system
/// for memory page by page, which took a seventh of the whole start. Nothing waits for this thread yet.
fn open_storage(
    config: &Config,
    observer: Arc<dyn Observer>,
    metrics: Arc<Metrics>,
) -> anyhow::Result<(DirLock, LogStore, Machine)> {
    let dir = &config.data_dir;
    let (_, lock) = marker::claim(dir, &Marker::new(&config.cluster_name, config.node_id), config.formats)?;
    if storage::put_aside(dir).context("a state that is not to be trusted cannot be put aside")? {
        tracing::warn!("the state was not what the log makes of it; it is put aside and rebuilt");
    }
    let (log, state) = thread::scope(|scope| {
        let log = thread::Builder::new()
            .spawn_scoped(scope, || open_log(dir, config.formats, &metrics))
            .context(NO_THREAD)?;
        let state = open_state(&dir.join("state"), config.formats);
        anyhow::Ok((log.join().unwrap_or_else(|panic| resume_unwind(panic)), state))
    })?;
    let ((log, snapshots), (store, stored)) = (log?, state?);
    sync_dir(dir).context("the data directory")?;
    let machine = Machine::open(store, stored, snapshots, observer, metrics).context("the state")?;
    // A vote is on disk before anything else; a node without one that has applied entries has
    // forgotten what it promised.
    if machine.last_applied() > 0 && !log.has_vote() {
        bail!(
            "{} has a state but no log: what this node had is on the others; give it an empty data directory \
             and an id that was never used",
            dir.display()
        );
    }
    Ok((lock, log, machine))
}

/// The log, and the snapshot that it goes on from, whose checksum is verified by the way.
fn open_log(dir: &Path, formats: Formats, metrics: &Metrics) -> anyhow::Result<(LogStore, SnapshotDir)> {
    let log = LogStore::open(&dir.join("log"), LOG_FILE_BYTES, formats, metrics)?;
    let opened = SnapshotDir::open(&dir.join("snapshot"), formats).and_then(|snapshots| {
        snapshots.current()?;
        Ok(snapshots)
    });
    Ok((log, opened.context("the snapshot directory")?))
}

/// The stored state is derived: one that cannot be read is put aside and made anew.
fn open_state(dir: &Path, formats: Formats) -> anyhow::Result<(StateStore, Option<StoredState>)> {
    let error =
        match StateStore::open(dir, formats).and_then(|store| store.load().map(|stored| (store, stored))) {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
    if let Some(cause) = error.disk().filter(is_no_damage) {
        return Err(error).with_context(|| format!("{}, then start this node again", remedy(&cause)));
    }
    if matches!(error, StateError::Format(_)) {
        return Err(error.into());
    }
    let aside = dir.with_extension("damaged");
    tracing::warn!(%error, aside = %aside.display(), "the stored state is put aside and rebuilt");
    if aside.exists() {
        std::fs::remove_dir_all(&aside)?;
    }
    std::fs::rename(dir, &aside)?;
    Ok((StateStore::open(dir, formats)?, None))
}

/// What the file system says of whole files too.
fn is_no_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    [PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull].contains(&error.kind())
}

fn guard(config: &Config, watchers: &mut JoinSet<()>) -> anyhow::Result<Guard> {
    let tls = match config.client_tls() {
        None => None,
        Some(files) => {
            let (tls, watcher) = tls::client_port(files).context("TLS for clients")?;
            watchers.spawn(watcher.run());
            Some(tls)
        }
    };
    let door = match &config.auth_file {
        None => None,
        Some(file) => {
            let (door, watcher) = access::door(file.clone())?;
            watchers.spawn(watcher.run());
            Some(door)
        }
    };
    Ok(Guard { tls, gate: Gate::new(config, door) })
}

fn peer_tls(config: &Config, watchers: &mut JoinSet<()>) -> anyhow::Result<Option<PeerTls>> {
    let Some(files) = config.peer_tls() else {
        return Ok(None);
    };
    let (tls, watcher) = tls::peers(files).context("TLS between nodes")?;
    watchers.spawn(watcher.run());
    Ok(Some(tls))
}

fn serve_http(
    config: &Config,
    (site, guard): (Site, Guard),
    listener: TcpListener,
    metrics: Arc<Metrics>,
    stop: &watch::Sender<bool>,
) -> JoinHandle<()> {
    let config = config.clone();
    let stopped = told(stop);
    tokio::spawn(async move { http::serve(site, listener, &config, guard, metrics, stopped).await })
}

/// Returns once it is time to stop, or the sender is gone, and this node with it.
fn told(stop: &watch::Sender<bool>) -> impl Future<Output = ()> + Send + 'static {
    let mut stop = stop.subscribe();
    async move { drop(stop.wait_for(|stop| *stop).await) }
}
