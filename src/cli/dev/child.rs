//! The process of one node: started, started again when it dies, and stopped.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::output::Console;
use super::ports::NodePlan;
use super::restart::{DEATHS_MAX, DEATHS_WINDOW, Deaths, RESTART_DELAY};

/// Whether the nodes are to stop, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    No,
    Gracefully,
    AtOnce,
}

/// What came of a node in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to.
    Stopped,
    /// It died too often, or could not be started.
    GaveUp,
}

/// Keeps one node running.
pub struct Keeper {
    id: u64,
    command: Command,
    console: Console,
    pid: watch::Sender<Option<u32>>,
    stop: watch::Receiver<Stop>,
}

/// Above the time a node takes to stop by itself.
const STOP_PATIENCE: Duration = Duration::from_secs(12);
/// For the last lines of a node that has ended; they are in the pipe already.
const LAST_LINES_PATIENCE: Duration = Duration::from_secs(1);

/// The command of one node of the cluster `all`.
pub fn command(program: &Path, node: &NodePlan, all: &[NodePlan], data_dir: &Path) -> Command {
    let cluster: Vec<String> = all.iter().map(|member| format!("{}={}", member.id, member.peer)).collect();
    let mut command = Command::new(program);
    command
        .arg("serve")
        .args(["--node-id", &node.id.to_string()])
        .arg("--data-dir")
        .arg(data_dir)
        .args(["--http-addr", &node.http.to_string()])
        .args(["--peer-addr", &node.peer.to_string()])
        .args(["--initial-cluster", &cluster.join(",")])
        .args(["--log-format", "human"])
        // The pipe ends with this process however it ends, and the node with the pipe.
        .arg("--stop-on-stdin-eof")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that the Ctrl-C of a terminal does not reach it past us.
        .process_group(0)
        .kill_on_drop(true);
    command
}

impl Keeper {
    /// `pid` is told the process of the node, or none while there is none.
    pub fn new(
        id: u64,
        command: Command,
        console: Console,
        pid: watch::Sender<Option<u32>>,
        stop: watch::Receiver<Stop>,
    ) -> Self {
        Self { id, command, console, pid, stop }
    }

    /// Runs the node until it is asked to stop or dies too often.
    pub async fn run(mut self) -> Ended {
        let mut deaths = Deaths::default();
        loop {
            let mut child = match self.command.spawn() {
                Ok(child) => child,
                Err(error) => {
                    self.console.say(&format!("node {} cannot be started: {error}", self.id));
                    return Ended::GaveUp;
                }
            };
            // Held here until the node has ended: `wait` would close it at once, and so ask the node to stop.
            let _stdin = child.stdin.take();
            let pid = child.id();
            let lines = self.forward_lines(&mut child);
            self.pid.send_replace(pid);

            let died = tokio::select! {
                status = child.wait() => Some(status),
                _ = self.stop.wait_for(|stop| *stop != Stop::No) => None,
            };
            if died.is_none() {
                self.stop(&mut child).await;
            }
            self.pid.send_replace(None);
            // A timeout, for a process that the node left behind could hold the pipes open.
            let _ = timeout(LAST_LINES_PATIENCE, lines.join_all()).await;

            let Some(status) = died else { return Ended::Stopped };
            let again = deaths.note(Instant::now());
            self.console.say(&obituary(self.id, pid, status, again));
            if !again {
                return Ended::GaveUp;
            }
            tokio::select! {
                () = sleep(RESTART_DELAY) => {}
                _ = self.stop.wait_for(|stop| *stop != Stop::No) => return Ended::Stopped,
            }
        }
    }

    fn forward_lines(&self, child: &mut Child) -> JoinSet<()> {
        let mut lines = JoinSet::new();
        if let Some(stdout) = child.stdout.take() {
            lines.spawn(self.console.clone().forward(self.id, stdout));
        }
        if let Some(stderr) = child.stderr.take() {
            lines.spawn(self.console.clone().forward(self.id, stderr));
        }
        lines
    }

    /// Asks the node to stop, and kills it when it takes too long or when there is no more time.
    async fn stop(&mut self, child: &mut Child) {
        if let Some(pid) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            // It may have ended meanwhile, which is what is wanted.
            let _ = kill_process(pid, Signal::TERM);
        }
        let patience = async {
            tokio::select! {
                () = sleep(STOP_PATIENCE) => {}
                _ = self.stop.wait_for(|stop| *stop == Stop::AtOnce) => {}
            }
        };
        tokio::select! {
            _ = child.wait() => {}
            () = patience => {
                self.console.say(&format!("node {} has not stopped yet and is killed", self.id));
                let _ = child.kill().await;
            }
        }
    }
}

fn obituary(id: u64, pid: Option<u32>, status: std::io::Result<ExitStatus>, again: bool) -> String {
    let process = pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
    let end = match status {
        Ok(status) => status.to_string(),
        Err(error) => format!("its end is not known: {error}"),
    };
    let next = if again {
        format!("starting it again in {} s", RESTART_DELAY.as_secs())
    } else {
        format!("{DEATHS_MAX} deaths within {} s, not starting it again", DEATHS_WINDOW.as_secs())
    };
    format!("node {id}{process} died, {end}; {next}")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::process::ExitStatusExt;

    use super::super::ports::plan;
    use super::*;

    #[test]
    fn a_node_is_told_its_place_in_the_cluster() {
        let plans = plan(2, 8761, 9761).expect("room");
        let command = command(Path::new("/bin/rs-registry"), &plans[1], &plans, Path::new("/data/node-2"));
        let arguments: Vec<_> = command.as_std().get_args().filter_map(OsStr::to_str).collect();
        assert_eq!(
            arguments.join(" "),
            "serve --node-id 2 --data-dir /data/node-2 --http-addr 127.0.0.1:8762 --peer-addr 127.0.0.1:9762 \
             --initial-cluster 1=127.0.0.1:9761,2=127.0.0.1:9762 --log-format human --stop-on-stdin-eof"
        );
    }

    #[test]
    fn a_death_is_one_line_with_its_cause() {
        let killed = obituary(1, Some(77), Ok(ExitStatus::from_raw(9)), true);
        assert_eq!(killed, "node 1 (pid 77) died, signal: 9 (SIGKILL); starting it again in 1 s");
        let failed = obituary(1, Some(77), Ok(ExitStatus::from_raw(1 << 8)), false);
        assert_eq!(
            failed,
            "node 1 (pid 77) died, exit status: 1; 5 deaths within 30 s, not starting it again"
        );
    }
}
