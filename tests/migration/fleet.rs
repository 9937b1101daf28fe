//! The clients: real ones, each a process that registers itself and goes on until it is stopped.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use serde_json::json;

use super::application::Application;
use super::ledger::Ledger;
use super::pace::{LEASE, RENEWAL};
use super::program::{DEFAULT_OF_BOOT_3, DEFAULT_OF_BOOT_4, fargo, java, javascript, python};
use super::story::Story;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    SpringBoot3,
    SpringBoot4,
    Python,
    JavaScript,
    FargoXml,
    FargoJson,
}

/// An instance of a service: what it is registered as, and what it is made with.
#[derive(Debug, Clone)]
pub struct Instance {
    pub app: &'static str,
    pub id: String,
    pub library: Library,
}

/// Where clients register themselves.
#[derive(Debug, Clone)]
pub struct Side {
    pub name: &'static str,
    /// For libraries that go to one server until that fails.
    pub urls: String,
    /// For a library that takes a URL at random each time, which can work with Eureka servers only behind
    /// something that keeps to one of them.
    pub single_url: String,
}

/// Application and id.
type Key = (&'static str, String);

/// Those that run.
pub struct Fleet {
    story: Arc<Story>,
    ledger: Arc<Ledger>,
    logs: PathBuf,
    running: BTreeMap<Key, Application>,
    started: usize,
}

impl Library {
    fn command(self) -> Command {
        match self {
            Library::SpringBoot3 => java("boot-3", DEFAULT_OF_BOOT_3, &[]),
            Library::SpringBoot4 => java("boot-4", DEFAULT_OF_BOOT_4, &[]),
            Library::Python => python(),
            Library::JavaScript => javascript("full"),
            Library::FargoXml => fargo("xml"),
            Library::FargoJson => fargo("json"),
        }
    }

    fn urls(self, side: &Side) -> &str {
        match self {
            Library::FargoXml | Library::FargoJson => &side.single_url,
            _ => &side.urls,
        }
    }
}

impl Instance {
    /// Of a service, by its number among those of that service.
    pub fn new(app: &'static str, number: u32, library: Library) -> Self {
        Self { app, id: format!("127.0.0.1:{}:{number}", app.to_lowercase()), library }
    }

    fn key(&self) -> Key {
        (self.app, self.id.clone())
    }

    fn command(&self, side: &Side) -> Command {
        let mut command = self.library.command();
        command.env("RENEWAL_SECS", RENEWAL.as_secs().to_string());
        command.env("LEASE_SECS", LEASE.as_secs().to_string());
        let vip = self.app.to_lowercase();
        let metadata = json!({"zone": "a", "build_id": "77", "odd key_$": "ż <&> \"it's\"", "9lives": "cat"});
        command.args([self.app, &self.id, &vip, self.library.urls(side), &metadata.to_string()]);
        command
    }
}

impl Fleet {
    /// Nobody yet; their logs are to be in this directory.
    pub fn new(story: &Arc<Story>, ledger: &Arc<Ledger>, logs: PathBuf) -> Self {
        let (story, ledger) = (story.clone(), ledger.clone());
        Self { story, ledger, logs, running: BTreeMap::new(), started: 0 }
    }

    /// Starts all of these at once and waits until each has registered.
    pub fn start(&mut self, instances: &[Instance], side: &Side) {
        let log = |number| self.logs.join(format!("client-{number}.log"));
        let numbered = instances.iter().zip(self.started..);
        let commands = numbered.map(|(instance, number)| (instance, instance.command(side), log(number)));
        let started: Vec<(Key, Application)> = thread::scope(|scope| {
            let ledger = &self.ledger;
            let threads: Vec<_> = commands
                .map(|(instance, mut command, log_file)| {
                    scope.spawn(move || {
                        let application = Application::start(&mut command, log_file);
                        ledger.begin(instance.app, &instance.id);
                        (instance.key(), application)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("a client that starts")).collect()
        });
        for ((app, id), _) in &started {
            self.story.tell(&format!("{app}/{id} has registered at {}", side.name));
        }
        self.started += instances.len();
        self.running.extend(started);
    }

    /// Ends one as its users would, so that it unregisters.
    pub fn stop(&mut self, instance: &Instance) {
        let application = self.running.remove(&instance.key());
        let application = application.unwrap_or_else(|| panic!("{instance:?} does not run"));
        self.story.tell(&format!("{}/{} is stopped", instance.app, instance.id));
        self.ledger.end(instance.app, &instance.id);
        application.stop();
    }

    /// The ids of an application's `UP` instances that a client sees, in order.
    ///
    /// # Errors
    /// What the client says has failed.
    pub fn seen(&mut self, by: &Instance, app: &str) -> Result<Vec<String>, String> {
        let application = self.running.get_mut(&by.key());
        let mut ids: Vec<String> =
            application.unwrap_or_else(|| panic!("{by:?} does not run")).ask("see", &[app])?;
        ids.sort();
        Ok(ids)
    }

    /// Application and id of all that run.
    pub fn keys(&self) -> Vec<Key> {
        self.running.keys().cloned().collect()
    }
}
