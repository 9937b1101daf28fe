//! Why a measurement cannot be made.

use std::io;

use thiserror::Error;

use super::connection::Failure;
use super::target::BaseUrl;

#[derive(Debug, Error)]
pub enum BenchError {
    #[error("cannot look up the host of {url}; check the name in --urls: {source}")]
    Lookup { url: BaseUrl, source: io::Error },
    #[error("cannot register instances at {url}; check that --urls has the servers' base URLs: {failure}")]
    Register { url: String, failure: Failure },
    #[error(
        "cannot read from {url} before the measurement; check that --urls has the servers' base URLs: {failure}"
    )]
    Read { url: String, failure: Failure },
    #[error(
        "{url} refuses reads with 403; a Netflix server that starts alone does so for its first five minutes, and one with \
         disableDelta always to the delta"
    )]
    Refused { url: String },
    #[error("{url} does not answer what was registered, after {waited_secs} s: {reason}")]
    Unexpected { url: String, waited_secs: u64, reason: String },
    #[error("visible asks every other server than the one it registered at; give two URLs or more in --urls")]
    OneUrl,
    #[error(
        "visible registers at each server in turn; give at least one of --connections for each URL in --urls"
    )]
    FewConnections,
    #[error("a task of the measurement failed, which is a bug: {0}")]
    Task(String),
    #[error("{error}; {left} instances could not be cancelled, and are there until their leases end")]
    Left { error: Box<BenchError>, left: u64 },
    #[error("{signal} before the end; nothing is reported")]
    Stopped { signal: &'static str },
}
