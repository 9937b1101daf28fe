//! What the registry itself knows of an instance: its lease, its status, when it changed.

use super::encoded_instance::EncodedInstance;
use super::status::{Origin, Status};

/// What a reader must do with an instance found in a delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Added,
    Modified,
    Deleted,
}

/// By whose word a lease lives: of who registered or renewed it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(Default))]
pub enum Keeper {
    #[cfg_attr(test, default)]
    Client,
    /// A client that another Eureka server kept until it registered here, and that has not renewed since: what that
    /// server tells of its end is late.
    MovedClient,
    /// Another Eureka server, for its client.
    Peer,
    Import,
    /// It ran out. Only of an instance that is gone; one that was cancelled has who did that.
    Nobody,
}

impl Keeper {
    /// Whether it is a client of this cluster.
    pub fn is_client(self) -> bool {
        matches!(self, Keeper::Client | Keeper::MovedClient)
    }
}

impl From<Origin> for Keeper {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Client => Keeper::Client,
            Origin::Replication => Keeper::Peer,
            Origin::Import => Keeper::Import,
        }
    }
}

/// A lease. All times are epoch milliseconds of the log's clock, and only ever shown, never
/// compared with a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Default))]
pub struct Lease {
    pub duration_ms: u64,
    pub registered_ms: i64,
    pub renewed_ms: i64,
    /// When it was cancelled or expired; 0 while it lives.
    pub evicted_ms: i64,
    /// When the instance was first UP; 0 if it never was. Outlives re-registration.
    pub service_up_ms: i64,
    /// Moves with every registration and renewal, and is unique in the registry: an expiry names
    /// the sequence that it saw run out, and means nothing once that has moved.
    pub renew_seq: u64,
    pub keeper: Keeper,
}

/// An instance as the registry holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    pub instance: EncodedInstance,
    /// What readers see: the outcome of the override rules.
    pub status: Status,
    /// The override in force. `Some(Unknown)` is one too.
    pub overridden: Option<Status>,
    /// The client's version of the document, epoch milliseconds of the client's clock.
    pub last_dirty_ms: i64,
    pub last_updated_ms: i64,
    pub action: Action,
    pub lease: Lease,
}

impl Registration {
    /// Whether another is the same to readers and to its client, but for its times.
    pub fn says_the_same_as(&self, other: &Registration) -> bool {
        self.instance == other.instance
            && self.last_dirty_ms == other.last_dirty_ms
            && self.action == other.action
            && (self.status, self.overridden) == (other.status, other.overridden)
    }

    /// The override as documents show it: `UNKNOWN` for none.
    pub fn overridden_status(&self) -> Status {
        self.overridden.unwrap_or(Status::Unknown)
    }
}
