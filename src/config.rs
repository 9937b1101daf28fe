//! Every setting: its meaning and unit, its default, its check.
//!
//! Where a value comes from (flag, environment, file, default) is the business of `sources`; here is only what
//! it may be. The unit of a number is the end of its name.

mod address;
mod eureka_peers;
mod explain;
mod ranges;
mod security;
mod sources;
#[cfg(test)]
mod tests;
mod traces;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use serde::Deserialize;

use crate::format::{Format, Formats};

pub use address::{AddressError, HostPort, InitialCluster};
pub use eureka_peers::{EurekaPeer, EurekaPeers};
pub use explain::Explained;
pub use security::Audit;
pub use sources::{ConfigError, Flags};

/// The settings of one node. The first paragraph of each field is also the help of its flag.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args, Deserialize)]
pub struct Config {
    /// Id of this node in the cluster, from 1 on; never reused after a disk was lost
    #[arg(long, value_name = "ID")]
    pub node_id: u64,

    /// Name of the cluster, 1 to 64 of a-z A-Z 0-9 . _ -; a node never joins one of another name
    #[arg(long, value_name = "NAME", default_value = "rs-registry")]
    pub cluster_name: String,

    /// Directory of this node's log and state; created when missing
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Address to serve clients at, IP:PORT
    #[arg(long, value_name = "IP:PORT")]
    pub http_addr: SocketAddr,

    /// Address other nodes reach this node at, and that it listens at, HOST:PORT
    #[arg(long, value_name = "HOST:PORT")]
    pub peer_addr: HostPort,

    /// Address to listen at for other nodes, IP:PORT [default: what peer_addr stands for]
    ///
    /// For a host that has no address yet when the node starts, or one that is not this machine's own.
    #[arg(long, value_name = "IP:PORT")]
    #[serde(default)]
    pub peer_listen_addr: Option<SocketAddr>,

    /// Every node of the cluster when it was first started, this one included: ID=HOST:PORT,...
    #[arg(long, value_name = "ID=HOST:PORT,...")]
    pub initial_cluster: InitialCluster,

    /// Id of a node that is lost for good, whose place this new node takes; initial_cluster has the others
    ///
    /// Only its first start needs it, with an empty data_dir and a node_id above that of every node so far.
    #[arg(long, value_name = "ID")]
    #[serde(default)]
    pub replaces: Option<u64>,

    /// Waits to be added to a running cluster as a learner, by rs-registry cluster add-learner
    ///
    /// Only its first start needs it, with an empty data_dir and a node_id above that of every node so far.
    #[arg(long, value_name = "true|false", action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", default_value_t = false)]
    pub join: bool,

    /// Address of the HTTP service to show to others, HOST:PORT [default: http_addr]
    ///
    /// With a wildcard http_addr such as 0.0.0.0:8761 it is the host of peer_addr with the port of http_addr.
    #[arg(long, value_name = "HOST:PORT")]
    #[serde(default)]
    pub http_advertise: Option<HostPort>,

    /// PEM file of the certificates for clients, the node's own first; clients then use https
    ///
    /// It is read again when it changes.
    #[arg(long, value_name = "FILE")]
    #[serde(default)]
    pub tls_cert_file: Option<PathBuf>,

    /// PEM file of the private key of tls_cert_file
    #[arg(long, value_name = "FILE")]
    #[serde(default)]
    pub tls_key_file: Option<PathBuf>,

    /// PEM file of the certificates this node shows to peers, its own first; peers then use TLS
    ///
    /// Its own is for the host of peer_addr, and for both a server and a client. It is read again when it changes.
    #[arg(long, value_name = "FILE")]
    #[serde(default)]
    pub peer_tls_cert_file: Option<PathBuf>,

    /// PEM file of the private key of peer_tls_cert_file
    #[arg(long, value_name = "FILE")]
    #[serde(default)]
    pub peer_tls_key_file: Option<PathBuf>,

    /// PEM file of the authority of the peers' certificates; of no other are they taken
    #[arg(long, value_name = "FILE")]
    #[serde(default)]
    pub peer_tls_ca_file: Option<PathBuf>,

    /// TOML file of users and tokens, without whom nothing is answered then but /livez and /readyz
    ///
    /// It is read again when it changes.
    #[arg(long, value_name = "FILE")]
    #[serde(default)]
    pub auth_file: Option<PathBuf>,

    /// Whether to listen beyond loopback without TLS and authentication, for clients and peers
    #[arg(long, value_name = "true|false", action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", default_value_t = false)]
    pub insecure: bool,

    /// Writes of which the log has a line: none, changes (all but renewals) or all
    #[arg(long, value_enum, value_name = "WRITES", default_value = "changes")]
    pub audit: Audit,

    /// Requests of one address in a second, at most; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub client_requests_per_second: u32,

    /// Requests of one address at once, after a pause; 0 is as many as in a second
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub client_burst: u32,

    /// Requests under way at once, at most
    #[arg(long, value_name = "N", default_value_t = 4096)]
    pub max_requests_in_flight: usize,

    /// Milliseconds between two heartbeats of the leader to a follower
    #[arg(long, value_name = "MS", default_value_t = 100)]
    pub heartbeat_interval_ms: u64,

    /// Shortest time in milliseconds from the end of a leader's lease to an election; at least 1.5 heartbeats
    ///
    /// Three quarters of it are also how long a vote may take, the voter's disk included.
    #[arg(long, value_name = "MS", default_value_t = 150)]
    pub election_timeout_min_ms: u64,

    /// Longest such time in milliseconds, and a leader's lease after each heartbeat; above the shortest
    #[arg(long, value_name = "MS", default_value_t = 300)]
    pub election_timeout_max_ms: u64,

    /// Newest format that the cluster is to write, so that its nodes can go back to a program that reads none newer
    ///
    /// Without it that is the newest that the programs of all members read. It is never lowered.
    #[arg(long, value_name = "N")]
    #[serde(default)]
    pub max_format: Option<u32>,

    /// Log entries between two snapshots
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub snapshot_entries: u64,

    /// Bytes of log between two snapshots
    #[arg(long, value_name = "BYTES", default_value_t = 64 * MIB)]
    pub snapshot_log_bytes: u64,

    /// Log entries kept behind a snapshot, for followers that lag
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub snapshot_keep_entries: u64,

    /// Milliseconds between two flushes of the state to disk; the log alone makes a write durable
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    pub state_flush_interval_ms: u64,

    /// Milliseconds between two looks of the leader for leases that ran out
    #[arg(long, value_name = "MS", default_value_t = 250)]
    pub lease_tick_ms: u64,

    /// Whether leases are kept when so many fall silent together that a network fault is likely
    #[arg(long, value_name = "true|false", action = clap::ArgAction::Set, default_value_t = true)]
    pub self_preservation: bool,

    /// Percent of the leases of an application, or of all: it begins when more of them are silent
    #[arg(long, value_name = "PERCENT", default_value_t = 15)]
    pub self_preservation_threshold_percent: u32,

    /// Milliseconds before its end from which a lease counts as silent; a third of its duration at most
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    pub self_preservation_window_ms: u64,

    /// Milliseconds a lease is kept after its end, at most
    #[arg(long, value_name = "MS", default_value_t = 600_000)]
    pub self_preservation_longest_hold_ms: u64,

    /// Milliseconds a client waits at most for a write to be on a majority
    #[arg(long, value_name = "MS", default_value_t = 2000)]
    pub write_timeout_ms: u64,

    /// Eureka servers that are told what clients do here, as their clients write them: http://HOST:PORT/eureka/,...
    ///
    /// Alike at every node, of which the leader alone tells them. In the file also tables [[eureka_peer]] with url and,
    /// where needed, password_file (of the user in the url) and ca_file.
    #[arg(long, value_name = "URL,...")]
    #[serde(default)]
    pub eureka_peer: EurekaPeers,

    /// Milliseconds a Eureka server waits at most for what it replicates to this node, which else answers 503
    ///
    /// Below the 200 ms after which Spring Cloud's servers give up; they send again what got a 503.
    #[arg(long, value_name = "MS", default_value_t = 150)]
    pub replication_timeout_ms: u64,

    /// Threads that serve clients and take part in Raft; the default is half of the processors
    #[arg(long, value_name = "N", default_value_t = half_of_the_processors())]
    pub threads: usize,

    /// HTTP connections open at once, at most
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub max_connections: usize,

    /// Bytes of a request body, at most
    #[arg(long, value_name = "BYTES", default_value_t = 1024 * 1024)]
    pub max_body_bytes: usize,

    /// Milliseconds a connection may be idle before the head of a request has arrived, and then its body
    ///
    /// Above the 30 s of Eureka's clients, which would otherwise find their connection closed at each renewal.
    #[arg(long, value_name = "MS", default_value_t = 75_000)]
    pub request_header_timeout_ms: u64,

    /// Milliseconds a graceful stop may take
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    pub stop_timeout_ms: u64,

    /// OpenTelemetry collector to send traces to, by OTLP over gRPC, such as http://127.0.0.1:4317 [default: none]
    #[arg(long, value_name = "URL")]
    #[serde(default)]
    pub otlp_endpoint: Option<String>,

    /// Of so many requests, one is traced; those with a traceparent are as that says
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub otlp_sample_one_in: u64,

    /// Form of the log lines; auto is human on a terminal and JSON elsewhere
    #[arg(long, value_enum, value_name = "FORM", default_value = "auto")]
    pub log_format: LogFormat,

    /// What to log, in the syntax of RUST_LOG, which wins over it
    #[arg(long, value_name = "FILTER", default_value = "warn,rs_registry=info")]
    pub log_filter: String,

    /// Those of the program.
    #[arg(skip)]
    #[serde(skip)]
    pub formats: Formats,
}

/// Whether, when and for how long leases are kept that fell silent together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelfPreservationSettings {
    pub enabled: bool,
    /// More than this share of the leases must be silent, in percent.
    pub threshold_percent: u32,
    /// How long before its end a lease counts as silent; a third of its duration at most.
    pub window: Duration,
    /// How long a lease is kept after its end, at most.
    pub longest_hold: Duration,
}

/// The form of log lines on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Auto,
    Human,
    Json,
}

/// A setting whose value is outside of what it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The setting's name, as in the file.
    pub key: &'static str,
    /// What is wrong, and what is wanted.
    pub problem: String,
}

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;
const CLUSTER_NAME_MAX_LEN: usize = 64;

/// # Errors
/// What is wrong with the name, and what is wanted.
pub fn check_cluster_name(name: &str) -> Result<(), String> {
    let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    match is_plain && (1..=CLUSTER_NAME_MAX_LEN).contains(&name.len()) {
        true => Ok(()),
        false => Err(format!("{name:?} is not 1 to 64 of a-z A-Z 0-9 . _ -")),
    }
}

impl Config {
    /// Where others are told to find this node's HTTP service: `http_advertise`, or else `http_addr`, unless that
    /// is a wildcard, which no one can connect to: then the host of `peer_addr` with the port of `http_addr`.
    pub fn advertised_http_addr(&self) -> HostPort {
        match &self.http_advertise {
            Some(address) => address.clone(),
            None if self.http_addr.ip().is_unspecified() => self.peer_addr.with_port(self.http_addr.port()),
            None => HostPort::from(self.http_addr),
        }
    }

    /// Up to which format this node may raise that of the cluster.
    pub fn highest_format(&self) -> Format {
        let newest = self.formats.newest();
        self.max_format.map_or(newest, |max| newest.min(Format::from_stored(max)))
    }

    pub fn self_preservation_settings(&self) -> SelfPreservationSettings {
        SelfPreservationSettings {
            enabled: self.self_preservation,
            threshold_percent: self.self_preservation_threshold_percent,
            window: Duration::from_millis(self.self_preservation_window_ms),
            longest_hold: Duration::from_millis(self.self_preservation_longest_hold_ms),
        }
    }

    /// Checks each setting by itself and against the others; the first violation is the answer.
    pub fn check(&self) -> Result<(), Violation> {
        self.check_identity()?;
        self.check_security()?;
        self.check_ranges()?;
        self.check_traces()?;
        self.check_eureka_peers()?;
        self.check_election()
    }

    fn check_identity(&self) -> Result<(), Violation> {
        check_cluster_name(&self.cluster_name)
            .map_err(|problem| Violation { key: "cluster_name", problem })?;
        if self.data_dir.as_os_str().is_empty() {
            return Err(Violation { key: "data_dir", problem: "is empty; name a directory".into() });
        }
        if self.peer_addr == HostPort::from(self.http_addr) {
            let problem = format!("{} is also http_addr; clients and peers need a port each", self.peer_addr);
            return Err(Violation { key: "peer_addr", problem });
        }
        if let Some(lost) = self.replaces.filter(|lost| self.initial_cluster.get(lost).is_some()) {
            let problem = format!("is node {lost}, which initial_cluster has too; leave it out there");
            return Err(Violation { key: "replaces", problem });
        }
        if self.join && self.replaces.is_some() {
            let problem =
                "is given with replaces, by which the node joins by itself; leave one out".to_owned();
            return Err(Violation { key: "join", problem });
        }
        match self.initial_cluster.get(&self.node_id) {
            Some(address) if *address == self.peer_addr => Ok(()),
            Some(address) => Err(Violation {
                key: "initial_cluster",
                problem: format!(
                    "has node {} at {address}, but its peer_addr is {}; they must be the same",
                    self.node_id, self.peer_addr
                ),
            }),
            None => Err(Violation {
                key: "initial_cluster",
                problem: format!(
                    "{} lacks this node; add {}={}",
                    self.initial_cluster, self.node_id, self.peer_addr
                ),
            }),
        }
    }
}

/// A request is done within some microseconds, less than it takes another processor to wake up. The other half is for
/// what waits for disks and encodes large pages, and for the system.
fn half_of_the_processors() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get().div_ceil(2))
}
