//! What clients reach servers by. Since all that clients send and are told comes by here, it is certain
//! who was told what: the servers' own logs and counts cannot tell a client's renewal from a peer's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use hyper::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use tokio::runtime::Handle;

use super::ledger::Ledger;
use super::proxy::{self, Answer, Forwarder, Message, Unanswered};
use super::story::Story;

/// What the doors of a run have seen.
pub struct Traffic {
    story: Arc<Story>,
    ledger: Arc<Ledger>,
    forwarder: Forwarder,
    renewals: AtomicU64,
}

impl Traffic {
    pub fn new(story: &Arc<Story>, ledger: &Arc<Ledger>) -> Self {
        let forwarder = Forwarder::new();
        Self { story: story.clone(), ledger: ledger.clone(), forwarder, renewals: AtomicU64::new(0) }
    }

    /// Renewals of clients that were answered.
    pub fn renewals(&self) -> u64 {
        self.renewals.load(Ordering::Relaxed)
    }
}

/// The servers that a door leads to, in the order in which they are tried; closed if there is none.
pub struct Door {
    addr: SocketAddr,
    servers: Arc<ArcSwap<Vec<SocketAddr>>>,
}

impl Door {
    pub fn open(runtime: &Handle, traffic: &Arc<Traffic>, servers: &[SocketAddr]) -> Self {
        let servers = Arc::new(ArcSwap::from_pointee(servers.to_vec()));
        let (behind, traffic) = (servers.clone(), traffic.clone());
        let addr = proxy::open(runtime, move |message| {
            let (servers, traffic) = (behind.load_full(), traffic.clone());
            async move { traffic.pass(message, &servers).await }
        });
        Self { addr, servers }
    }

    pub fn lead_to(&self, servers: &[SocketAddr]) {
        self.servers.store(Arc::new(servers.to_vec()));
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// As clients are told it.
    pub fn url(&self) -> String {
        format!("http://{}/eureka/", self.addr)
    }
}

/// A lease that a client keeps or makes, with the life that it has in the ledger.
struct Lease {
    app: String,
    id: String,
    life: Option<u64>,
}

impl Traffic {
    async fn pass(&self, message: Message, servers: &[SocketAddr]) -> Option<Answer> {
        let renewed = (message.method == Method::PUT).then(|| self.lease(&message.path)).flatten();
        for server in servers {
            match self.forwarder.send(&message, *server).await {
                Err(Unanswered::NotReached) => {}
                Err(Unanswered::Broken(reason)) => {
                    let Message { method, path, .. } = &message;
                    self.story.tell(&format!("{server} gives no answer to {method} {path}: {reason}"));
                    return None;
                }
                Ok(answer) => {
                    if let Some(lease) = renewed {
                        self.renewed(&lease, *server, answer.status);
                    }
                    return Some(answer);
                }
            }
        }
        None
    }

    /// The lease that a renewal is of, if this path is that of one.
    fn lease(&self, path: &str) -> Option<Lease> {
        let path = path.split('?').next()?.strip_prefix("/eureka/apps/")?;
        let (app, id) = path.split_once('/').filter(|(_, id)| !id.contains('/'))?;
        let plain = |text| percent_decode_str(text).decode_utf8().ok().map(String::from);
        let (app, id) = (plain(app)?, plain(id)?);
        Some(Lease { life: self.ledger.life(&app, &id), app, id })
    }

    fn renewed(&self, lease: &Lease, server: SocketAddr, status: StatusCode) {
        self.renewals.fetch_add(1, Ordering::Relaxed);
        let Lease { app, id, life } = lease;
        // Who is about to stop may renew what it has cancelled, and who is about to register what it has not.
        let lived_on = life.is_some() && *life == self.ledger.life(app, id);
        match status {
            StatusCode::NOT_FOUND if lived_on => {
                self.story.violated(&format!("{server} answers 404 to a renewal of {app}/{id}, which lives"));
            }
            StatusCode::OK => {}
            _ if lived_on => {
                self.story.tell(&format!("{server} answers {status} to a renewal of {app}/{id}"))
            }
            _ => {}
        }
    }
}
