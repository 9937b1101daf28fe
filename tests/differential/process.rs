//! The process of the Eureka server.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

const LOG_TAIL_LINES: usize = 40;

/// A child that is killed when this is dropped; what it logged is printed when the test failed.
pub struct Process {
    child: Child,
    log_file: PathBuf,
}

impl Process {
    pub fn start(command: &mut Command, log_file: PathBuf) -> Self {
        let log = File::create(&log_file).unwrap_or_else(|error| panic!("{}: {error}", log_file.display()));
        let errors = log.try_clone().unwrap_or_else(|error| panic!("a second handle of the log: {error}"));
        let spawned = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        let child = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log_file }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only when the process has ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = fs::read_to_string(&self.log_file).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("--- the Eureka server: last of {} lines", lines.len());
            for line in &lines[lines.len().saturating_sub(LOG_TAIL_LINES)..] {
                eprintln!("{line}");
            }
        }
    }
}
