//! What may change in the registry, and what came of it.

use crate::format::Format;
use crate::registry::{
    Change, EncodedInstance, Key, Metadata, Origin, Outcome, PeerProgress, Registry, Scope, Silence, Status,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Register {
        key: Key,
        instance: EncodedInstance,
        /// `None`: the document has none, so that the time of the log stands in.
        last_dirty_ms: Option<i64>,
        origin: Origin,
    },
    Renew {
        key: Key,
        last_dirty_ms: Option<i64>,
        /// The override a replicating server holds; `None` for none or `UNKNOWN`.
        overridden: Option<Status>,
        origin: Origin,
    },
    Cancel {
        key: Key,
        origin: Origin,
    },
    SetStatus {
        key: Key,
        status: Status,
        last_dirty_ms: Option<i64>,
        origin: Origin,
    },
    RemoveStatus {
        key: Key,
        /// The status to show until the client registers again; `None` is `UNKNOWN`.
        status: Option<Status>,
        last_dirty_ms: Option<i64>,
        origin: Origin,
    },
    PutMetadata {
        key: Key,
        pairs: Metadata,
    },
    /// Ends leases whose time ran out at the leader, each only while its sequence is unchanged.
    Expire {
        leases: Vec<(Key, u64)>,
    },
    /// Begins self-preservation in a scope or tells its reason anew; `None` ends it.
    SetSelfPreservation {
        scope: Scope,
        silence: Option<Silence>,
    },
    /// Up to where each Eureka server knows of what clients did here; others are forgotten.
    SetPeerProgress {
        progress: PeerProgress,
    },
    /// From here on the cluster writes this format, which every member reads.
    RaiseFormat {
        to: Format,
    },
}

impl Command {
    /// Who sent it; of the leader's own commands nobody did.
    pub fn origin(&self) -> Option<Origin> {
        match self {
            Command::Register { origin, .. }
            | Command::Renew { origin, .. }
            | Command::Cancel { origin, .. }
            | Command::SetStatus { origin, .. }
            | Command::RemoveStatus { origin, .. } => Some(*origin),
            Command::PutMetadata { .. } => Some(Origin::Client),
            Command::Expire { .. }
            | Command::SetSelfPreservation { .. }
            | Command::SetPeerProgress { .. }
            | Command::RaiseFormat { .. } => None,
        }
    }

    /// Applies this command at a time of the log's clock.
    pub fn apply(self, registry: &mut Registry, changes: &mut Vec<Change>) -> Outcome {
        match self {
            Command::Register { key, instance, last_dirty_ms, origin } => {
                registry.register(key, instance, last_dirty_ms, origin, changes)
            }
            Command::Renew { key, last_dirty_ms, overridden, origin } => {
                registry.renew(&key, last_dirty_ms, overridden, origin, changes)
            }
            Command::Cancel { key, origin } => registry.cancel(&key, origin, changes),
            Command::SetStatus { key, status, last_dirty_ms, origin } => {
                registry.set_status(&key, status, last_dirty_ms, origin, changes)
            }
            Command::RemoveStatus { key, status, last_dirty_ms, origin } => {
                registry.remove_status(&key, status, last_dirty_ms, origin, changes)
            }
            Command::PutMetadata { key, pairs } => registry.put_metadata(key, &pairs, changes),
            Command::Expire { leases } => registry.expire(&leases, changes),
            Command::SetSelfPreservation { scope, silence } => {
                registry.set_self_preservation(scope, silence, changes)
            }
            Command::SetPeerProgress { progress } => registry.set_peer_progress(progress),
            Command::RaiseFormat { to } => registry.raise_format(to),
        }
    }
}
