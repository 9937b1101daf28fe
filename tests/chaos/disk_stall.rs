//! A disk that does not answer for ten seconds: every `fdatasync` and its like takes that long.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::harness::until;
use super::skip::print_skipped;
use super::trial::Trial;

const STALL: Duration = Duration::from_secs(10);
const SYNCS: &str = "fdatasync,fsync,sync_file_range";

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_disk_of_the_leader_stalls() {
    stall("stalled disk of the leader", |trial| vec![trial.cluster.leader()], |trial| trial.until_renewed());
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_disk_of_a_follower_stalls() {
    stall(
        "stalled disk of a follower",
        |trial| vec![trial.cluster.follower()],
        |trial| trial.until_renewed(),
    );
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_disks_of_all_nodes_stall() {
    let name = "stalled disks of all nodes";
    stall(name, |trial| (0..trial.cluster.nodes.len()).collect(), assert_nothing_is_written);
}

/// Stalls the disks of the nodes at these places, and has a look meanwhile.
fn stall(name: &str, places: impl FnOnce(&mut Trial) -> Vec<usize>, look: impl FnOnce(&mut Trial)) {
    if let Err(reason) = try_out() {
        return print_skipped(name, &reason);
    }
    let mut trial = Trial::start(name);
    trial.fault(|trial| {
        let places = places(trial);
        let stalls: Vec<Stall> = places
            .iter()
            .map(|place| {
                let trace = trial.cluster.scratch(&format!("strace-{place}"));
                let pid = trial.cluster.nodes[*place].pid();
                Stall::begin(pid, trace).expect("what could be traced before")
            })
            .collect();
        look(trial);
        trial.hold(STALL);
        stalls.into_iter().for_each(Stall::end);
    });
    trial.finish();
}

fn assert_nothing_is_written(trial: &mut Trial) {
    let renewal = trial.live_document().renew();
    for addr in trial.cluster.addrs() {
        assert_eq!(renewal.expect(addr).status, 503, "a renewal at {addr} while no disk writes");
    }
}

/// # Errors
/// Why a process cannot be held up here.
fn try_out() -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let sleep = Command::new("sleep").arg("60").spawn();
    let mut sleep = sleep.map_err(|error| error.to_string())?;
    let stall = Stall::begin(sleep.id(), dir.path().join("strace"));
    let ended = stall.map(Stall::detach);
    sleep.kill().and_then(|()| sleep.wait()).map_err(|error| error.to_string())?;
    ended.map(drop)
}

/// While this is there, each of a process' calls that wait for the disk waits at least for [`STALL`].
struct Stall {
    strace: Child,
    trace: PathBuf,
}

impl Stall {
    /// Returns when the process is held.
    ///
    /// # Errors
    /// Why it cannot be.
    fn begin(pid: u32, trace: PathBuf) -> Result<Self, String> {
        let strace = Command::new("strace")
            .args(["--follow-forks", "--attach", &pid.to_string()])
            .args(["-e", &format!("trace={SYNCS}")])
            .args(["-e", &format!("inject={SYNCS}:delay_enter={}s", STALL.as_secs())])
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

    /// Ends it.
    ///
    /// # Panics
    /// When it held up nothing.
    fn end(self) {
        // A call is written when it begins; without one nothing has waited.
        let traced = self.detach();
        let began = SYNCS.split(',').any(|call| traced.contains(&format!("{call}(")));
        assert!(began, "no call to the disk was held up: {traced}");
    }

    /// Lets the process go, with the calls that wait now; returns what was traced.
    fn detach(mut self) -> String {
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
