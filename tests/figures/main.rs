//! How fast: figures of a real cluster of three nodes, measured and printed. None is a test of time,
//! as a busy machine is slower; but a wrong answer meanwhile fails. Each figure by itself:
//!
//! `cargo test --release --test figures -- --ignored --nocapture NAME`
//!
//! `FIGURES_FLAGS` has flags for all nodes, separated by spaces. Each figure names its other settings.

#[path = "../harness/mod.rs"]
mod harness;

mod client;
mod figure;
mod fleet;
mod latency;
mod load;
mod probe;
mod tally;

mod catch_up;
mod churn;
mod disk;
mod elections_under_load;
mod expiry_lateness;
mod failover;
mod graceful_stop;
mod mass_expiry;
mod quorum_return;
mod start_up;
