//! What came of a command.

use std::sync::Arc;

use super::lease::Registration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// No such lease; or one that its client has to register anew.
    NotFound,
    /// The registry holds a newer document than the replicating server: this one.
    Conflict(Arc<Registration>),
    /// The instance would have grown beyond [`super::MAX_INSTANCE_BYTES`].
    TooLarge,
    /// How many of the named leases ended.
    Expired(u32),
}
