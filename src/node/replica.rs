//! One node as the others and its clients know it, on any disk, network and clock: what decides, and
//! what goes on beside it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tonic::transport::server::{Connected, Server};

use crate::blocking::blocking;
use crate::config::Config;
use crate::eureka_peers::{self, EurekaPeers, keep_progress};
use crate::http::{self, Facade, Site, Told};
use crate::lessor::{self, Lessor};
use crate::peer::{Addressed, PeerService};
use crate::propose::{Batcher, Proposer, Timeouts};
use crate::raft::peer::peer_server::PeerServer;
use crate::raft::{
    Comparer, Comparison, Connector, Consensus, ConsensusError, Deviation, KeptLog, Machine, Peers,
    follow_roles, join, keep_known, restore,
};
use crate::raise_format::raise_format;
use crate::wall_clock::WallClock;

/// How long a silent connection of a peer is kept before it is asked, and then for an answer.
const PEER_KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Of the nodes that form a new cluster, the first to act; the others follow if it does not.
const FOUNDER_HEAD_START: Duration = Duration::from_millis(1500);

/// What a node finds when it is started. The machine tells lessor and Eureka peers what it applies.
pub struct Found<L> {
    pub log: L,
    pub machine: Machine,
    pub lessor: Arc<Lessor>,
    pub eureka_peers: Arc<EurekaPeers>,
    pub connector: Arc<dyn Connector>,
    pub wall_clock: WallClock,
}

pub struct Replica {
    consensus: Consensus,
    proposer: Proposer,
    peers: Arc<Peers>,
    facade: Arc<Facade>,
    addressed: Addressed,
    background: JoinSet<()>,
    batcher: JoinHandle<()>,
    comparison: watch::Receiver<Comparison>,
}

impl Replica {
    /// # Errors
    /// [`ConsensusError`] if the settings contradict each other, or the log and the state do not
    /// belong together.
    pub async fn start<L: KeptLog>(config: &Config, found: Found<L>) -> Result<Self, ConsensusError> {
        let Found { mut log, machine, lessor, eureka_peers, connector, wall_clock } = found;
        let others = config.initial_cluster.iter().filter(|(id, _)| **id != config.node_id);
        let others = others.map(|(id, addr)| (*id, addr.to_string()));
        let peers = Arc::new(Peers::new(&config.cluster_name, others, &connector));
        restore(&mut log, &machine, &peers).await?;
        let consensus = Consensus::start(config, log, machine, connector).await?;
        let timeouts = Timeouts {
            write: Duration::from_millis(config.write_timeout_ms),
            replication: Duration::from_millis(config.replication_timeout_ms),
        };
        let (proposer, batcher) =
            Proposer::new(consensus.clone(), peers.clone(), wall_clock.clone(), timeouts);
        let (comparer, comparison) = Comparer::new(consensus.clone());
        let told =
            Told { peers: peers.clone(), comparison: comparison.clone(), eureka_peers: eureka_peers.clone() };
        let facade = Facade::new(consensus.clone(), proposer.clone(), told, wall_clock, config);
        let mut background = background(config, &consensus, (&lessor, &eureka_peers), proposer.clone());
        for peer in eureka_peers.iter() {
            background.spawn(eureka_peers::send(peer.clone(), consensus.machine().clone(), proposer.clone()));
        }
        background.spawn(found_or_join(consensus.clone(), peers.clone(), config.clone()));
        background.spawn(keep_known(consensus.clone(), peers.clone()));
        background.spawn(keep_raising(config, &consensus, &peers, &proposer));
        let compared = peers.clone();
        background.spawn(async move { comparer.run(&compared).await });
        Ok(Self {
            addressed: Addressed { cluster: config.cluster_name.clone(), node_id: config.node_id },
            batcher: tokio::spawn(Batcher::run(batcher)),
            facade: Arc::new(facade),
            peers,
            consensus,
            proposer,
            background,
            comparison,
        })
    }

    pub fn consensus(&self) -> &Consensus {
        &self.consensus
    }

    /// What clients are served with.
    pub fn site(&self) -> Site {
        Site::new(self.facade.clone())
    }

    /// Tells the dashboards that are looked at how this node does.
    pub fn tell_dashboards(&self) -> impl Future<Output = ()> + Send + 'static {
        http::tell_dashboards(self.facade.clone())
    }

    /// Answers peers on the connections that come in, until `stopped`.
    pub fn serve_peers<I, C>(
        &self,
        incoming: I,
        stopped: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()>
    where
        I: Stream<Item = Result<C, std::io::Error>> + Send + 'static,
        C: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
    {
        let service = PeerService::new(
            self.consensus.clone(),
            self.proposer.clone(),
            self.peers.clone(),
            self.facade.http_addr.clone(),
        );
        let server: PeerServer<PeerService> = service.into_server();
        let service = tonic::service::interceptor::InterceptedService::new(server, self.addressed.clone());
        tokio::spawn(async move {
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

    /// This node's state beside the others'. One that deviates must not be read any more, nor stored.
    pub fn comparison(&self) -> Comparison {
        self.comparison.borrow().clone()
    }

    /// Returns once this node's state is found not to be the others'.
    pub async fn deviation(&self) -> Deviation {
        let mut comparison = self.comparison.clone();
        let found = comparison.wait_for(|comparison| comparison.deviation.is_some()).await;
        match found.ok().and_then(|comparison| comparison.deviation.clone()) {
            Some(deviation) => deviation,
            // Nobody compares any more: the node stops.
            None => std::future::pending().await,
        }
    }

    /// Is not ready any more, and hands leadership over, giving that up after `patience`.
    pub async fn step_down(&self, patience: Duration) {
        self.facade.stop();
        self.consensus.hand_over(patience).await;
    }

    /// Stops taking part in the cluster, and stores the state if that does not take longer than `patience`: the
    /// next start has only more to apply without it.
    ///
    /// # Errors
    /// If the state cannot be stored; nothing acknowledged is lost by that.
    pub async fn stop(mut self, patience: Duration) -> anyhow::Result<()> {
        self.background.shutdown().await;
        self.consensus.shutdown().await;
        self.batcher.abort();
        let machine = self.consensus.machine().clone();
        let storing = blocking(move || machine.store_durably());
        let Ok(stored) = tokio::time::timeout(patience, storing).await else {
            tracing::warn!(
                "the state is not stored in time; the next start makes it of what was stored and the log"
            );
            return Ok(());
        };
        Ok(stored??)
    }
}

/// What goes on beside the serving of requests, until the node stops.
fn background(
    config: &Config,
    consensus: &Consensus,
    (lessor, eureka_peers): (&Arc<Lessor>, &Arc<EurekaPeers>),
    proposer: Proposer,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(consensus.compaction(config).run());
    let (leading, heartbeat) = (consensus.clone(), Duration::from_millis(config.heartbeat_interval_ms));
    tasks.spawn(async move { leading.keep_heartbeat(heartbeat).await });
    let (starting, shortest) = (consensus.clone(), Duration::from_millis(config.election_timeout_min_ms));
    tasks.spawn(async move { starting.stand_early(shortest).await });
    let failing = consensus.clone();
    tasks.spawn(async move { failing.step_out().await });
    tasks.spawn(keep_stored(
        consensus.machine().clone(),
        Duration::from_millis(config.state_flush_interval_ms),
    ));

    let (machine, leases, told) = (consensus.machine().clone(), lessor.clone(), eureka_peers.clone());
    tasks.spawn(follow_roles(consensus.clone(), move |leads| match leads {
        true => machine.with_registry(|registry| {
            leases.lead(registry);
            told.lead(registry);
        }),
        false => {
            leases.follow();
            told.follow();
        }
    }));
    let told = (eureka_peers.clone(), consensus.clone(), proposer.clone());
    tasks.spawn(async move { keep_progress(&told.0, &told.1, &told.2).await });

    let (consensus, lessor, machine) = (consensus.clone(), lessor.clone(), consensus.machine().clone());
    let tick = Duration::from_millis(config.lease_tick_ms);
    // The leader's lease: after it this node refuses writes, renewals too.
    let quorum_silence = Duration::from_millis(config.election_timeout_max_ms);
    tasks.spawn(async move {
        let in_touch = || consensus.last_contact() < quorum_silence;
        let work = || async {
            let keeping = lessor::keep_time(&lessor, &proposer, &in_touch);
            let take_over = || machine.with_registry(|registry| lessor.take_over(registry));
            tokio::join!(keeping, lessor::expire(&lessor, &proposer, tick, take_over));
        };
        consensus.while_leading(work).await;
    });
    tasks
}

fn keep_raising(
    config: &Config,
    consensus: &Consensus,
    peers: &Arc<Peers>,
    proposer: &Proposer,
) -> impl Future<Output = ()> + Send + 'static {
    let (consensus, peers, proposer) = (consensus.clone(), peers.clone(), proposer.clone());
    let highest = config.highest_format();
    async move { raise_format(&consensus, &peers, &proposer, highest).await }
}

async fn found_or_join(consensus: Consensus, peers: Arc<Peers>, config: Config) {
    match config.replaces {
        None if config.join => {}
        None => found_cluster(consensus, config).await,
        Some(lost) => join(&consensus, &peers, &config.peer_addr.to_string(), lost).await,
    }
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
        match blocking(move || machine.store_aside()).await {
            // What the disk does not take is told by the machine, once.
            Ok(result) => {
                if let Err(error) = result
                    && error.disk().is_none()
                {
                    tracing::error!(%error, "the state cannot be stored; the log keeps what is missing");
                }
            }
            Err(error) => tracing::error!(%error, "storing the state ended abnormally"),
        }
        took = begin.elapsed();
    }
}
