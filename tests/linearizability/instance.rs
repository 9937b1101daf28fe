//! One instance, as if operations came one after the other. Leases are so long here that none ends.

use serde::Serialize;

/// Which registration: put into its metadata by the client, never the same twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Version(pub u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Status {
    Up,
    Down,
    OutOfService,
    Unknown,
}

impl Status {
    pub const ALL: [Self; 4] = [Self::Up, Self::Down, Self::OutOfService, Self::Unknown];

    /// As the wire spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "UP",
            Self::Down => "DOWN",
            Self::OutOfService => "OUT_OF_SERVICE",
            Self::Unknown => "UNKNOWN",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Action {
    /// With a document that says `UP`, asks for no override and has no `lastDirtyTimestamp`: it
    /// replaces any other.
    Register(Version),
    Renew,
    Cancel,
    SetOverride(Status),
    /// With the status to show from then on, if any is asked for.
    RemoveOverride(Option<Status>),
    Read,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Answer {
    /// 200 or 204.
    Done,
    NotFound,
    Shown(Registered),
}

/// An instance that is there, as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Registered {
    pub version: Version,
    pub status: Status,
    pub overridden: Option<Status>,
}

/// The answer that an action must have, and what the instance is from then on; `None` if there is none.
pub fn step(instance: Option<Registered>, action: Action) -> (Answer, Option<Registered>) {
    match (action, instance) {
        (Action::Register(version), former) => (Answer::Done, Some(registered(version, former))),
        (_, None) => (Answer::NotFound, None),
        (Action::Cancel, Some(_)) => (Answer::Done, None),
        (Action::Read, Some(shown)) => (Answer::Shown(shown), instance),
        // Its client has to register anew.
        (Action::Renew, Some(Registered { status: Status::Unknown, .. })) => (Answer::NotFound, instance),
        (Action::Renew, Some(_)) => (Answer::Done, instance),
        (Action::SetOverride(status), Some(former)) => (Answer::Done, Some(overridden(former, status))),
        (Action::RemoveOverride(status), Some(former)) => (Answer::Done, Some(released(former, status))),
    }
}

fn registered(version: Version, former: Option<Registered>) -> Registered {
    let overridden = former.and_then(|former| former.overridden);
    let shown = former.map(|former| former.status).filter(|status| *status == Status::OutOfService);
    let status = overridden.or(shown).unwrap_or(Status::Up);
    Registered { version, status, overridden }
}

fn overridden(former: Registered, status: Status) -> Registered {
    match former.status == status {
        // It is shown already, and no override begins.
        true => former,
        false => Registered { status, overridden: Some(status), ..former },
    }
}

fn released(former: Registered, status: Option<Status>) -> Registered {
    match former.overridden {
        None => former,
        Some(_) => Registered { status: status.unwrap_or(Status::Unknown), overridden: None, ..former },
    }
}
