//! Our own types as protobuf messages and back: everything stored or sent between nodes.
//!
//! The messages are generated from `proto/`. Decoding checks what the types promise (names, known
//! statuses), so that damaged bytes end in a [`DecodeError`] and never in the registry.

mod command;
mod outcome;
mod peer_progress;
mod self_preservation;
mod state;
#[cfg(test)]
mod tests;

use crate::registry::{AppName, InstanceId, Key};

pub use command::{EncodedBatch, EncodedCommands};
pub use outcome::{decode_outcome, encode_outcome};
pub use peer_progress::{decode_peer_progress, encode_peer_progress};
pub use self_preservation::{decode_self_preservation, encode_self_preservation};
pub use state::{
    StoredKeys, decode_delta_entry, decode_lease, decode_registration, encode_delta_entry, encode_gone,
    encode_lease, encode_registration,
};

pub use crate::registry::DecodeError;

fn key(app: &str, id: &str) -> Result<Key, DecodeError> {
    Ok(Key::new(AppName::parse(app)?, InstanceId::parse(id)?))
}
