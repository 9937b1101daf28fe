//! What every outside test stands on: real processes of the server, a client that sends exact
//! bytes, and waiting that polls instead of sleeping.
#![allow(dead_code, unused_imports, reason = "each test binary includes the whole harness and uses its part")]

mod cluster;
mod connection;
mod deadline;
mod directory;
mod document;
mod http;
mod node;
mod ports;
mod registry;
mod samples;
mod stream;
mod verbs;

pub use cluster::Cluster;
pub use connection::{Connection, exchange};
pub use deadline::{until, until_within};
pub use directory::Directory;
pub use document::Document;
pub use http::{Credentials, Request, Response};
pub use node::{ClusterView, Node, NodeSpec, Program, SERVER};
pub use ports::{free_addr, free_addr_at};
pub use registry::{Applications, applications};
pub use samples::Samples;
pub use verbs::{done, failed, run};
