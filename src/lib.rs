//! A replicated service registry that speaks Netflix Eureka's REST protocol.

pub mod config;
pub mod encoding;
pub mod command;
pub mod eureka;
pub mod lessor;
pub mod peer;
pub mod propose;
pub mod raft;
pub mod registry;
pub mod view;
pub mod storage;
