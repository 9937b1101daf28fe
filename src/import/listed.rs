//! An instance as a server lists it, fit to be registered here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::eureka::{ListedInstance, MAX_INSTANCE_BYTES, UnreadableInstance, shown_name, stored_size};
use crate::registry::{Action, AppName, InstanceId, Keeper, Key, Lease, Registration, Status};

/// Renewals of a lease in each of its durations.
const RENEWALS_PER_DURATION: u32 = 3;

/// What a server shows of an instance. Of its times only those are kept that tell which of two is newer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub registration: Registration,
}

/// What is not taken over, and why. Beyond a bound the rest are only counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skipped {
    /// By what can be told of their names.
    reasons: BTreeMap<String, String>,
    more: usize,
}

const MAX_REASONS: usize = 1_000;

impl Listed {
    /// Checks an instance as if its client registered it.
    ///
    /// # Errors
    /// Its name, and why it is not fit to be registered.
    pub fn check(instance: ListedInstance) -> Result<(Key, Arc<Self>), (String, String)> {
        let ListedInstance { document, renewed_ms, .. } = instance;
        let id = document.effective_id().unwrap_or("?");
        let name = format!("{}({})", shown_name(&document.app.to_uppercase()), shown_name(id));
        let app = document.app.clone();
        let accepted =
            document.into_registration(&app).map_err(|refusal| (name.clone(), refusal.to_string()))?;
        let bytes = stored_size(&accepted.instance);
        if bytes > MAX_INSTANCE_BYTES {
            let reason =
                format!("its document takes {bytes} bytes; at most {MAX_INSTANCE_BYTES} are accepted");
            return Err((name, reason));
        }
        let overridden = Some(accepted.instance.overridden_status);
        let registration = Registration {
            status: accepted.instance.status,
            overridden: overridden.filter(|status| *status != Status::Unknown),
            last_dirty_ms: accepted.last_dirty_ms.unwrap_or(0),
            last_updated_ms: 0,
            action: Action::Added,
            lease: Lease {
                duration_ms: u64::from(accepted.instance.duration_secs) * 1000,
                registered_ms: 0,
                renewed_ms,
                evicted_ms: 0,
                service_up_ms: 0,
                renew_seq: 0,
                keeper: Keeper::Import,
            },
            instance: accepted.instance.into(),
        };
        Ok((accepted.key, Arc::new(Self { registration })))
    }

    pub fn status(&self) -> Status {
        self.registration.status
    }

    pub fn overridden(&self) -> Option<Status> {
        self.registration.overridden
    }

    /// Whether readers see the same of both.
    pub fn shows_the_same(&self, other: &Self) -> bool {
        let shown = |listed: &Self| {
            let Registration { status, overridden, last_dirty_ms, .. } = listed.registration;
            (status, overridden, last_dirty_ms)
        };
        shown(self) == shown(other) && self.registration.instance == other.registration.instance
    }

    /// Between two renewals.
    pub fn renewal_interval(&self) -> Duration {
        Duration::from_millis(self.registration.lease.duration_ms) / RENEWALS_PER_DURATION
    }
}

/// The key of an instance of which nothing else needs to be fit.
pub fn key_of(instance: &ListedInstance) -> Option<Key> {
    let app = AppName::parse(&instance.document.app).ok()?;
    Some(Key::new(app, InstanceId::parse(instance.document.effective_id()?).ok()?))
}

impl Skipped {
    pub fn add(&mut self, name: String, reason: String) {
        if self.reasons.len() < MAX_REASONS || self.reasons.contains_key(&name) {
            self.reasons.insert(name, reason);
        } else {
            self.more += 1;
        }
    }

    pub fn add_unreadable(&mut self, unreadable: UnreadableInstance) {
        self.add(unreadable.name, unreadable.reason.to_string());
    }

    pub fn add_all(&mut self, others: Self) {
        for (name, reason) in others.reasons {
            self.add(name, reason);
        }
        self.more += others.more;
    }

    pub fn count(&self) -> usize {
        self.reasons.len() + self.more
    }

    /// Name and reason of those whose reason is kept.
    pub fn reasons(&self) -> impl Iterator<Item = (&str, &str)> {
        self.reasons.iter().map(|(name, reason)| (name.as_str(), reason.as_str()))
    }
}
