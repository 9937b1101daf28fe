//! Outgoing replication: tells Eureka servers what clients did here, as Eureka servers tell each other, so that this
//! cluster can be one of them while services move from one to the other.
//!
//! Only the leader does. Which changes a server has been told of is replicated ([`PeerProgress`]); a new leader finds
//! what came after that in the registry and its recent changes. What another server replicated to this cluster, or what
//! was imported, is not passed on.

mod answer;
mod items;
mod outbox;
mod progress;
mod sender;
mod standing;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::config;
use crate::eureka::MAX_OUTGOING_ITEMS;
use crate::http_client::{HttpClient, HttpClientError, ServerUrl, ServerUrlError};
use crate::raft::Observer;
use crate::registry::{Cause, Change, DELTA_RETENTION_MS, Key, Origin, PeerProgress, Registry};
use outbox::{Deed, Outbox};
use standing::Standing;

pub use progress::keep_progress;
pub use sender::send;
pub use standing::{Counted, PeerStatus};

/// Servers are named by their URL, without credentials.
#[derive(Debug, thiserror::Error)]
pub enum EurekaPeersError {
    #[error("cannot read the password of the Eureka server {peer} in {}", file.display())]
    PasswordFile { peer: Box<str>, file: PathBuf, source: io::Error },
    #[error("the password of the Eureka server {peer} cannot be used: it {source}")]
    Password { peer: Box<str>, source: ServerUrlError },
    #[error("the Eureka server {peer} cannot be asked")]
    Client { peer: Box<str>, source: Box<HttpClientError> },
}

/// The Eureka servers, and what each of them has not been told yet.
#[derive(Debug, Default)]
pub struct EurekaPeers(Vec<Arc<EurekaPeer>>);

/// One Eureka server.
#[derive(Debug)]
pub struct EurekaPeer {
    url: ServerUrl,
    /// The URL as text, by which it is known to all nodes.
    name: Box<str>,
    client: HttpClient,
    /// `None` while another node leads.
    outbox: Mutex<Option<Outbox>>,
    /// There is something to tell earlier than before.
    noted: Notify,
    epochs: AtomicU64,
    standing: Mutex<Standing>,
}

impl EurekaPeers {
    /// # Errors
    /// [`EurekaPeersError`] if a file cannot be read or used.
    pub fn new(configured: &[config::EurekaPeer]) -> Result<Self, EurekaPeersError> {
        let peers = configured.iter().map(|peer| EurekaPeer::new(peer).map(Arc::new));
        Ok(Self(peers.collect::<Result<_, _>>()?))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<EurekaPeer>> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Begins to tell what clients do, and what they did since each server was last told. To be called while nothing is
    /// applied to the registry.
    pub fn lead(&self, registry: &Registry) {
        for peer in self.iter() {
            peer.begin(registry, registry.peer_progress().get(&peer.name).copied());
        }
    }

    /// Leaves it to another node.
    pub fn follow(&self) {
        self.iter().for_each(|peer| *peer.outbox() = None);
    }

    /// How far each server is; `None` while another node leads, or none has been told of everything once.
    pub fn progress(&self, known: &PeerProgress) -> Option<PeerProgress> {
        let mut progress = PeerProgress::new();
        for peer in self.iter() {
            let reached = peer.outbox().as_ref()?.progress_ms();
            let reached = reached.max(known.get(&peer.name).copied());
            progress.extend(reached.map(|at_ms| (peer.name.clone(), at_ms)));
        }
        Some(progress)
    }

    pub fn statuses(&self) -> Vec<PeerStatus> {
        self.iter().map(|peer| peer.status()).collect()
    }
}

/// The machine tells what it applies.
impl Observer for EurekaPeers {
    fn applied(&self, changes: &[Change]) {
        for peer in self.iter() {
            if let Some(outbox) = &mut *peer.outbox() {
                let (now, due) = (Instant::now(), outbox.due(MAX_OUTGOING_ITEMS));
                changes.iter().for_each(|change| note(outbox, change, now));
                if outbox.due(MAX_OUTGOING_ITEMS).is_some_and(|earlier| due.is_none_or(|due| earlier < due)) {
                    peer.noted.notify_one();
                }
            }
        }
    }

    fn replaced(&self, registry: &Registry) {
        for peer in self.iter() {
            peer.begin_again(registry, registry.peer_progress().get(&peer.name).copied());
        }
    }
}

fn note(outbox: &mut Outbox, change: &Change, now: Instant) {
    let (key, cause, at_ms) = match change {
        Change::Put { key, registration, cause } => (key, cause, registration.last_updated_ms),
        Change::Renewed { key, lease, cause } => (key, cause, lease.renewed_ms),
        Change::Removed { key, cause } => (key, cause, outbox.last_ms()),
        Change::DeltaAdded { .. } | Change::DeltaDropped { .. } | Change::SelfPreservation { .. } => {
            return;
        }
    };
    let deed = match cause {
        Cause::Registered(Origin::Client) => Deed::Registered,
        Cause::Renewed(Origin::Client) => Deed::Renewed,
        Cause::StatusSet(Origin::Client) => Deed::StatusSet,
        Cause::StatusRemoved(Origin::Client) => Deed::StatusRemoved,
        Cause::Cancelled(Origin::Client) => Deed::Cancelled,
        _ => return,
    };
    outbox.note(key, deed, at_ms, now);
}

impl EurekaPeer {
    fn new(configured: &config::EurekaPeer) -> Result<Self, EurekaPeersError> {
        let mut url = configured.url.clone();
        let name: Box<str> = url.to_string().into();
        let peer = || name.clone();
        if let Some(file) = &configured.password_file {
            let unread = |source| EurekaPeersError::PasswordFile { peer: peer(), file: file.clone(), source };
            let password = fs::read_to_string(file).map_err(unread)?;
            let unusable = |source| EurekaPeersError::Password { peer: peer(), source };
            url = url.with_password(password.trim_end_matches(['\r', '\n'])).map_err(unusable)?;
        }
        let client = HttpClient::new(configured.ca_file.as_deref(), sender::CONNECT_TIMEOUT)
            .and_then(|client| client.prepare(slice::from_ref(&url)).map(|()| client))
            .map_err(|source| EurekaPeersError::Client { peer: peer(), source: Box::new(source) })?;
        Ok(Self {
            name,
            url,
            client,
            outbox: Mutex::default(),
            noted: Notify::new(),
            epochs: AtomicU64::new(0),
            standing: Mutex::default(),
        })
    }

    /// Begins anew with what this server has not been told of, as far as the registry shows that: what came after a
    /// time of the log's clock, or everything.
    fn begin(&self, registry: &Registry, told_ms: Option<i64>) {
        let epoch = self.epochs.fetch_add(1, Ordering::Relaxed);
        *self.outbox() = Some(missing(registry, told_ms, epoch));
        self.noted.notify_one();
    }

    /// The same, unless another node leads by now.
    fn begin_again(&self, registry: &Registry, told_ms: Option<i64>) {
        if let Some(outbox) = self.outbox().as_mut() {
            *outbox = missing(registry, told_ms, self.epochs.fetch_add(1, Ordering::Relaxed));
            self.noted.notify_one();
        }
    }

    fn outbox(&self) -> MutexGuard<'_, Option<Outbox>> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came after a time of the log's clock, as far as the registry shows that: an instance by what it is now, and what
/// was cancelled by the recent changes. Older cancellations are over: leases have run out on a server that missed them.
fn missing(registry: &Registry, told_ms: Option<i64>, epoch: u64) -> Outbox {
    let now = Instant::now();
    let mut outbox = Outbox::up_to_date_at(registry.now_ms(), epoch);
    let own = || registry.registrations().filter(|(_, held)| held.lease.keeper.is_client());
    if told_ms.is_none() {
        own().for_each(|(key, _)| outbox.introduce(&key, now));
    }
    let told_ms = told_ms.unwrap_or_else(|| registry.now_ms().saturating_sub(DELTA_RETENTION_MS));
    let recent = registry.delta().entries().filter(|(_, entry)| entry.at_ms > told_ms);
    let cancelled = recent.filter_map(|(_, entry)| {
        let last = entry.deleted.as_ref().filter(|last| last.lease.keeper.is_client());
        last.map(|_| (entry.at_ms, entry.key.clone()))
    });
    let changed = own().filter(|(_, held)| held.last_updated_ms > told_ms);
    let mut missing: Vec<(i64, Key)> =
        cancelled.chain(changed.map(|(key, held)| (held.last_updated_ms, key))).collect();
    // In the order of time, as they happened.
    missing.sort_by_key(|(at_ms, _)| *at_ms);
    for (at_ms, key) in missing {
        let deeds = match registry.get(&key) {
            None => &[Deed::Cancelled][..],
            Some(held) if held.overridden.is_some() => &[Deed::StatusSet, Deed::Registered],
            // There may have been an override that is gone.
            Some(_) => &[Deed::StatusRemoved, Deed::Registered],
        };
        deeds.iter().for_each(|deed| outbox.note(&key, *deed, at_ms, now));
    }
    outbox
}
