//! What stands at the moment when somebody asks.

use super::process::Process;

/// What a node tells of itself.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    pub version: &'static str,
    pub is_ready: bool,
    pub has_leader: bool,
    pub is_leader: bool,
    pub term: u64,
    pub format: u32,
    pub committed_index: u64,
    pub applied_index: u64,
    pub snapshot_index: u64,
    pub last_contact_seconds: f64,
    /// How many there are of each status.
    pub instances: Vec<(&'static str, u64)>,
    pub delta_entries: usize,
    pub state_compared_index: u64,
    pub state_deviations: usize,
    /// For each part of what is on disk, whether it cannot be written.
    pub disk_failed: Vec<(&'static str, bool)>,
    pub self_preservation: Vec<InForce>,
    pub eureka_peers: Vec<EurekaPeer>,
    pub max_connections: usize,
    pub process: Option<Process>,
}

/// Self-preservation in force in one scope.
#[derive(Debug, Clone)]
pub struct InForce {
    /// `None`: the cluster.
    pub application: Option<String>,
    pub silent: u32,
    pub held: usize,
}

/// A Eureka server that this cluster replicates to.
#[derive(Debug, Clone, Default)]
pub struct EurekaPeer {
    /// Without credentials.
    pub url: String,
    pub is_told_from_here: bool,
    /// `None` where that is not known, as at every node that does not tell it.
    pub is_reachable: Option<bool>,
    /// Instances of which there is something to tell.
    pub queue: usize,
    pub lag_seconds: f64,
    pub batches: u64,
    pub items: u64,
    pub refused: u64,
    pub failed: u64,
    pub adopted: u64,
}
