//! One line in the log for each change of role, with its reason.

use openraft::ServerState;
use openraft::async_runtime::watch::WatchReceiver;

use super::consensus::{Consensus, role};
use super::types::NodeId;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Standing {
    state: ServerState,
    leader: Option<NodeId>,
    term: u64,
}

/// Runs until Raft stops; `changed` is told on every change whether this node leads now.
pub async fn follow_roles(consensus: Consensus, mut changed: impl FnMut(bool)) {
    let mut metrics = consensus.raft.server_metrics();
    let mut before: Option<Standing> = None;
    let mut last_leader = None;
    loop {
        let now = {
            let metrics = metrics.borrow_and_update();
            let term = metrics.vote.leader_id.term;
            Standing { state: metrics.state, leader: metrics.current_leader, term }
        };
        if before != Some(now) {
            report(&consensus, before, now);
            changed(now.state == ServerState::Leader);
            let leader = now.leader.map(|leader| (leader, now.term));
            if leader.is_some() && leader != last_leader {
                consensus.metrics().leader_changes.inc();
                last_leader = leader;
            }
            before = Some(now);
        }
        if metrics.changed().await.is_err() {
            changed(false);
            return;
        }
    }
}

fn report(consensus: &Consensus, before: Option<Standing>, now: Standing) {
    let reason = match (now.state, now.leader) {
        (ServerState::Leader, _) => "won the election".to_owned(),
        (ServerState::Follower, Some(leader)) if leader != consensus.node_id() => {
            format!("node {leader} was elected")
        }
        (ServerState::Candidate, _) => {
            format!("heard nothing from a leader for {} ms", consensus.contact.silence().as_millis())
        }
        (ServerState::Shutdown, _) => "stopped".to_owned(),
        _ if before.is_some_and(|before| before.state == ServerState::Leader) => {
            "gave up leadership: another node stands for election, or no quorum answers".to_owned()
        }
        _ if before.is_none() => "started".to_owned(),
        _ => "an election is under way".to_owned(),
    };
    tracing::info!(
        role = role(now.state).as_str(),
        from = before.map_or("none", |before| role(before.state).as_str()),
        term = now.term,
        leader = now.leader,
        reason,
        "role changed"
    );
}
