//! Real Eureka clients, unchanged, against a cluster whose nodes are killed under them.
//!
//! They come from other languages' package registries: `tests/clients/run.sh` fetches and builds
//! them below `target/clients` and runs these tests, which are ignored otherwise.

#[path = "../harness/mod.rs"]
mod harness;

mod application;
mod client;
mod fargo;
mod go_kit;
mod javascript;
mod netflix;
mod odd_instances;
mod program;
mod prometheus;
mod python;
mod registry_view;
mod scenario;
mod spring;
