//! Clusters of real processes: what was acknowledged stays, whoever is killed.

#[path = "../harness/mod.rs"]
mod harness;

mod acknowledged;
mod actuator;
mod allocator;
mod backup;
mod bench;
mod clients;
mod damaged;
mod dashboard;
mod deviation;
mod eureka_peers;
mod free_ports;
mod import;
mod membership;
mod metrics;
mod no_quorum;
mod read_your_writes;
mod renewals;
mod replace;
mod replication;
mod restart;
#[path = "../../src/tls/samples.rs"]
mod samples;
mod secured;
mod self_preservation;
mod snapshot;
mod start_errors;
mod stop;
mod supervised;
mod traces;
mod upgrade;
mod verbs;
mod watching;
