//! What a request can come to instead of an answer.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use hyper_util::client::legacy;

/// Why there is no answer. Servers are named by host and port, never with credentials.
#[derive(Debug, thiserror::Error)]
pub enum HttpClientError {
    /// No request was sent.
    #[error("cannot reach {authority}; is it running, and is this its URL?")]
    Connect { authority: String, source: legacy::Error },
    #[error("{authority} does not answer within {} s", patience.as_secs_f32())]
    Timeout { authority: String, patience: Duration },
    #[error("{authority} answers with more than {max_bytes} bytes, which is no answer to this")]
    TooLarge { authority: String, max_bytes: usize },
    /// The connection ended, or what came is no HTTP.
    #[error("{authority} broke off; try again")]
    Broken { authority: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{authority} calls gzip what is not; is there a proxy before it that spoils its answers?")]
    Gzip { authority: String, source: io::Error },
    #[error("the request to {authority} cannot be written")]
    Request { authority: String, source: hyper::http::Error },
    #[error("cannot read {}; it is to have the certificates of authorities", file.display())]
    CaFile { file: PathBuf, source: io::Error },
    #[error("the file of the authorities cannot be used")]
    Authorities(#[source] anyhow::Error),
    #[error("the system trusts no certificates; name a file of the authority's")]
    NoRoots(#[source] io::Error),
    #[error("there is no TLS")]
    Tls(#[from] rustls::Error),
}
