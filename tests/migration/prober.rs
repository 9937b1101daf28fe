//! Looks every service up at every server, all the time, as a client would that is about to call it.
//!
//! From when a server has first shown a service it must go on to show a live instance of it that is
//! `UP`, and from when it has first listed an instance it must list it for as long as that lives.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::harness::{Connection, Request};
use super::ledger::{Ledger, Lives};
use super::pace::LOOK_UP;
use super::story::Story;

/// For a busy machine: an answer that takes long is no gap.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// Ends its look-ups when it is dropped.
pub struct Prober {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    story: Arc<Story>,
    ledger: Arc<Ledger>,
    look_ups: AtomicU64,
    ended: AtomicBool,
}

/// A server that services are looked up at.
pub struct Watched {
    name: String,
    addr: SocketAddr,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether it has to answer.
    is_there: bool,
    shown: Shown,
}

/// What a server has shown, and has to show from then on.
#[derive(Default)]
struct Shown {
    apps: BTreeSet<String>,
    /// Application and id to the life that was listed.
    lives: BTreeMap<(String, String), u64>,
}

impl Prober {
    pub fn new(story: &Arc<Story>, ledger: &Arc<Ledger>) -> Self {
        let (story, ledger) = (story.clone(), ledger.clone());
        let shared = Shared { story, ledger, look_ups: AtomicU64::new(0), ended: AtomicBool::new(false) };
        Self { shared: Arc::new(shared), threads: Vec::new() }
    }

    /// Looks services up at this server, too, from when that is said to be there.
    pub fn watch(&mut self, name: String, addr: SocketAddr) -> Arc<Watched> {
        let watched = Arc::new(Watched { name, addr, state: Mutex::default() });
        let (shared, of_thread) = (self.shared.clone(), watched.clone());
        self.threads.push(thread::spawn(move || {
            while !shared.ended.load(Ordering::Relaxed) {
                shared.look_up_all(&of_thread);
                thread::sleep(LOOK_UP);
            }
        }));
        watched
    }

    pub fn look_ups(&self) -> u64 {
        self.shared.look_ups.load(Ordering::Relaxed)
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                eprintln!("a thread that looks services up has panicked");
            }
        }
    }
}

impl Watched {
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_there(&self) -> bool {
        self.state().is_there
    }

    /// It has to answer from here on, and to show what it has shown before.
    pub fn comes(&self) {
        self.state().is_there = true;
    }

    /// It has to answer from here on, and has forgotten what it has shown before.
    pub fn comes_empty(&self) {
        *self.state() = State { is_there: true, shown: Shown::default() };
    }

    /// To be told before it is stopped: it need not answer from here on.
    pub fn goes(&self) {
        self.state().is_there = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn look_up_all(&self, watched: &Watched) {
        let mut connection = None;
        for app in self.ledger.apps() {
            if !watched.is_there() {
                return;
            }
            let before = self.ledger.lives(&app);
            let listed = look_up(&mut connection, watched.addr, &app);
            let after = self.ledger.lives(&app);
            self.look_ups.fetch_add(1, Ordering::Relaxed);
            let mut state = watched.state();
            // It may have gone meanwhile.
            if !state.is_there {
                return;
            }
            let faults = match &listed {
                Ok(listed) => state.shown.faults(&app, listed, &before, &after),
                Err(error) => vec![format!("does not answer a look-up of {app}: {error}")],
            };
            let nothing = BTreeMap::new();
            for fault in faults {
                let (living, listed) =
                    (after.keys().collect::<Vec<_>>(), listed.as_ref().unwrap_or(&nothing));
                self.story.violated(&format!(
                    "{} {fault}; living are {living:?}, listed are {listed:?}",
                    watched.name
                ));
            }
            if listed.is_err() {
                return;
            }
        }
    }
}

impl Shown {
    /// What is wrong with what is listed of an application, by who lived before the look-up and after it.
    fn faults(
        &mut self,
        app: &str,
        listed: &BTreeMap<String, String>,
        before: &Lives,
        after: &Lives,
    ) -> Vec<String> {
        let mut faults = Vec::new();
        let lived = |id: &String| before.contains_key(id) || after.contains_key(id);
        let is_up = listed.iter().any(|(id, status)| status == "UP" && lived(id));
        if is_up {
            self.apps.insert(app.to_owned());
        } else if self.apps.contains(app) && !before.is_empty() && !after.is_empty() {
            faults.push(format!("shows no live instance of {app} that is UP"));
        }
        for (id, life) in before.iter().filter(|(id, life)| after.get(*id) == Some(life)) {
            let key = (app.to_owned(), id.clone());
            if listed.contains_key(id) {
                self.lives.insert(key, *life);
            } else if self.lives.get(&key) == Some(life) {
                faults.push(format!("lists {app}/{id} no more, which lives"));
            }
        }
        faults
    }
}

/// The statuses of an application's instances by id.
fn look_up(
    connection: &mut Option<Connection>,
    addr: SocketAddr,
    app: &str,
) -> Result<BTreeMap<String, String>, String> {
    let request = Request::get(&format!("/eureka/apps/{app}")).accept_json();
    let told = |error: std::io::Error| error.to_string();
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(Connection::open(addr, ANSWER_LIMIT).map_err(told)?),
    };
    connection.send(&request.bytes(addr)).map_err(told)?;
    let response = connection.receive(request.method()).map_err(told)?;
    match response.status {
        404 => Ok(BTreeMap::new()),
        200 => {
            let body = response.value();
            let instances = body["application"]["instance"].as_array().into_iter().flatten();
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            Ok(instances.map(|instance| (text(&instance["instanceId"]), text(&instance["status"]))).collect())
        }
        status => Err(status.to_string()),
    }
}
