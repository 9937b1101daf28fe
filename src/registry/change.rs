//! What applying a command changed, for those who follow the registry: views, leases, storage.

use std::sync::Arc;

use super::lease::{Lease, Registration};
use super::name::Key;
use super::self_preservation::{Scope, SelfPreservation};
use super::status::Origin;

/// What was done to an instance, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Also by new metadata.
    Registered(Origin),
    Renewed(Origin),
    StatusSet(Origin),
    StatusRemoved(Origin),
    Cancelled(Origin),
    Expired,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The instance is now as `registration` says, whether it is new or replaces another.
    Put { key: Key, registration: Arc<Registration>, cause: Cause },
    /// The instance is gone.
    Removed { key: Key, cause: Cause },
    /// The lease was renewed; nothing that readers compare has changed.
    Renewed { key: Key, lease: Lease, cause: Cause },
    /// The delta gained an entry. Sequences only ascend; a key has one entry at most, the former
    /// one being dropped first.
    DeltaAdded { seq: u64, key: Key, registration: Arc<Registration> },
    /// The delta lost an entry: a newer one of the same key replaced it, or its time is over.
    DeltaDropped { seq: u64, key: Key },
    /// Self-preservation began or ended in a scope, or its reason is another; no instance has changed.
    SelfPreservation { scope: Scope, in_force: Option<SelfPreservation> },
}
