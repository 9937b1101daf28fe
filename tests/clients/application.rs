//! An application that uses a client library, steered by lines on its stdin.
//!
//! It is started with five arguments: its application name, its instance id, its VIP address, the
//! service URLs of all nodes separated by commas, and its metadata as a JSON object of strings. It
//! registers itself at 127.0.0.1:8080 with that VIP address, and the same with `-secure` at its end
//! as the secure one, under a lease of four seconds that it renews every second (`LEASE_SECS` and
//! `RENEWAL_SECS` in its environment say otherwise); where its library keeps a registry, that is
//! fetched every second, or as often as the lease is renewed. It says `ready` once it has registered,
//! and then answers each line with one line:
//!
//! | line | answer |
//! | --- | --- |
//! | `see APP` | the ids of that application's `UP` instances in the client's own registry, as a JSON list |
//! | `metadata APP ID` | the metadata of one of them, as a JSON object |
//! | `hash` | the hash that the client computes of its own registry, as a JSON string |
//! | `fetches` | `{"full": N, "delta": N}`: how often it has read the whole registry, and the delta |
//! | `read all`, `read delta` | the ids in what the client's call for that returns, as a JSON list |
//! | `read app APP`, `read vip VIP`, `read svip VIP` | the same |
//! | `read instance APP ID` | the same |
//! | `status STATUS` | `done`, after it has given its own instance that status |
//! | `stop` | `stopped`, after it has unregistered; then it ends |
//!
//! Names in lines are percent-encoded. A call that fails answers `failed:` and the reason.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use super::harness::until;

/// Longer than an answer: a virtual machine that starts on a busy one takes its time.
const START_LIMIT: Duration = Duration::from_secs(300);
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
const LOG_TAIL_LINES: usize = 80;

/// A child that is killed when this is dropped; what it wrote to stderr is printed when the test
/// failed.
pub struct Application {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    log_file: PathBuf,
}

impl Application {
    /// Starts it and waits until it has registered.
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
        let application = Self { child, stdin, lines, log_file };
        assert_eq!(application.hear(START_LIMIT), "ready");
        application
    }

    /// The answer to a command with these names.
    ///
    /// # Errors
    /// What the application says has failed.
    pub fn ask<T: DeserializeOwned>(&mut self, command: &str, names: &[&str]) -> Result<T, String> {
        let answer = self.said(command, names)?;
        serde_json::from_str(&answer)
            .map_err(|error| format!("{command} {names:?} is answered {answer}: {error}"))
    }

    /// Has the application do something.
    ///
    /// # Errors
    /// What the application says has failed.
    pub fn tell(&mut self, command: &str, names: &[&str]) -> Result<(), String> {
        match self.said(command, names)?.as_str() {
            "done" => Ok(()),
            answer => Err(format!("{command} {names:?} is answered {answer}")),
        }
    }

    /// Ends it as its users would, so that it unregisters.
    pub fn stop(mut self) {
        assert_eq!(self.said("stop", &[]), Ok("stopped".to_owned()));
        let status = until("the client ends", || match self.child.try_wait() {
            Ok(Some(status)) => Ok(status),
            Ok(None) => Err("it still runs".to_owned()),
            Err(error) => panic!("the end of the client: {error}"),
        });
        assert!(status.success(), "the client ends with {status}");
    }

    fn said(&mut self, command: &str, names: &[&str]) -> Result<String, String> {
        let mut line = command.to_owned();
        for name in names {
            line.push(' ');
            line.extend(utf8_percent_encode(name, NON_ALPHANUMERIC));
        }
        writeln!(self.stdin, "{line}").unwrap_or_else(|error| panic!("{line} to the client: {error}"));
        let answer = self.hear(ANSWER_LIMIT);
        match answer.strip_prefix("failed:") {
            Some(reason) => Err(format!("{line} failed:{reason}")),
            None => Ok(answer),
        }
    }

    fn hear(&self, limit: Duration) -> String {
        self.lines.recv_timeout(limit).unwrap_or_else(|error| panic!("the client says nothing: {error}"))
    }
}

impl Drop for Application {
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
            eprintln!("--- {}: last of {} lines", self.log_file.display(), lines.len());
            for line in &lines[lines.len().saturating_sub(LOG_TAIL_LINES)..] {
                eprintln!("{line}");
            }
        }
    }
}
