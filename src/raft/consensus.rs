//! A node's part in the cluster: what the rest of the program asks of Raft, in our own words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{ClientWriteError, InitializeError, RaftError};
use openraft::{Instant as _, LogIdOptionExt, Raft, RaftMetrics, ReadPolicy, ServerState, SnapshotPolicy};

use super::compaction::Compaction;
use super::connector::Connector;
use super::contact::Contact;
use super::leading::Leader;
use super::log_store::KeptLog;
use super::machine::Machine;
use super::network::NetworkFactory;
use super::restore::RestoreError;
use super::types::{Node, NodeId, TypeConfig};
use crate::blocking::blocking;
use crate::config::Config;
use crate::encoding::EncodedBatch;
use crate::format::{FormatError, Formats};
use crate::metrics::Metrics;
use crate::registry::Outcome;
use crate::storage::{Failures, Part};

pub(super) type RaftHandle = Raft<TypeConfig, Machine>;

/// Heartbeats without an answer after which a node is not there: a second, as they are by default.
const SILENT_HEARTBEATS: u32 = 10;
/// A follower that lacks more entries than this does not count as caught up.
pub(super) const CAUGHT_UP_ENTRIES: u64 = 1000;

/// A handle; clones are the same node.
#[derive(Clone)]
pub struct Consensus {
    pub(super) raft: RaftHandle,
    pub(super) contact: Arc<Contact>,
    machine: Machine,
    log_bytes: Arc<dyn Fn() -> u64 + Send + Sync>,
    pub(super) log_failures: Failures,
    pub(super) formats: Formats,
    /// Why it cannot read what the others send.
    outdated: Arc<OnceLock<FormatError>>,
    node_id: NodeId,
    /// Without a word from a leader for longer, there is none as far as this node knows.
    leader_silence: Duration,
    silent_after: Duration,
}

/// How far what this node knows may be behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// How long ago it heard from a quorum: as leader from the others, else from the leader.
    pub last_contact: Duration,
    /// Whether a leader is known and has been in touch: at the leader, a quorum has.
    pub knows_leader: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Leader,
    Follower,
    Candidate,
    Learner,
    /// Raft has stopped on this node.
    Stopped,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Leader => "leader",
            Role::Follower => "follower",
            Role::Candidate => "candidate",
            Role::Learner => "learner",
            Role::Stopped => "stopped",
        }
    }
}

/// What this node knows of the cluster, all of one moment.
#[derive(Debug, Clone)]
pub struct Status {
    pub node_id: NodeId,
    pub role: Role,
    pub term: u64,
    pub leader_id: Option<NodeId>,
    pub last_log_index: u64,
    pub committed_index: u64,
    pub applied_index: u64,
    pub snapshot_index: u64,
    pub purged_index: u64,
    pub voters: BTreeSet<NodeId>,
    pub learners: BTreeSet<NodeId>,
    pub nodes: BTreeMap<NodeId, Node>,
    /// At the leader: the last log index known to be on each node's disk.
    pub matched: BTreeMap<NodeId, u64>,
    /// At the leader: how long ago each node answered; none for one that never did.
    pub answered: BTreeMap<NodeId, Option<Duration>>,
    /// A node that has not answered the leader for longer is not there.
    pub silent_after: Duration,
    pub last_contact: Duration,
}

impl Status {
    /// At the leader: whether a node answers, as the leader itself does.
    pub fn answers(&self, id: NodeId) -> bool {
        let ago = self.answered.get(&id).copied().flatten();
        self.role == Role::Leader && (id == self.node_id || ago.is_some_and(|ago| ago < self.silent_after))
    }
}

/// A batch that is in the log for good.
#[derive(Debug)]
pub struct Written {
    pub log_index: u64,
    pub outcomes: Vec<Outcome>,
}

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("this node does not lead; nothing was written")]
    NotLeader,
    #[error("leadership changed meanwhile; whether it was written is not known")]
    Unknown,
    #[error("Raft has stopped on this node: {0}")]
    Stopped(String),
}

#[derive(Debug, thiserror::Error)]
pub enum ConsensusError {
    #[error("the Raft settings do not fit together: {0}")]
    Settings(String),
    #[error(
        "the log does not reach back to the snapshot or the stored state, or is damaged: {0}; what this node had is \
         on the others: give it an empty data directory and an id that was never used"
    )]
    Storage(String),
    #[error("Raft cannot start: {0}")]
    Start(String),
    #[error(transparent)]
    State(#[from] RestoreError),
}

impl Consensus {
    /// Takes up what is on disk and joins the others.
    ///
    /// # Errors
    /// [`ConsensusError`] if the settings contradict each other or the log and the state do not
    /// belong together.
    pub async fn start(
        config: &Config,
        log: impl KeptLog,
        machine: Machine,
        connector: Arc<dyn Connector>,
    ) -> Result<Self, ConsensusError> {
        let settings = settings(config).map_err(|error| ConsensusError::Settings(error.to_string()))?;
        if machine.last_applied() > log.last_index() {
            // Raft is about to drop the log up to there, and the stored state is not synced.
            let (header, snapshot) = machine.captured();
            let snapshots = machine.snapshots().clone();
            let writing = blocking(move || snapshots.write(&header, &snapshot).map(drop));
            let written = writing.await.map_err(|error| ConsensusError::Start(error.to_string()))?;
            written.map_err(|error| ConsensusError::Start(error.to_string()))?;
        }
        let (cluster, metrics) = (config.cluster_name.clone(), machine.metrics().clone());
        let network = NetworkFactory { cluster, connector, metrics };
        let raft = Raft::new(config.node_id, Arc::new(settings), network, log.clone(), machine.clone());
        Ok(Self {
            raft: raft.await.map_err(|error| ConsensusError::Storage(error.to_string()))?,
            contact: Arc::default(),
            machine,
            log_failures: log.failures(),
            formats: config.formats,
            outdated: Arc::default(),
            log_bytes: Arc::new(move || log.disk_bytes()),
            node_id: config.node_id,
            leader_silence: Duration::from_millis(config.election_timeout_max_ms * 3 / 2),
            silent_after: Duration::from_millis(config.heartbeat_interval_ms) * SILENT_HEARTBEATS,
        })
    }

    /// Makes this node one of the initial voters, unless it is in a cluster already. Every node may
    /// do so with the same voters.
    ///
    /// # Errors
    /// [`ConsensusError::Start`] if Raft stopped.
    pub async fn initialize(&self, config: &Config) -> Result<(), ConsensusError> {
        let node = |addr: String| Node { peer_addr: addr };
        let voters: BTreeMap<NodeId, Node> =
            config.initial_cluster.iter().map(|(id, addr)| (*id, node(addr.to_string()))).collect();
        match self.raft.initialize(voters).await {
            Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
            Err(error) => Err(ConsensusError::Start(error.to_string())),
        }
    }

    pub fn node_id(&self) -> NodeId {
        self.node_id
    }

    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// What this node counts.
    pub fn metrics(&self) -> &Arc<Metrics> {
        self.machine.metrics()
    }

    /// The task that keeps the log short; to be run once.
    pub fn compaction(&self, config: &Config) -> Compaction {
        Compaction::new(self.raft.clone(), self.log_bytes.clone(), config)
    }

    /// [`Freshness::knows_leader`].
    pub fn knows_leader(&self) -> bool {
        self.freshness().knows_leader
    }

    /// [`Freshness::last_contact`].
    pub fn last_contact(&self) -> Duration {
        self.freshness().last_contact
    }

    /// Both of one moment.
    pub fn freshness(&self) -> Freshness {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let last_contact = self.last_contact_by(&metrics);
        let has_leader = self.leader_by(&metrics) != Leader::Unknown;
        Freshness { last_contact, knows_leader: has_leader && last_contact <= self.leader_silence }
    }

    fn last_contact_by(&self, metrics: &RaftMetrics<TypeConfig>) -> Duration {
        let is_alone = |voters: &BTreeSet<NodeId>| voters.iter().eq([&self.node_id]);
        let alone = || metrics.membership_config.membership().get_joint_config().iter().all(is_alone);
        match (metrics.state, &metrics.last_quorum_acked) {
            (ServerState::Leader, _) if alone() => Duration::ZERO,
            (ServerState::Leader, Some(acked)) => {
                let ago = acked.elapsed();
                self.contact.led(ago);
                ago
            }
            _ => self.contact.silence(),
        }
    }

    /// Whether this node is of the cluster, had everything that was committed at one moment since
    /// its start, and has not fallen far behind since.
    pub fn caught_up(&self) -> bool {
        let applied = self.machine.last_applied();
        let leads = self.leader() == Leader::ThisNode;
        let (member, applied_in_term) = {
            let metrics = self.raft.metrics();
            let metrics = metrics.borrow_watched();
            let member = metrics.membership_config.membership().get_node(&self.node_id).is_some();
            let applied_term = metrics.last_applied.map(|applied| applied.committed_leader_id().term);
            (member, applied_term == Some(metrics.current_term))
        };
        // All that was committed before comes before the first entry of its own term.
        let leads = leads && applied_in_term;
        member
            && (leads || self.contact.has_caught_up())
            && applied + CAUGHT_UP_ENTRIES >= self.contact.leader_commit()
    }

    /// Those that this node's program reads.
    pub fn formats(&self) -> Formats {
        self.formats
    }

    /// Why this node cannot take part: its program does not read what the cluster writes.
    pub fn outdated(&self) -> Option<&FormatError> {
        self.outdated.get()
    }

    pub(super) fn note_outdated(&self, error: &FormatError) {
        if self.outdated.set(error.clone()).is_ok() {
            tracing::error!("{error}");
        }
    }

    pub fn status(&self) -> Status {
        let last_contact = self.last_contact();
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let membership = metrics.membership_config.membership();
        let matched = metrics.replication.iter().flatten();
        let answered = metrics.heartbeat.iter().flatten();
        Status {
            node_id: self.node_id,
            role: if self.log_failures.of(Part::Log).is_some() { Role::Stopped } else { role(metrics.state) },
            term: metrics.current_term,
            leader_id: metrics.current_leader,
            last_log_index: metrics.last_log_index.unwrap_or(0),
            committed_index: metrics.cluster_committed.index().unwrap_or(0),
            applied_index: metrics.last_applied.index().unwrap_or(0),
            snapshot_index: metrics.snapshot.index().unwrap_or(0),
            purged_index: metrics.purged.index().unwrap_or(0),
            voters: membership.voter_ids().collect(),
            learners: membership.learner_ids().collect(),
            nodes: membership.nodes().map(|(id, node)| (*id, node.clone())).collect(),
            matched: matched.map(|(id, log_id)| (*id, log_id.index().unwrap_or(0))).collect(),
            answered: answered.map(|(id, at)| (*id, at.as_ref().map(|at| at.elapsed()))).collect(),
            silent_after: self.silent_after,
            last_contact,
        }
    }

    /// Writes a batch as leader and waits until it is applied here.
    ///
    /// # Errors
    /// [`WriteError`], which tells whether the batch may be tried again.
    pub async fn write(&self, batch: EncodedBatch) -> Result<Written, WriteError> {
        match self.raft.client_write(batch).await {
            Ok(written) => Ok(Written { log_index: written.log_id.index, outcomes: written.data }),
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(_))) => Err(WriteError::NotLeader),
            Err(RaftError::APIError(ClientWriteError::LogEntryDiscarded(_))) => Err(WriteError::Unknown),
            Err(RaftError::APIError(error)) => Err(WriteError::Stopped(error.to_string())),
            Err(RaftError::Fatal(error)) => Err(WriteError::Stopped(error.to_string())),
        }
    }

    /// At the leader: the log index that a read which begins now has to see, after a quorum has
    /// confirmed that this node still leads (Raft thesis, §6.4, ReadIndex). `None` if it does not.
    pub async fn read_index(&self) -> Option<u64> {
        let linearizer = self.raft.get_read_linearizer(ReadPolicy::ReadIndex).await;
        Some(linearizer.ok()?.read_log_id().index())
    }

    /// Stops taking part. Everything acknowledged is on disk already.
    pub async fn shutdown(&self) {
        if let Err(error) = self.raft.shutdown().await {
            tracing::warn!(%error, "Raft did not stop cleanly");
        }
    }
}

pub(super) fn role(state: ServerState) -> Role {
    match state {
        ServerState::Leader => Role::Leader,
        ServerState::Follower => Role::Follower,
        ServerState::Candidate => Role::Candidate,
        ServerState::Learner => Role::Learner,
        ServerState::Shutdown => Role::Stopped,
    }
}

fn settings(config: &Config) -> Result<openraft::Config, openraft::ConfigError> {
    let settings = openraft::Config {
        cluster_name: config.cluster_name.clone(),
        // Five times in each of these it is looked in every node whether an election is due; heartbeats themselves
        // are sent by `keep_heartbeat`.
        heartbeat_interval: config.heartbeat_interval_ms,
        enable_heartbeat: false,
        election_timeout_min: config.election_timeout_min_ms,
        election_timeout_max: config.election_timeout_max_ms,
        enable_pre_vote: Some(true),
        // Followers write an entry while the leader's own write is still on its way.
        broadcast_submitted_on_append: Some(true),
        // A restarted leader stands for election like anyone else: its leases would otherwise
        // outlast those of the leader elected meanwhile.
        enable_leader_restore: Some(false),
        max_payload_entries: 4096,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(config.snapshot_entries),
        max_in_snapshot_log_to_keep: config.snapshot_keep_entries,
        replication_lag_threshold: config.snapshot_entries + config.snapshot_keep_entries,
        install_snapshot_timeout: 600_000,
        ..openraft::Config::default()
    };
    settings.validate()
}
