//! How a new node takes the place of one that is lost: it asks the leader, which has it catch up as a
//! learner, and then changes the voters, both at once in a joint membership (Raft thesis, §4.3).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use openraft::ChangeMembers;
use openraft::async_runtime::watch::WatchReceiver;
use tonic::Request;

use super::consensus::{CAUGHT_UP_ENTRIES, Consensus, Role, Status};
use super::leading::Leader;
use super::peers::Peers;
use super::rpc::peer::{self, join_response::Result as Answer};
use super::types::{Node, NodeId};
use crate::format::Formats;

/// Between two times that it is asked.
const ASK_AGAIN: Duration = Duration::from_millis(500);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// A node that has not answered the leader for longer is taken for lost if a person says so.
const LOST_AFTER: Duration = Duration::from_secs(3);

/// What the leader does next for a node that wants to join.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    AddLearner,
    Wait(String),
    ChangeVoters,
    Joined,
    Refuse(String),
}

/// Asks the nodes in turn until this one is a voter in the place of the other. To be run at each start: it
/// ends at once for one that has joined.
pub async fn join(consensus: &Consensus, peers: &Peers, peer_addr: &str, replaces: NodeId) {
    let formats = consensus.formats();
    let request = peer::JoinRequest {
        node_id: consensus.node_id(),
        peer_addr: peer_addr.to_owned(),
        replaces,
        oldest_format: formats.oldest().to_stored(),
        newest_format: formats.newest().to_stored(),
    };
    let mut told = String::new();
    loop {
        if has_joined(&consensus.status(), consensus.node_id(), replaces) {
            return;
        }
        for (id, link) in peers.links() {
            let asking = async {
                let mut client = link.client().await.ok()?;
                client.join(Request::new(request.clone())).await.ok()?.into_inner().result
            };
            let answer = tokio::time::timeout(ANSWER_TIMEOUT, asking).await;
            match answer.ok().flatten() {
                Some(Answer::Joined(_)) => {
                    return tracing::info!(replaces, "this node is a voter now");
                }
                // It goes on asking: a person may change what is in the way.
                Some(Answer::Refused(reason)) if reason != told => {
                    tracing::error!(leader = id, replaces, "the cluster does not take this node: {reason}");
                    told = reason;
                }
                Some(Answer::NotYet(reason)) if reason != told => {
                    tracing::info!(leader = id, "joining: {reason}");
                    told = reason;
                }
                Some(_) => {}
                None => link.reset(),
            }
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// Keeps the peers those of the membership, once there is one. Runs until it is dropped, or Raft stops.
pub async fn keep_known(consensus: Consensus, peers: Arc<Peers>) {
    let mut changes = consensus.raft.server_metrics();
    loop {
        let nodes: Vec<(NodeId, String)> = {
            let now = changes.borrow_and_update();
            let nodes = now.membership_config.membership().nodes();
            nodes.map(|(id, node)| (*id, node.peer_addr.clone())).collect()
        };
        if nodes.iter().any(|(id, _)| *id == consensus.node_id()) {
            peers.know(nodes.into_iter().filter(|(id, _)| *id != consensus.node_id()));
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

impl Consensus {
    /// As leader, does the next thing for a node that wants to join.
    pub async fn let_join(&self, request: peer::JoinRequest) -> peer::JoinResponse {
        let answer = match self.leader() {
            Leader::ThisNode if self.knows_leader() => self.take_next(request).await,
            _ => Answer::NotLeader(true),
        };
        peer::JoinResponse { result: Some(answer) }
    }

    async fn take_next(&self, request: peer::JoinRequest) -> Answer {
        let peer::JoinRequest { node_id, peer_addr, replaces, oldest_format, newest_format } = request;
        let formats = Formats::from_stored(oldest_format, newest_format);
        if let Err(error) = formats.check("the cluster", self.machine().format()) {
            return Answer::Refused(error.to_string());
        }
        let changed = match next(&self.status(), node_id, &peer_addr, replaces) {
            Next::Joined => return Answer::Joined(true),
            Next::Refuse(reason) => {
                tracing::debug!(node_id, replaces, "a node that wants to join is refused: {reason}");
                return Answer::Refused(reason);
            }
            Next::Wait(reason) => return Answer::NotYet(reason),
            Next::AddLearner => {
                tracing::info!(node_id, replaces, peer_addr, "a new node catches up as a learner");
                self.raft.add_learner(node_id, Node { peer_addr }, false).await
            }
            Next::ChangeVoters => {
                tracing::info!(node_id, replaces, "the new node takes the place of the lost one");
                let changes = ChangeMembers::Batch(vec![
                    ChangeMembers::AddVoterIds(BTreeSet::from([node_id])),
                    ChangeMembers::RemoveVoters(BTreeSet::from([replaces])),
                ]);
                self.raft.change_membership(changes, false).await
            }
        };
        match changed {
            Ok(_) => Answer::NotYet("the membership was changed".to_owned()),
            // Another change is under way, or leadership is lost: it will ask again.
            Err(error) => Answer::NotYet(error.to_string()),
        }
    }
}

/// While both are voters the membership is a joint one, which the leader that began with it may not have ended.
fn has_joined(status: &Status, node_id: NodeId, replaces: NodeId) -> bool {
    status.voters.contains(&node_id) && !status.voters.contains(&replaces)
}

fn next(status: &Status, node_id: NodeId, peer_addr: &str, replaces: NodeId) -> Next {
    if status.role != Role::Leader {
        return Next::Wait("the leader changes".to_owned());
    }
    match status.nodes.get(&node_id) {
        Some(node) if node.peer_addr != peer_addr => {
            return Next::Refuse(format!("node {node_id} is a member already, at {}", node.peer_addr));
        }
        Some(_) if has_joined(status, node_id, replaces) => return Next::Joined,
        Some(_) if status.voters.contains(&node_id) => return Next::ChangeVoters,
        Some(_) => {}
        None => {
            let highest = status.nodes.keys().max().copied().unwrap_or(0);
            if node_id <= highest {
                return Next::Refuse(format!(
                    "node {node_id} may have been a member before, and ids are never used again; take one above {highest}"
                ));
            }
        }
    }
    if !status.voters.contains(&replaces) {
        return Next::Refuse(format!("node {replaces}, which it is to replace, is no voter"));
    }
    let answered = status.answered.get(&replaces).copied().flatten();
    if status.leader_id == Some(replaces) || answered.is_some_and(|ago| ago < LOST_AFTER) {
        return Next::Refuse(format!("node {replaces} is not lost, it answers; stop it for good first"));
    }
    if !status.nodes.contains_key(&node_id) {
        return Next::AddLearner;
    }
    let matched = status.matched.get(&node_id).copied().unwrap_or(0);
    match matched + CAUGHT_UP_ENTRIES >= status.last_log_index {
        true => Next::ChangeVoters,
        false => Next::Wait("it catches up".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const ADDR: &str = "d:1";

    /// Node 1 leads, node 2 answers, node 3 is lost, the last index is 5,000.
    fn status() -> Status {
        let node = |addr: &str| Node { peer_addr: addr.to_owned() };
        Status {
            node_id: 1,
            role: Role::Leader,
            term: 4,
            leader_id: Some(1),
            last_log_index: 5000,
            committed_index: 5000,
            applied_index: 5000,
            snapshot_index: 0,
            purged_index: 0,
            voters: BTreeSet::from([1, 2, 3]),
            learners: BTreeSet::new(),
            nodes: BTreeMap::from([(1, node("a:1")), (2, node("b:1")), (3, node("c:1"))]),
            matched: BTreeMap::from([(2, 5000), (3, 200)]),
            answered: BTreeMap::from([
                (2, Some(Duration::from_millis(20))),
                (3, Some(Duration::from_secs(60))),
            ]),
            silent_after: Duration::from_secs(1),
            last_contact: Duration::ZERO,
        }
    }

    fn with_learner(matched: u64) -> Status {
        let mut status = status();
        status.nodes.insert(4, Node { peer_addr: ADDR.to_owned() });
        status.learners.insert(4);
        status.matched.insert(4, matched);
        status
    }

    fn refusal(status: &Status, node_id: NodeId, replaces: NodeId) -> String {
        match next(status, node_id, ADDR, replaces) {
            Next::Refuse(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_new_node_catches_up_before_it_votes() {
        assert_eq!(next(&status(), 4, ADDR, 3), Next::AddLearner);
        assert!(matches!(next(&with_learner(0), 4, ADDR, 3), Next::Wait(_)));
        assert_eq!(next(&with_learner(4500), 4, ADDR, 3), Next::ChangeVoters);
        let mut joined = with_learner(5000);
        joined.voters = BTreeSet::from([1, 2, 4]);
        assert_eq!(next(&joined, 4, ADDR, 3), Next::Joined);
    }

    #[test]
    fn a_change_that_a_leader_left_half_done_is_brought_to_its_end() {
        let mut joint = with_learner(5000);
        joint.voters.insert(4);
        assert_eq!(next(&joint, 4, ADDR, 3), Next::ChangeVoters);
        // Its end does not depend on who answers by now.
        joint.answered.insert(3, Some(Duration::ZERO));
        assert_eq!(next(&joint, 4, ADDR, 3), Next::ChangeVoters);
    }

    #[test]
    fn who_answers_is_not_replaced() {
        assert!(refusal(&status(), 4, 2).contains("not lost"));
        assert!(refusal(&status(), 4, 1).contains("not lost"));
        let mut never = status();
        never.answered.insert(3, None);
        assert_eq!(next(&never, 4, ADDR, 3), Next::AddLearner);
    }

    #[test]
    fn ids_are_never_used_again() {
        let mut gap = status();
        gap.nodes.insert(7, Node::default());
        assert!(refusal(&gap, 4, 3).contains("above 7"));
        assert!(refusal(&status(), 3, 2).contains("is a member already"));
        assert!(refusal(&status(), 4, 9).contains("no voter"));
    }
}
