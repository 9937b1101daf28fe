//! The wire: recorded exchanges with a real server, and what else a node takes and refuses.

#[path = "../harness/mod.rs"]
mod harness;

mod bodies;
mod connections;
mod documents;
mod expected;
mod framing;
mod golden;
mod http_client;
mod meaning;
mod names;
mod noise;
mod replay;
mod sizes;
mod steeltoe;
