//! Our own types as protobuf messages and back: everything stored or sent between nodes.
//!
//! The messages are generated from `proto/`. Decoding checks what the types promise (names, known
//! statuses), so that damaged bytes end in a [`DecodeError`] and never in the registry.

mod command;
mod instance;
mod outcome;
mod self_preservation;
mod state;
#[cfg(test)]
mod tests;

/// The generated messages of `registry.proto`.
pub mod message {
    tonic::include_proto!("rs_registry.registry.v1");
}

pub use command::{EncodedBatch, EncodedCommands};
pub use outcome::{decode_outcome, encode_outcome};
pub use self_preservation::{decode_self_preservation, encode_self_preservation};
pub use state::{
    decode_delta_entry, decode_instance, decode_lease, decode_registration, encode_delta_entry,
    encode_instance, encode_lease, encode_registration,
};

#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("not a message of this version: {0}")]
    Malformed(#[from] prost::DecodeError),
    #[error("the message lacks {0}")]
    Missing(&'static str),
    #[error("the message has an unknown {what} ({value})")]
    UnknownConstant { what: &'static str, value: i32 },
    #[error("the message has a bad name: {0}")]
    Name(#[from] crate::registry::NameError),
}
