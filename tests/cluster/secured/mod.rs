//! Nodes that are to be reached by those who may, and by nobody else.

mod access;
mod certificates;
mod client_tls;
mod exposure;
mod flood;
mod limits;
mod peer_tls;
pub mod people;
mod whole;
