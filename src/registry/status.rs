//! An instance's status and the rules that decide between what a client says and what an operator
//! overrode (eureka-core's `InstanceStatusOverrideRule` chain).

use std::fmt;

/// The five statuses of Eureka's protocol, in ascending order of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    Down,
    OutOfService,
    Starting,
    Unknown,
    Up,
}

impl Status {
    pub const ALL: [Status; 5] =
        [Status::Down, Status::OutOfService, Status::Starting, Status::Unknown, Status::Up];

    /// The constant as the wire spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Down => "DOWN",
            Status::OutOfService => "OUT_OF_SERVICE",
            Status::Starting => "STARTING",
            Status::Unknown => "UNKNOWN",
            Status::Up => "UP",
        }
    }

    /// The status with exactly this spelling.
    pub fn from_exact(text: &str) -> Option<Self> {
        Status::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who sent a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    Client,
    /// Another Eureka server, passing on what its client sent.
    Replication,
    /// Somebody who copies another registry, and knows less than the two above: it changes nothing that they keep.
    Import,
}

/// The status an instance is shown with; the first rule that matches decides.
///
/// `said` is what the instance's document says, `overridden` the override in force, `existing` the
/// status of the lease that was there before, if any.
pub fn effective_status(
    said: Status,
    overridden: Option<Status>,
    existing: Option<Status>,
    origin: Origin,
) -> Status {
    if !matches!(said, Status::Up | Status::OutOfService) {
        return said;
    }
    if let Some(status) = overridden {
        return status;
    }
    match (origin, existing) {
        (Origin::Client, Some(status @ (Status::Up | Status::OutOfService))) => status,
        _ => said,
    }
}
