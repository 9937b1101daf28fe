//! What systemd is told of this node (`sd_notify`): that it serves, what it is, that it runs, and that it stops.

use std::env;
use std::io;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{sleep, timeout};

use crate::blocking::blocking;
use crate::raft::{Consensus, Role};

/// How late a change of role may be told.
const LOOK: Duration = Duration::from_secs(1);
/// No watchdog is asked for more often.
const LEAST: Duration = Duration::from_millis(10);
/// A manager that reads nothing for so long does not keep a node from stopping.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells that the node serves, and then what it is, and that its runtime goes on, until it is dropped. One without a
/// quorum serves too: the first of three nodes must not wait to be started for the second one.
pub async fn keep_told(consensus: Consensus) {
    if !is_supervised() {
        return;
    }
    let watchdog = sd_notify::watchdog_enabled();
    let interval = watchdog.map_or(LOOK, |limit| (limit / 2).clamp(LEAST, LOOK));
    let mut told = standing(&consensus);
    if let Err(error) = tell(format!("READY=1\nSTATUS={told}")).await {
        tracing::warn!(%error, "the socket in NOTIFY_SOCKET takes nothing: nobody is told that this node serves");
        return;
    }
    loop {
        let now = standing(&consensus);
        let changed = (now != told).then(|| format!("STATUS={now}"));
        let alive = watchdog.map(|_| "WATCHDOG=1".to_owned());
        let news: Vec<String> = alive.into_iter().chain(changed).collect();
        if !news.is_empty()
            && let Err(error) = tell(news.join("\n")).await
        {
            tracing::debug!(%error, "the service manager was not told how this node is");
        }
        told = now;
        sleep(interval).await;
    }
}

pub async fn tell_stopping() {
    if is_supervised() {
        // The manager waits for the end of the process, whether it was told or not.
        let _ = timeout(PATIENCE, tell("STOPPING=1\nSTATUS=stopping".to_owned())).await;
    }
}

fn is_supervised() -> bool {
    env::var_os("NOTIFY_SOCKET").is_some()
}

/// By another thread, which waits while the manager is stuck: those that serve must not.
async fn tell(state: String) -> io::Result<()> {
    blocking(move || sd_notify::notify(&[NotifyState::Custom(&state)])).await.flatten()
}

fn standing(consensus: &Consensus) -> String {
    let status = consensus.status();
    let leader = status.leader_id.filter(|_| consensus.knows_leader());
    match (status.role, leader) {
        (Role::Leader, Some(_)) => format!("leads in term {}", status.term),
        (role, Some(leader)) => format!("{} of node {leader} in term {}", role.as_str(), status.term),
        (role, None) => format!("{}, knows no leader", role.as_str()),
    }
}
