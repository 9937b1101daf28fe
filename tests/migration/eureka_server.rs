//! Spring Cloud's Eureka server in a JVM.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::harness::{Request, until_within};

/// The application that these servers are registered as themselves.
pub const APP: &str = "EUREKA";

/// A JVM on a busy machine takes its time.
const START_LIMIT: Duration = Duration::from_secs(300);
const STOP_LIMIT: Duration = Duration::from_secs(60);
const LOG_TAIL_LINES: usize = 60;

/// A process, killed when this is dropped; its log's tail is printed when the test failed.
pub struct EurekaServer {
    pub addr: SocketAddr,
    /// The URLs that it replicates to, copies from at its start, and registers itself at.
    peers: Vec<String>,
    /// More words of its command line.
    pub settings: Vec<String>,
    log_file: PathBuf,
    child: Option<Child>,
}

impl EurekaServer {
    /// One that does not run yet.
    pub fn new(addr: SocketAddr, peers: Vec<String>, log_file: PathBuf) -> Self {
        Self { addr, peers, settings: Vec::new(), log_file, child: None }
    }

    /// Starts the process and waits until it answers.
    pub fn start(&mut self) {
        let log = File::options().create(true).append(true).open(&self.log_file);
        let log = log.unwrap_or_else(|error| panic!("{}: {error}", self.log_file.display()));
        let errors = log.try_clone().unwrap_or_else(|error| panic!("a second handle of the log: {error}"));
        let child = self.command().stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        self.child = Some(child.unwrap_or_else(|error| panic!("java does not start: {error}")));
        let addr = self.addr;
        until_within(START_LIMIT, &format!("the Eureka server at {addr} answers"), || {
            if let Some(Ok(Some(status))) = self.child.as_mut().map(Child::try_wait) {
                panic!("the Eureka server at {addr} ended with {status} instead of starting");
            }
            match Request::get("/eureka/apps").send(addr) {
                Ok(response) if response.status == 200 => Ok(()),
                Ok(response) => Err(response.status.to_string()),
                Err(error) => Err(error.to_string()),
            }
        });
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
    pub fn terminate(&mut self) {
        let mut child = self.child.take().unwrap_or_else(|| panic!("no Eureka server runs at {}", self.addr));
        kill_process(Pid::from_child(&child), Signal::TERM)
            .unwrap_or_else(|error| panic!("SIGTERM to the Eureka server at {}: {error}", self.addr));
        until_within(STOP_LIMIT, &format!("the Eureka server at {} ends", self.addr), || {
            match child.try_wait() {
                Ok(Some(_)) => Ok(()),
                Ok(None) => Err("still running".to_owned()),
                Err(error) => panic!("the end of the Eureka server at {}: {error}", self.addr),
            }
        });
    }

    fn command(&self) -> Command {
        let application = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/migration/server/application");
        let jar = application.join("server.jar");
        assert!(jar.exists(), "{} is missing; run tests/migration/run.sh", jar.display());
        let mut command = Command::new("java");
        command.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        command.args(["-Xlog:disable", "-Xlog:all=warning:stderr"]);
        command.arg(format!("-XX:SharedArchiveFile={}", application.join("classes.jsa").display()));
        command.arg("-jar").arg(jar);
        command.arg(format!("--server.address={}", self.addr.ip()));
        command.arg(format!("--server.port={}", self.addr.port()));
        command.arg(format!("--eureka.client.service-url.defaultZone={}", self.peers.join(",")));
        command.args(&self.settings);
        command
    }
}

impl Drop for EurekaServer {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let log = fs::read_to_string(&self.log_file).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("--- the Eureka server at {}: last of {} lines", self.addr, lines.len());
            for line in &lines[lines.len().saturating_sub(LOG_TAIL_LINES)..] {
                eprintln!("{line}");
            }
        }
    }
}
