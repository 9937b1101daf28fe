//! One process of the server.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::Value;

use super::deadline::{until, until_within};
use super::http::{Credentials, Request};

/// What nodes run: the program that is built with the tests, or another build of it that `NODE_BINARY` names.
pub static SERVER: LazyLock<String> = LazyLock::new(|| {
    env::var("NODE_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_rs-registry").to_owned())
});
const LOG_TAIL_LINES: usize = 40;
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Which program a node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Built,
    /// The one after the next change of the format, as far as it is known: the executable of `tests/cluster`, in its
    /// test `upgrade::as_the_next_program`, which finds its command line in `NEXT_PROGRAM_WORDS`.
    Next,
}

/// What a process is started with; the same for each of its lives.
#[derive(Debug, Clone)]
pub struct NodeSpec {
    pub id: u64,
    pub http: SocketAddr,
    pub peer: SocketAddr,
    pub data_dir: PathBuf,
    pub log_file: PathBuf,
    /// `ID=PEER,…` of every node.
    pub initial_cluster: String,
    pub extra_flags: Vec<String>,
    pub environment: Vec<(String, String)>,
    /// The words of a command that ends by becoming the one behind it, such as `ip netns exec NAME`.
    pub wrapper: Vec<String>,
    pub program: Program,
    /// What the tests' own requests to it are sent with.
    pub credentials: Credentials,
}

impl NodeSpec {
    /// The command line, with nothing inherited that would set the server up otherwise.
    pub fn command(&self) -> Command {
        let mut command = match self.program {
            Program::Built => {
                let mut words = self.wrapper.iter().map(String::as_str).chain([SERVER.as_str()]);
                let mut command = Command::new(words.next().unwrap_or(&SERVER));
                command.args(words).args(self.words());
                command
            }
            Program::Next => {
                let this = env::current_exe().unwrap_or_else(|error| panic!("this test's file: {error}"));
                let words: Vec<String> = [SERVER.clone()].into_iter().chain(self.words()).collect();
                let mut command = Command::new(this);
                command
                    .args(["--exact", "upgrade::as_the_next_program", "--ignored", "--nocapture"])
                    .env("NEXT_PROGRAM_WORDS", Value::from(words).to_string());
                command
            }
        };
        for (name, _) in env::vars_os() {
            if name == "RUST_LOG" || name.to_string_lossy().starts_with("RS_REGISTRY_") {
                command.env_remove(name);
            }
        }
        // A debug build on a busy machine may take longer than Eureka's servers wait.
        command.env("RS_REGISTRY_REPLICATION_TIMEOUT_MS", "15000");
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command
    }

    fn words(&self) -> Vec<String> {
        let data_dir = self.data_dir.to_string_lossy().into_owned();
        let settings = [
            ("--node-id", self.id.to_string()),
            ("--data-dir", data_dir),
            ("--http-addr", self.http.to_string()),
            ("--peer-addr", self.peer.to_string()),
            ("--initial-cluster", self.initial_cluster.clone()),
        ];
        let settings = settings.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]);
        ["serve".to_owned()].into_iter().chain(settings).chain(self.extra_flags.iter().cloned()).collect()
    }
}

/// The part of `/api/cluster` that tests look at.
#[derive(Debug, Clone, Deserialize)]
pub struct ClusterView {
    pub node_id: u64,
    pub role: String,
    pub leader_id: Option<u64>,
    pub term: u64,
    pub last_log_index: Option<u64>,
    pub applied_index: Option<u64>,
    pub snapshot_index: Option<u64>,
    pub purged_index: Option<u64>,
    pub state_hash: Value,
    pub nodes: BTreeMap<String, Value>,
}

impl ClusterView {
    pub fn leads(&self) -> bool {
        self.role == "leader" && self.leader_id == Some(self.node_id)
    }
}

/// A server process, killed when this is dropped; its log's tail is printed when the test failed.
pub struct Node {
    pub spec: NodeSpec,
    child: Option<Child>,
}

impl Node {
    /// A node that does not run yet.
    pub fn new(spec: NodeSpec) -> Self {
        Self { spec, child: None }
    }

    /// Starts the process and does not wait for it.
    pub fn spawn(spec: NodeSpec) -> Self {
        let mut node = Self::new(spec);
        node.start();
        node
    }

    /// Starts the process, on the data of its lives before.
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "node {} runs already", self.spec.id);
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.spec.log_file)
            .unwrap_or_else(|error| panic!("{}: {error}", self.spec.log_file.display()));
        let errors = log.try_clone().unwrap_or_else(|error| panic!("a second handle of the log: {error}"));
        let child = self.spec.command().stdout(log).stderr(errors).spawn();
        self.child = Some(child.unwrap_or_else(|error| panic!("the server does not start: {error}")));
    }

    pub fn restart(&mut self) {
        self.kill();
        self.start();
        self.wait_ready();
    }

    /// Waits until `/readyz` answers 200.
    pub fn wait_ready(&mut self) {
        let id = self.spec.id;
        until(&format!("node {id} is ready"), || {
            if let Some(status) = self.exited() {
                panic!("node {id} ended with {status} instead of starting");
            }
            match Request::get("/readyz").with(&self.spec.credentials).send(self.spec.http) {
                Ok(response) if response.status == 200 => Ok(()),
                Ok(response) => Err(format!("/readyz answers {}", response.status)),
                Err(error) => Err(error.to_string()),
            }
        });
    }

    /// # Panics
    /// When the process is not running.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap_or_else(|| panic!("node {} is not running", self.spec.id)).id()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.is_some() && self.exited().is_none()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Fails only when the process has ended by itself, which is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM; waits for the end.
    ///
    /// # Panics
    /// When the process still runs after ten seconds.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let id = self.spec.id;
        let status = until_within(STOP_LIMIT, &format!("node {id} ends after SIGTERM"), || {
            self.exited().ok_or_else(|| "still running".to_owned())
        });
        self.child = None;
        status
    }

    /// SIGSTOP: the process stands still and its sockets stay open.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    pub fn view(&self) -> Result<ClusterView, String> {
        let request = Request::get("/api/cluster").with(&self.spec.credentials);
        let response = request.send(self.spec.http).map_err(|error| error.to_string())?;
        if response.status != 200 {
            return Err(format!("/api/cluster answers {}", response.status));
        }
        let text = response.text();
        serde_json::from_str(&text).map_err(|error| format!("{error} in {text}"))
    }

    /// The whole of what the process has written to stdout and stderr in all its lives.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.spec.log_file).unwrap_or_default()
    }

    /// How the process has ended, if it has.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        let child = self.child.as_mut()?;
        child.try_wait().unwrap_or_else(|error| panic!("waiting for node {}: {error}", self.spec.id))
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().unwrap_or_else(|| panic!("node {} is not running", self.spec.id));
        kill_process(Pid::from_child(child), signal)
            .unwrap_or_else(|error| panic!("{signal:?} to node {}: {error}", self.spec.id));
    }

    /// Tells a node that crashed, or that someone else killed, from one that this test ended.
    fn print_end(&mut self) {
        let end = match self.child.as_mut().map(Child::try_wait) {
            None => "was ended by the test".to_owned(),
            Some(Ok(None)) => "runs".to_owned(),
            Some(Ok(Some(status))) => format!("ended by itself: {status}"),
            Some(Err(error)) => format!("cannot be waited for: {error}"),
        };
        eprintln!("--- node {}: {end}", self.spec.id);
    }

    fn print_log_tail(&self) {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let tail = &lines[lines.len().saturating_sub(LOG_TAIL_LINES)..];
        eprintln!("--- node {}: last {} of {} lines", self.spec.id, tail.len(), lines.len());
        for line in tail {
            eprintln!("{line}");
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if thread::panicking() {
            self.print_end();
            self.print_log_tail();
        }
        self.kill();
    }
}
