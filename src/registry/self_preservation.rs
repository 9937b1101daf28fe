//! Self-preservation: leases that are kept beyond their duration, because so many fell silent together
//! that the fault is likelier to be the network's than theirs.
//!
//! Here is only what is in force, replicated so that every node can tell. Whether it begins and ends is
//! for the leader to judge, which alone knows when a lease was to end.

use std::fmt;

use super::state_hash::self_preservation_hash;
use super::{AppName, Change, Key, Outcome, Registry};

/// Whose leases are kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Cluster,
    Application(AppName),
}

impl Scope {
    /// The application, if it is one's.
    pub fn application(&self) -> Option<&AppName> {
        match self {
            Scope::Cluster => None,
            Scope::Application(app) => Some(app),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Cluster => f.write_str("the cluster"),
            Scope::Application(app) => write!(f, "application {app}"),
        }
    }
}

/// How many of the leases of a scope are silent: run out, or about to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    pub silent: u32,
    pub leases: u32,
}

/// Self-preservation in force in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelfPreservation {
    /// Epoch milliseconds of the log's clock.
    pub since_ms: i64,
    /// As the leader last saw it.
    pub silence: Silence,
}

impl Registry {
    /// What is in force, in the order of its scopes.
    pub fn self_preservation(&self) -> impl Iterator<Item = (&Scope, &SelfPreservation)> {
        self.self_preservation.iter()
    }

    /// The leases of a scope whose time is over at `now_ms`, epoch milliseconds. Close to what the leader
    /// holds there, which knows it better: by its own clock, and from when it leads.
    pub fn overdue(&self, scope: &Scope, now_ms: i64) -> impl Iterator<Item = Key> {
        let of_scope = |app: &AppName| scope.application().is_none_or(|of| of == app);
        let applications = self.instances.applications().filter(move |(app, _)| of_scope(app));
        applications.flat_map(move |(app, instances)| {
            let overdue = instances.filter(move |(_, held)| {
                let lease = &held.registration.lease;
                lease.renewed_ms.saturating_add_unsigned(lease.duration_ms) < now_ms
            });
            overdue.map(|(id, _)| Key::new(app.clone(), id.clone()))
        })
    }

    /// Puts self-preservation in force in a scope, with what it is for, or ends it there.
    pub fn set_self_preservation(
        &mut self,
        scope: Scope,
        silence: Option<Silence>,
        changes: &mut Vec<Change>,
    ) -> Outcome {
        let before = self.self_preservation.get(&scope).copied();
        let unknown = scope.application().is_some_and(|app| !self.instances.has_application(app));
        let after = silence.filter(|_| !unknown).map(|silence| SelfPreservation {
            since_ms: before.map_or(self.now_ms, |before| before.since_ms),
            silence,
        });
        if before.is_none() && after.is_none() {
            return Outcome::NotFound;
        }
        self.put_self_preservation(scope.clone(), after);
        changes.push(Change::SelfPreservation { scope, in_force: after });
        Outcome::Done
    }

    pub(super) fn put_self_preservation(&mut self, scope: Scope, after: Option<SelfPreservation>) {
        if let Some(before) = self.self_preservation.remove(&scope) {
            self.hash.remove(self_preservation_hash(&scope, &before));
        }
        if let Some(after) = after {
            self.hash.add(self_preservation_hash(&scope, &after));
            self.self_preservation.insert(scope, after);
        }
    }
}
