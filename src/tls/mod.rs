//! TLS: certificates and keys from files, which are read again when they change.
//!
//! A change takes effect with the next connection; those that are open go on. Files that cannot be used leave what
//! was read before in force.

mod client_port;
mod peers;
mod pem;
#[cfg(test)]
pub(crate) mod samples;

pub use client_port::{ClientTls, client_port};
pub use peers::{PeerEnds, PeerFiles, PeerTls, peers, roots};
pub use pem::PairFiles;

/// Why there is no TLS. Each is one line that tells a person what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{file} has no certificate in PEM form: {reason}")]
    NoCertificate { file: String, reason: String },
    #[error("{file} has no private key in PEM form: {reason}")]
    NoKey { file: String, reason: String },
    #[error("{cert_file} and {key_file} do not go together: {reason}")]
    Pair { cert_file: String, key_file: String, reason: String },
}
