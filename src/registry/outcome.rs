//! What came of a command.

use std::sync::Arc;

use super::lease::Registration;

/// Most bytes of instances that the outcomes of one log entry carry together: a batch may name a large
/// instance as often as it likes.
pub const MAX_CONFLICT_BYTES: usize = 4 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// No such lease; or one that its client has to register anew.
    NotFound,
    /// The registry holds a newer document than the replicating server: this one, or `None` if there
    /// was no room for it.
    Conflict(Option<Arc<Registration>>),
    /// The instance would have grown beyond [`super::MAX_INSTANCE_BYTES`].
    TooLarge,
    /// How many of the named leases ended.
    Expired(u32),
}

/// Leaves the documents out of conflicts where all of them would be more than [`MAX_CONFLICT_BYTES`];
/// who wants those can ask for them one by one.
pub fn bound_conflicts(outcomes: &mut [Outcome]) {
    let mut carried_bytes = 0;
    for outcome in outcomes {
        if let Outcome::Conflict(Some(stored)) = outcome {
            carried_bytes += stored.instance.bytes().len();
            if carried_bytes > MAX_CONFLICT_BYTES {
                *outcome = Outcome::Conflict(None);
            }
        }
    }
}
