//! What is told while a take-over goes on.

use std::fmt;

use super::merge::DOUBT;
use super::source::SourceError;
use super::tally::Tally;
use super::writer::WriteError;
use crate::http_client::ServerUrl;

/// What happened, one line each.
#[derive(Debug)]
pub enum Event {
    SourceLost {
        url: ServerUrl,
        reason: SourceError,
    },
    SourceBack {
        url: ServerUrl,
    },
    NodesLost {
        reason: WriteError,
    },
    NodesBack,
    Changed(Tally),
    Skipped {
        name: String,
        reason: String,
    },
    /// Each minute.
    Status {
        instances: usize,
        renewed: usize,
        answering: usize,
        sources: usize,
        tally: Tally,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::SourceLost { url, reason } => write!(
                f,
                "{url} is lost, and what it alone lists is renewed for {} minutes more: {reason}",
                DOUBT.as_secs() / 60
            ),
            Event::SourceBack { url } => write!(f, "{url} is back"),
            Event::NodesLost { reason } => {
                write!(f, "nothing can be written, which goes on being tried: {reason}")
            }
            Event::NodesBack => write!(f, "a node takes what is written again"),
            Event::Changed(tally) => write!(f, "{tally}"),
            Event::Skipped { name, reason } => write!(f, "skipped {name}: {reason}"),
            Event::Status { instances, renewed, answering, sources, tally } => write!(
                f,
                "{instances} instances at {answering} of {sources} servers, {renewed} of them renewed here; in the last minute: \
                 {tally}"
            ),
        }
    }
}
