//! Nodes that are to be reached by those who may, and by nobody else.

mod certificates;
mod client_tls;
mod peer_tls;
