//! A process whose calls to the system are held up, or fail.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::harness::until;

/// While this is there, the calls do what was asked for.
pub struct Strace {
    strace: Child,
    trace: PathBuf,
}

impl Strace {
    /// Has some calls of a process, `fsync,fdatasync` for example, do what strace's `--inject` says, such as
    /// `error=EIO`. Returns when every thread of it is held. What was called is written to `trace`.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn attach(pid: u32, calls: &str, fault: &str, trace: PathBuf) -> Result<Self, String> {
        let strace = Command::new("strace")
            .args(["--follow-forks", "--attach", &pid.to_string()])
            .args(["-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:{fault}")])
            .arg("--output")
            .arg(&trace)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut strace = strace.map_err(|error| format!("strace: {error}"))?;
        until("strace holds the process, or ends", || {
            if let Some(status) = strace.try_wait().expect("a child") {
                return Ok(Err(format!("strace cannot attach: {status}")));
            }
            is_traced(pid).then_some(Ok(())).ok_or_else(|| "neither".to_owned())
        })?;
        Ok(Self { strace, trace })
    }

    /// Whether a process can be held here at all.
    ///
    /// # Errors
    /// Why not.
    pub fn try_out(calls: &str, fault: &str) -> Result<(), String> {
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let sleep = Command::new("sleep").arg("60").spawn();
        let mut sleep = sleep.map_err(|error| error.to_string())?;
        let attached = Self::attach(sleep.id(), calls, fault, dir.path().join("strace"));
        let ended = attached.map(Self::detach);
        sleep.kill().and_then(|()| sleep.wait()).map_err(|error| error.to_string())?;
        ended.map(drop)
    }

    /// Lets the process go, with the calls that wait now; returns what was traced.
    pub fn detach(mut self) -> String {
        let traced = fs::read_to_string(&self.trace).unwrap_or_default();
        kill_process(Pid::from_child(&self.strace), Signal::TERM).expect("strace runs");
        until("strace lets go of the process", || {
            self.strace.try_wait().expect("a child").ok_or_else(|| "it still holds it".to_owned())
        });
        traced
    }
}

/// Whether every thread of the process has a tracer.
fn is_traced(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut statuses = threads.map(|thread| fs::read_to_string(thread.path().join("status")));
    statuses.all(|status| status.is_ok_and(|status| !status.contains("TracerPid:\t0\n")))
}
