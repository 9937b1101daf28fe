//! How far Eureka servers know of changes, as a command and as state.

use crate::message;
use crate::registry::PeerProgress;

pub fn encode_peer_progress(progress: &PeerProgress) -> Vec<message::PeerProgress> {
    progress
        .iter()
        .map(|(url, at_ms)| message::PeerProgress { url: url.to_string(), at_ms: *at_ms })
        .collect()
}

pub fn decode_peer_progress(messages: &[message::PeerProgress]) -> PeerProgress {
    messages.iter().map(|message| (message.url.as_str().into(), message.at_ms)).collect()
}
