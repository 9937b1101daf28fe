//! A client's process.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::harness::until;

const ANSWER_LIMIT: Duration = Duration::from_secs(60);
const LOG_TAIL_LINES: usize = 40;

/// A child that is killed when this is dropped; what it wrote to stderr is printed when the test
/// failed. Its stdout is read line by line.
pub struct Process {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    log_file: PathBuf,
}

impl Process {
    pub fn start(command: &mut Command, log_file: PathBuf) -> Self {
        let log = File::create(&log_file).unwrap_or_else(|error| panic!("{}: {error}", log_file.display()));
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdin = child.stdin.take().expect("a piped stdin");
        let stdout = child.stdout.take().expect("a piped stdout");
        let (sender, lines) = mpsc::channel();
        // Ends with the child's stdout.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, stdin, lines, log_file }
    }

    pub fn say(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap_or_else(|error| panic!("{line} to the client: {error}"));
    }

    /// The next line on the client's stdout.
    pub fn hear(&mut self) -> String {
        self.lines
            .recv_timeout(ANSWER_LIMIT)
            .unwrap_or_else(|error| panic!("the client says nothing: {error}"))
    }

    /// SIGTERM; waits for the end.
    pub fn terminate(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("a running client");
        until("the client ends", || match self.child.try_wait() {
            Ok(Some(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        });
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only when the process has ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let mut log = fs::read_to_string(&self.log_file).unwrap_or_default();
            for line in self.lines.try_iter() {
                log.push_str(&line);
                log.push('\n');
            }
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("--- client: last of {} lines", lines.len());
            for line in &lines[lines.len().saturating_sub(LOG_TAIL_LINES)..] {
                eprintln!("{line}");
            }
        }
    }
}
