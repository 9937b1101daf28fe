//! The registry once more, in the plainest form: Eureka's rules one after the other, everything
//! looked at every time. Nothing of the real one is used but its words.

use std::collections::{BTreeMap, BTreeSet};

use crate::command::Command;
use crate::registry::{
    Action, Instance, Keeper, Key, MAX_EUREKA_PEERS, Metadata, Origin, PeerProgress, Scope, SelfPreservation,
    Silence, Status,
};

const RETENTION_MS: i64 = 3 * 60 * 1000;

/// An instance with its lease. Its sequence is the real registry's, as no rule says which it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    pub document: Instance,
    pub status: Status,
    pub overridden: Option<Status>,
    pub last_dirty_ms: i64,
    pub last_updated_ms: i64,
    pub action: Action,
    pub duration_ms: u64,
    pub registered_ms: i64,
    pub renewed_ms: i64,
    pub evicted_ms: i64,
    pub service_up_ms: i64,
    pub renew_seq: u64,
    pub keeper: Keeper,
}

#[derive(Debug, PartialEq)]
pub enum Answer {
    Done,
    NotFound,
    Conflict(Key),
    KeptByOthers,
    TooLarge,
    Expired(u32),
}

/// A document to be registered, with what its sender says beside it.
struct Registrant {
    document: Instance,
    status: Status,
    overridden: Status,
    last_dirty_ms: i64,
    duration_ms: u64,
    origin: Origin,
    /// `None`: whoever sends it.
    keeper: Option<Keeper>,
}

#[derive(Debug, Default)]
pub struct Model {
    pub now_ms: i64,
    pub leases: BTreeMap<Key, Held>,
    /// Recent changes, oldest first: when, whose, and the last of it if it is gone.
    pub recent: Vec<(i64, Key, Option<Held>)>,
    pub self_preservation: BTreeMap<Scope, SelfPreservation>,
    pub peer_progress: PeerProgress,
    /// Whose leases the last command began or renewed.
    pub renewed: BTreeSet<Key>,
}

impl Model {
    pub fn advance(&mut self, stamped_ms: i64) {
        if stamped_ms > self.now_ms {
            self.now_ms = stamped_ms;
        }
        let now_ms = self.now_ms;
        self.recent.retain(|(at_ms, _, _)| now_ms - at_ms <= RETENTION_MS);
    }

    pub fn apply(&mut self, command: &Command) -> Answer {
        self.renewed.clear();
        if self.is_kept_by_others(command) {
            return Answer::KeptByOthers;
        }
        match command {
            Command::Register { key, instance, last_dirty_ms, origin } => {
                let document = instance.decode();
                let registrant = Registrant {
                    status: document.status,
                    overridden: document.overridden_status,
                    last_dirty_ms: last_dirty_ms.unwrap_or(self.now_ms),
                    duration_ms: u64::from(document.duration_secs) * 1000,
                    origin: *origin,
                    keeper: None,
                    document,
                };
                self.register(key, registrant);
                Answer::Done
            }
            Command::Renew { key, last_dirty_ms, overridden, origin } => {
                self.renew(key, *last_dirty_ms, *overridden, *origin)
            }
            // Its client came here meanwhile.
            Command::Cancel { key, origin: Origin::Replication }
                if self.leases.get(key).is_some_and(|held| held.keeper == Keeper::MovedClient) =>
            {
                let now_ms = self.now_ms;
                self.leases.get_mut(key).unwrap().renewed_ms = now_ms;
                self.renewed.insert(key.clone());
                Answer::Done
            }
            Command::Cancel { key, origin } => match self.cancel(key, Keeper::from(*origin)) {
                true => Answer::Done,
                false => Answer::NotFound,
            },
            Command::SetStatus { key, status, last_dirty_ms, .. } => {
                self.set_status(key, *status, *last_dirty_ms)
            }
            Command::RemoveStatus { key, status, last_dirty_ms, .. } => {
                self.remove_status(key, status.unwrap_or(Status::Unknown), *last_dirty_ms)
            }
            Command::PutMetadata { key, pairs } => self.put_metadata(key, pairs),
            Command::Expire { leases } => {
                let mut expired = 0;
                for (key, seen) in leases {
                    if self.leases.get(key).is_some_and(|held| held.renew_seq == *seen) {
                        self.cancel(key, Keeper::Nobody);
                        expired += 1;
                    }
                }
                Answer::Expired(expired)
            }
            Command::SetSelfPreservation { scope, silence } => self.set_self_preservation(scope, *silence),
            Command::SetPeerProgress { progress } => {
                self.peer_progress = progress
                    .iter()
                    .take(MAX_EUREKA_PEERS)
                    .map(|(url, at_ms)| (url.clone(), *at_ms))
                    .collect();
                Answer::Done
            }
            Command::RaiseFormat { .. } => Answer::Done,
        }
    }

    /// Who copies another registry does not touch what is kept by anybody but such.
    fn is_kept_by_others(&self, command: &Command) -> bool {
        let (key, origin) = match command {
            Command::Register { key, origin, .. }
            | Command::Renew { key, origin, .. }
            | Command::Cancel { key, origin }
            | Command::SetStatus { key, origin, .. }
            | Command::RemoveStatus { key, origin, .. } => (key, *origin),
            _ => return false,
        };
        origin == Origin::Import && self.leases.get(key).is_some_and(|held| held.keeper != Keeper::Import)
    }

    fn set_self_preservation(&mut self, scope: &Scope, silence: Option<Silence>) -> Answer {
        let is_there = match scope {
            Scope::Cluster => true,
            Scope::Application(app) => self.leases.keys().any(|key| key.app == *app),
        };
        let before = self.self_preservation.remove(scope);
        match silence {
            Some(silence) if is_there => {
                let since_ms = before.map_or(self.now_ms, |before| before.since_ms);
                self.self_preservation.insert(scope.clone(), SelfPreservation { since_ms, silence });
                Answer::Done
            }
            _ if before.is_some() => Answer::Done,
            _ => Answer::NotFound,
        }
    }

    fn register(&mut self, key: &Key, mut registrant: Registrant) {
        let existing = self.leases.get(key).cloned();
        // An older document is thrown away, the stored one is registered again.
        if let Some(stored) = &existing
            && stored.last_dirty_ms > registrant.last_dirty_ms
        {
            registrant.document = stored.document.clone();
            registrant.status = stored.status;
            registrant.overridden = stored.overridden.unwrap_or(Status::Unknown);
            registrant.last_dirty_ms = stored.last_dirty_ms;
            // Other servers may be late.
            if registrant.origin != Origin::Client {
                registrant.keeper = Some(stored.keeper);
            }
        }
        let keeper = registrant.keeper.unwrap_or(match &existing {
            Some(stored)
                if registrant.origin == Origin::Client
                    && [Keeper::Peer, Keeper::MovedClient].contains(&stored.keeper) =>
            {
                Keeper::MovedClient
            }
            _ => registrant.origin.into(),
        });
        // A document plants an override where there is none.
        let mut overridden = existing.as_ref().and_then(|stored| stored.overridden);
        if overridden.is_none() && registrant.overridden != Status::Unknown {
            overridden = Some(registrant.overridden);
        }
        let existing_status = existing.as_ref().map(|stored| stored.status);
        let status = rule_chain(registrant.status, overridden, existing_status, registrant.origin);
        // Told by a server once more: the lease is renewed, and that is all.
        if registrant.origin != Origin::Client
            && let Some(stored) = &existing
            && stored.document == registrant.document
            && stored.action == Action::Added
            && stored.status == status
            && stored.overridden == overridden
            && stored.last_dirty_ms == registrant.last_dirty_ms
        {
            let now_ms = self.now_ms;
            let held = self.leases.get_mut(key).unwrap();
            held.renewed_ms = now_ms;
            held.keeper = keeper;
            self.renewed.insert(key.clone());
            return;
        }
        let mut service_up_ms = existing.map_or(0, |stored| stored.service_up_ms);
        if status == Status::Up && service_up_ms == 0 {
            service_up_ms = self.now_ms;
        }
        let held = Held {
            document: registrant.document,
            status,
            overridden,
            last_dirty_ms: registrant.last_dirty_ms,
            last_updated_ms: self.now_ms,
            action: Action::Added,
            duration_ms: registrant.duration_ms,
            registered_ms: self.now_ms,
            renewed_ms: self.now_ms,
            evicted_ms: 0,
            service_up_ms,
            renew_seq: 0,
            keeper,
        };
        self.leases.insert(key.clone(), held);
        self.renewed.insert(key.clone());
        self.changed(key, None);
    }

    fn renew(
        &mut self,
        key: &Key,
        last_dirty_ms: Option<i64>,
        asked: Option<Status>,
        origin: Origin,
    ) -> Answer {
        let now_ms = self.now_ms;
        let Some(held) = self.leases.get_mut(key) else { return Answer::NotFound };
        let status = rule_chain(held.status, held.overridden, Some(held.status), origin);
        if status == Status::Unknown {
            return Answer::NotFound;
        }
        let before = held.clone();
        held.status = status;
        held.renewed_ms = now_ms;
        held.keeper = origin.into();
        let mut answer = Answer::Done;
        if let Some(incoming) = last_dirty_ms {
            if incoming > held.last_dirty_ms {
                answer = Answer::NotFound;
                if origin != Origin::Client && asked.is_some() {
                    held.overridden = asked;
                }
            } else if incoming < held.last_dirty_ms && origin != Origin::Client {
                held.keeper = before.keeper;
                answer = Answer::Conflict(key.clone());
            }
        }
        self.renewed.insert(key.clone());
        // Eureka's readers learn of this late or never; ours as of any change.
        if (held.status, held.overridden) != (before.status, before.overridden) {
            held.action = Action::Modified;
            self.changed(key, None);
        }
        answer
    }

    fn cancel(&mut self, key: &Key, by: Keeper) -> bool {
        let Some(mut last) = self.leases.remove(key) else { return false };
        last.action = Action::Deleted;
        last.last_updated_ms = self.now_ms;
        last.evicted_ms = self.now_ms;
        last.keeper = by;
        self.changed(key, Some(last));
        true
    }

    fn set_status(&mut self, key: &Key, status: Status, last_dirty_ms: Option<i64>) -> Answer {
        let now_ms = self.now_ms;
        let Some(held) = self.leases.get_mut(key) else { return Answer::NotFound };
        held.renewed_ms = now_ms;
        self.renewed.insert(key.clone());
        if held.status != status {
            held.overridden = Some(status);
            // Not so when an override goes.
            if status == Status::Up && held.service_up_ms == 0 {
                held.service_up_ms = now_ms;
            }
            self.show(key, status, last_dirty_ms);
        }
        Answer::Done
    }

    fn remove_status(&mut self, key: &Key, status: Status, last_dirty_ms: Option<i64>) -> Answer {
        let now_ms = self.now_ms;
        let Some(held) = self.leases.get_mut(key) else { return Answer::NotFound };
        held.renewed_ms = now_ms;
        self.renewed.insert(key.clone());
        if held.overridden.is_some() {
            held.overridden = None;
            self.show(key, status, last_dirty_ms);
        }
        Answer::Done
    }

    fn show(&mut self, key: &Key, status: Status, last_dirty_ms: Option<i64>) {
        let now_ms = self.now_ms;
        let held = self.leases.get_mut(key).unwrap();
        held.status = status;
        if let Some(incoming) = last_dirty_ms
            && incoming > held.last_dirty_ms
        {
            held.last_dirty_ms = incoming;
        }
        held.action = Action::Modified;
        held.last_updated_ms = now_ms;
        self.changed(key, None);
    }

    fn put_metadata(&mut self, key: &Key, pairs: &Metadata) -> Answer {
        let Some(stored) = self.leases.get(key).cloned() else { return Answer::NotFound };
        let mut merged: Vec<(String, String)> = Vec::new();
        for (name, value) in stored.document.metadata.iter().chain(pairs.iter()) {
            match merged.iter_mut().find(|(existing, _)| existing == name) {
                Some((_, former)) => *former = value.into(),
                None => merged.push((name.into(), value.into())),
            }
        }
        // Test documents are either far below the limit or far above.
        if merged.iter().map(|(_, value)| value.len()).sum::<usize>() > 60_000 {
            return Answer::TooLarge;
        }
        let document = Instance { metadata: Metadata::from_pairs(merged), ..stored.document };
        let registrant = Registrant {
            duration_ms: u64::from(document.duration_secs) * 1000,
            document,
            status: stored.status,
            overridden: stored.overridden.unwrap_or(Status::Unknown),
            last_dirty_ms: stored.last_dirty_ms,
            origin: Origin::Client,
            keeper: Some(stored.keeper),
        };
        self.register(key, registrant);
        Answer::Done
    }

    /// Puts an instance at the end of the recent changes.
    fn changed(&mut self, key: &Key, last: Option<Held>) {
        self.recent.retain(|(_, other, _)| other != key);
        self.recent.push((self.now_ms, key.clone(), last));
    }

    /// `apps__hashcode`.
    pub fn hashcode(&self) -> String {
        let mut hashcode = String::new();
        for name in ["DOWN", "OUT_OF_SERVICE", "STARTING", "UNKNOWN", "UP"] {
            let count = self.leases.values().filter(|held| held.status.as_str() == name).count();
            if count > 0 {
                hashcode += &format!("{name}_{count}_");
            }
        }
        hashcode
    }
}

fn rule_chain(said: Status, overridden: Option<Status>, existing: Option<Status>, origin: Origin) -> Status {
    // 1. DownOrStarting
    if said != Status::Up && said != Status::OutOfService {
        return said;
    }
    // 2. OverrideExists
    if let Some(status) = overridden {
        return status;
    }
    // 3. LeaseExists
    if origin == Origin::Client && (existing == Some(Status::Up) || existing == Some(Status::OutOfService)) {
        return existing.unwrap();
    }
    // 4. AlwaysMatch
    said
}
