//! A line for each write: who, from where, what, at which log index.
//!
//! What a client gave is told as a field, which the log quotes: no text can look like a line of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::Extensions;

use crate::access::{ANONYMOUS, Principal};
use crate::command::Command;
use crate::config::Audit;
use crate::propose::ProposeError;
use crate::raft::{MembershipChange, MembershipError};
use crate::registry::{Key, Outcome};

/// To tell these lines from others, or to set their level.
pub const TARGET: &str = "rs_registry::audit";

/// Who sent a request, as far as that is known.
#[derive(Debug, Clone, Default)]
pub struct Requester {
    pub principal: Option<Arc<Principal>>,
    pub from: Option<SocketAddr>,
}

impl Requester {
    /// Whom the request was marked with at the door.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.principal.as_ref().map_or(ANONYMOUS, |principal| &principal.name)
    }
}

impl Audit {
    /// Tells of a write, or that it may have happened.
    pub fn tell(
        self,
        requester: &Requester,
        command: &Command,
        decided: Result<(u64, &Outcome), &ProposeError>,
    ) {
        let Some((what, key)) = told(command) else {
            return;
        };
        // What was certainly not written would fill the log of a node that can write nothing.
        let may_be_written = matches!(decided, Ok(_) | Err(ProposeError::Unknown));
        let is_wanted = match self {
            _ if !may_be_written => false,
            Audit::None => false,
            Audit::Changes => !matches!(command, Command::Renew { .. }),
            Audit::All => true,
        };
        if !is_wanted {
            return;
        }
        let outcome = match &decided {
            Ok((_, Outcome::Done | Outcome::Expired(_))) => "done",
            Ok((_, Outcome::NotFound)) => "not_found",
            Ok((_, Outcome::Conflict(_))) => "conflict",
            Ok((_, Outcome::TooLarge)) => "too_large",
            Err(_) => "unknown",
        };
        tracing::info!(
            target: TARGET,
            who = requester.name(),
            from = requester.from.map(tracing::field::display),
            what,
            app = key.app.as_str(),
            instance = key.id.as_str(),
            index = decided.ok().map(|(index, _)| index),
            outcome,
            "write"
        );
    }
}

impl Audit {
    /// Tells of a change of the members that was asked for, also of one that was refused.
    pub fn tell_of_members(
        self,
        requester: &Requester,
        change: &MembershipChange,
        changed: &Result<String, MembershipError>,
    ) {
        if self == Audit::None {
            return;
        }
        let (what, node) = match change {
            MembershipChange::AddLearner { node_id, .. } => ("add_learner", Some(*node_id)),
            MembershipChange::Promote { node_id } => ("promote", Some(*node_id)),
            MembershipChange::Remove { node_id } => ("remove", Some(*node_id)),
            MembershipChange::TransferLeader { to } => ("transfer_leader", *to),
        };
        let (outcome, told) = match changed {
            Ok(done) => ("done", done.as_str()),
            Err(MembershipError::Refused(reason)) => ("refused", reason.as_str()),
            Err(MembershipError::NoLeader) => ("not_written", "no leader"),
            Err(MembershipError::Unknown(reason)) => ("unknown", reason.as_str()),
        };
        tracing::info!(
            target: TARGET,
            who = requester.name(),
            from = requester.from.map(tracing::field::display),
            what,
            node,
            outcome,
            told,
            "change of the members"
        );
    }
}

impl Audit {
    /// Tells of a backup, by which everything is read.
    pub fn tell_of_backup(self, requester: &Requester, index: u64) {
        if self == Audit::None {
            return;
        }
        tracing::info!(
            target: TARGET,
            who = requester.name(),
            from = requester.from.map(tracing::field::display),
            what = "backup",
            index,
            "backup"
        );
    }
}

/// What clients can ask for; the leader's own commands are not theirs.
fn told(command: &Command) -> Option<(&'static str, &Key)> {
    match command {
        Command::Register { key, .. } => Some(("register", key)),
        Command::Renew { key, .. } => Some(("renew", key)),
        Command::Cancel { key, .. } => Some(("cancel", key)),
        Command::SetStatus { key, .. } => Some(("set_status", key)),
        Command::RemoveStatus { key, .. } => Some(("remove_status", key)),
        Command::PutMetadata { key, .. } => Some(("put_metadata", key)),
        Command::Expire { .. }
        | Command::SetSelfPreservation { .. }
        | Command::SetPeerProgress { .. }
        | Command::RaiseFormat { .. } => None,
    }
}
