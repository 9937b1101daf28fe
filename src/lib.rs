//! A replicated service registry that speaks Netflix Eureka's REST protocol.
//!
//! A write comes in by [`http`], which has [`access`] tell who sends it and [`eureka`] read it,
//! makes a [`command`] of it and hands that to [`propose`]. There it joins a batch that goes into the Raft log of [`raft`], at the
//! leader straight away, from a follower by way of the leader's [`peer`] service. Once a majority
//! has it on disk it is applied to the [`registry`], the pure state machine, whose changes are then
//! in the [`view`] that readers see, with the [`lessor`] that keeps the leases' deadlines at the
//! leader, and, a little later, in [`storage`]. The outcome goes back the way the command came.
//! People look at it by the [`dashboard`], which also tells what of the [`history`] this node noted.
//! [`node`] wires all this; [`cli`] starts it, and is a client too, by the [`http_client`]: [`import`] takes over what
//! other servers list.

pub mod access;
pub mod audit;
pub mod bench;
pub mod cli;
pub mod config;
pub mod logging;
pub mod node;

pub mod blocking;
pub mod command;
pub mod dashboard;
pub mod encoding;
pub mod eureka;
pub mod eureka_peers;
pub mod format;
pub mod gunzip;
pub mod history;
pub mod http;
pub mod http_client;
pub mod import;
pub mod lessor;
pub mod linearize;
pub mod message;
pub mod metrics;
pub mod peer;
#[cfg(feature = "planted-bugs")]
pub mod planted;
pub mod propose;
pub mod raft;
pub mod raise_format;
pub mod registry;
pub mod simulated;
pub mod storage;
pub mod tls;
pub mod trace;
pub mod view;
pub mod wall_clock;
pub mod watched;
