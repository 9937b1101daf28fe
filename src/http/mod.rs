//! The HTTP façade. Every route is in `routes` and `eureka_routes`; each write reads extract, Command, propose,
//! Outcome, response; reads are answered from this node's own view.

mod actuator;
mod admin;
mod answer;
mod backup;
mod body;
mod cancel;
mod counted;
mod dashboard;
mod dispatch;
mod error;
mod eureka_peers;
mod eureka_routes;
mod events;
mod gate;
mod instances;
mod linger;
mod listen;
mod membership;
mod metadata;
mod pace;
mod query;
mod register;
mod renew;
mod replication;
mod request;
mod request_span;
mod route_label;
mod routes;
mod self_preservation;
mod status;
mod status_page;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use events::Live;
use tokio::sync::{Semaphore, watch};

use crate::config::{Audit, Config, SelfPreservationSettings};
use crate::eureka_peers::EurekaPeers;
use crate::linearize::Linearizer;
use crate::propose::Proposer;
use crate::raft::{Comparison, Consensus, Peers};
use crate::wall_clock::WallClock;

pub use eureka_routes::{Action, NoRoute, Resource, route};
pub use events::tell as tell_dashboards;
pub use gate::Gate;
pub use listen::{Guard, serve};
pub use pace::AfterPause;
pub use request::Parameters;
pub use routes::Site;

/// What handlers need of the node.
pub struct Facade {
    pub consensus: Consensus,
    pub proposer: Proposer,
    pub linearizer: Linearizer,
    told: Told,
    pub http_addr: String,
    /// Of every node's HTTP service: they are meant to be set up alike.
    scheme: &'static str,
    cluster_name: String,
    /// Only for what is shown: the log's clock stands still while nothing is written.
    wall_clock: WallClock,
    self_preservation: SelfPreservationSettings,
    audit: Audit,
    max_body_bytes: usize,
    max_connections: usize,
    /// Backups that may be sent at once.
    backups: Arc<Semaphore>,
    body_timeout: Duration,
    stopping: AtomicBool,
    live: Live,
    /// Lists that are made at once: each goes through all instances.
    listings: Semaphore,
}

/// What is known of the other nodes, and of the Eureka servers that this cluster replicates to.
pub struct Told {
    pub peers: Arc<Peers>,
    pub comparison: watch::Receiver<Comparison>,
    pub eureka_peers: Arc<EurekaPeers>,
}

impl Facade {
    pub fn new(
        consensus: Consensus,
        proposer: Proposer,
        told: Told,
        wall_clock: WallClock,
        config: &Config,
    ) -> Self {
        let read_timeout = Duration::from_millis(config.write_timeout_ms);
        Self {
            linearizer: Linearizer::new(consensus.clone(), told.peers.clone(), read_timeout),
            consensus,
            proposer,
            told,
            wall_clock,
            http_addr: config.advertised_http_addr().to_string(),
            scheme: if config.client_tls().is_some() { "https" } else { "http" },
            cluster_name: config.cluster_name.clone(),
            self_preservation: config.self_preservation_settings(),
            audit: config.audit,
            max_body_bytes: config.max_body_bytes,
            max_connections: config.max_connections,
            backups: Arc::new(Semaphore::new(1)),
            body_timeout: Duration::from_millis(config.request_header_timeout_ms),
            stopping: AtomicBool::new(false),
            live: Live::default(),
            listings: Semaphore::new(instances::LISTINGS_AT_ONCE),
        }
    }

    /// From now on this node is not ready, so that load balancers look elsewhere, and tells dashboards nothing.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.live.close();
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
