//! Changes of the membership that an operator asks for. The leader makes them, and refuses what would cost the
//! cluster its quorum; any node passes them on to it.

use std::collections::BTreeSet;
use std::time::Duration;

use openraft::ChangeMembers;
use openraft::errors::{ChangeMembershipError, ClientWriteError, RaftError};
use tokio::time::Instant;

use super::consensus::{CAUGHT_UP_ENTRIES, Consensus, Status};
use super::leading::Leader;
use super::peers::Peers;
use super::types::{Node, NodeId};

/// How long a change may take to be committed, and a transfer to be seen.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(10);
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a new node may take to answer, and how often it is asked.
const START_TIMEOUT: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MembershipChange {
    /// A node that was started with `--join`: it gets the log, serves reads and does not vote.
    AddLearner { node_id: NodeId, peer_addr: String },
    /// Makes a learner that has caught up a voter.
    Promote { node_id: NodeId },
    /// Takes a voter or learner out for good.
    Remove { node_id: NodeId },
    TransferLeader {
        /// None: the follower that is furthest.
        to: Option<NodeId>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    /// Nothing was changed, and the reason is one that a person can do something about.
    #[error("{0}")]
    Refused(String),
    #[error("no leader with a quorum; nothing was changed, try again")]
    NoLeader,
    #[error("it may have been changed or not ({0}); look at the cluster's status")]
    Unknown(String),
}

/// What the leader is to do for a change that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Nothing(String),
    AddLearner(NodeId, String),
    AddVoter(NodeId),
    RemoveVoter(NodeId),
    RemoveLearner(NodeId),
    TransferTo(NodeId),
}

impl Consensus {
    /// Makes a change, at the leader wherever it is; what was done, in words.
    ///
    /// # Errors
    /// [`MembershipError`], which tells whether anything was changed.
    pub async fn change_membership(
        &self,
        peers: &Peers,
        change: &MembershipChange,
    ) -> Result<String, MembershipError> {
        match self.leader() {
            Leader::ThisNode => self.change_membership_as_leader(peers, change).await,
            Leader::Other(leader) => peers.change_membership(leader, change, CHANGE_TIMEOUT * 2).await,
            Leader::Unknown => Err(MembershipError::NoLeader),
        }
    }

    /// Makes a change if this node leads.
    ///
    /// # Errors
    /// [`MembershipError`], which tells whether anything was changed.
    pub async fn change_membership_as_leader(
        &self,
        peers: &Peers,
        change: &MembershipChange,
    ) -> Result<String, MembershipError> {
        if self.leader() != Leader::ThisNode || !self.knows_leader() {
            return Err(MembershipError::NoLeader);
        }
        let step = step(&self.status(), change).map_err(MembershipError::Refused)?;
        let done = match step {
            Step::Nothing(reason) => return Ok(reason),
            Step::TransferTo(successor) => return self.transfer_leader_to(successor).await,
            Step::AddLearner(node_id, peer_addr) => {
                self.see_that_it_is_there(peers, node_id, &peer_addr).await?;
                let node = Node { peer_addr: peer_addr.clone() };
                committed(self.raft.add_learner(node_id, node, false)).await?;
                format!("node {node_id} at {peer_addr} is a learner now, and catches up")
            }
            Step::AddVoter(node_id) => {
                let changes = ChangeMembers::AddVoterIds(BTreeSet::from([node_id]));
                committed(self.raft.change_membership(changes, false)).await?;
                format!("node {node_id} is a voter now")
            }
            Step::RemoveVoter(node_id) => {
                self.remove(node_id, ChangeMembers::RemoveVoters(BTreeSet::from([node_id]))).await?
            }
            Step::RemoveLearner(node_id) => {
                self.remove(node_id, ChangeMembers::RemoveNodes(BTreeSet::from([node_id]))).await?
            }
        };
        tracing::info!(?change, "the membership was changed: {done}");
        Ok(done)
    }

    async fn remove(
        &self,
        node_id: NodeId,
        changes: ChangeMembers<NodeId, Node>,
    ) -> Result<String, MembershipError> {
        committed(self.raft.change_membership(changes, false)).await?;
        Ok(format!("node {node_id} is no member any more; stop it, and never use its id again"))
    }

    /// A learner that does not answer would be taken for one that only lags. It may have been started a moment ago.
    async fn see_that_it_is_there(
        &self,
        peers: &Peers,
        node_id: NodeId,
        peer_addr: &str,
    ) -> Result<(), MembershipError> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            match peers.ask_who_is_at(node_id, peer_addr).await {
                Ok(description) => {
                    let checked = description.formats.check("the cluster", self.machine().format());
                    return checked
                        .map_err(|error| MembershipError::Refused(format!("node {node_id}: {error}")));
                }
                Err(_) if Instant::now() < deadline => tokio::time::sleep(LOOK).await,
                Err(error) => {
                    return Err(MembershipError::Refused(format!(
                        "node {node_id} of this cluster does not answer at {peer_addr} ({error}); start it with --join \
                         first"
                    )));
                }
            }
        }
    }

    async fn transfer_leader_to(&self, successor: NodeId) -> Result<String, MembershipError> {
        match self.transfer_to(successor, TRANSFER_TIMEOUT).await {
            Ok(()) => Ok(format!("node {successor} leads now")),
            Err(reason) => Err(MembershipError::Unknown(reason)),
        }
    }
}

/// Waits for a change to be in the log for good.
async fn committed<T, F>(changing: F) -> Result<(), MembershipError>
where
    F: Future<Output = Result<T, ChangeError>>,
{
    use MembershipError::{NoLeader, Refused, Unknown};
    let changed = tokio::time::timeout(CHANGE_TIMEOUT, changing).await;
    match changed {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(RaftError::APIError(ClientWriteError::ForwardToLeader(_)))) => Err(NoLeader),
        Ok(Err(RaftError::APIError(ClientWriteError::ChangeMembershipError(error)))) => Err(match error {
            ChangeMembershipError::InProgress(_) => {
                Refused("another change is under way; try again when it is done".to_owned())
            }
            error => Refused(error.to_string()),
        }),
        Ok(Err(error)) => Err(Unknown(error.to_string())),
        Err(_) => Err(Unknown("not committed in time".to_owned())),
    }
}

type ChangeError = RaftError<super::types::TypeConfig, ClientWriteError<super::types::TypeConfig>>;

/// What is to be done at the leader, or why it is not.
fn step(status: &Status, change: &MembershipChange) -> Result<Step, String> {
    match change {
        MembershipChange::AddLearner { node_id, peer_addr } => add_learner(status, *node_id, peer_addr),
        MembershipChange::Promote { node_id } => promote(status, *node_id),
        MembershipChange::Remove { node_id } => remove(status, *node_id),
        MembershipChange::TransferLeader { to } => transfer(status, *to),
    }
}

fn add_learner(status: &Status, node_id: NodeId, peer_addr: &str) -> Result<Step, String> {
    if let Some(node) = status.nodes.get(&node_id) {
        return match node.peer_addr == peer_addr {
            true => Ok(Step::Nothing(format!("node {node_id} is a member already"))),
            false => Err(format!("node {node_id} is a member already, at {}", node.peer_addr)),
        };
    }
    if let Some((other, _)) = status.nodes.iter().find(|(_, node)| node.peer_addr == peer_addr) {
        return Err(format!("node {other} is a member at {peer_addr}"));
    }
    let highest = status.nodes.keys().max().copied().unwrap_or(0);
    if node_id <= highest {
        return Err(format!(
            "node {node_id} may have been a member before, and ids are never used again; take one above {highest}"
        ));
    }
    Ok(Step::AddLearner(node_id, peer_addr.to_owned()))
}

fn promote(status: &Status, node_id: NodeId) -> Result<Step, String> {
    if status.voters.contains(&node_id) {
        return Ok(Step::Nothing(format!("node {node_id} is a voter already")));
    }
    if !status.nodes.contains_key(&node_id) {
        return Err(format!("node {node_id} is no member; add it as a learner first"));
    }
    if !status.answers(node_id) {
        return Err(format!("node {node_id} does not answer; a voter that is not there is worse than none"));
    }
    let lag = status.last_log_index.saturating_sub(status.matched.get(&node_id).copied().unwrap_or(0));
    if lag > CAUGHT_UP_ENTRIES {
        return Err(format!("node {node_id} still lacks {lag} log entries; wait until it has caught up"));
    }
    let mut voters = status.voters.clone();
    voters.insert(node_id);
    keeps_quorum(status, &voters)?;
    Ok(Step::AddVoter(node_id))
}

fn remove(status: &Status, node_id: NodeId) -> Result<Step, String> {
    if !status.nodes.contains_key(&node_id) {
        return Ok(Step::Nothing(format!("node {node_id} is no member")));
    }
    if !status.voters.contains(&node_id) {
        return Ok(Step::RemoveLearner(node_id));
    }
    let mut voters = status.voters.clone();
    voters.remove(&node_id);
    if voters.is_empty() {
        return Err(format!("node {node_id} is the only voter; without it there is no cluster"));
    }
    keeps_quorum(status, &voters)?;
    if node_id == status.node_id {
        return Err(format!("node {node_id} leads; have another one lead first (transfer-leader)"));
    }
    Ok(Step::RemoveVoter(node_id))
}

fn transfer(status: &Status, to: Option<NodeId>) -> Result<Step, String> {
    let can_lead = |node_id: NodeId| {
        let matched = status.matched.get(&node_id).copied().unwrap_or(0);
        status.answers(node_id) && matched + CAUGHT_UP_ENTRIES >= status.last_log_index
    };
    match to {
        Some(to) if to == status.node_id => Ok(Step::Nothing(format!("node {to} leads already"))),
        Some(to) if !status.voters.contains(&to) => Err(format!("node {to} is no voter")),
        Some(to) if !can_lead(to) => Err(format!("node {to} does not answer or has not caught up")),
        Some(to) => Ok(Step::TransferTo(to)),
        None => {
            let others = status.voters.iter().copied().filter(|id| *id != status.node_id && can_lead(*id));
            let furthest = others.max_by_key(|id| status.matched.get(id).copied());
            furthest
                .map(Step::TransferTo)
                .ok_or_else(|| "no other voter answers and has caught up".to_owned())
        }
    }
}

/// A quorum of these voters has to answer now.
fn keeps_quorum(status: &Status, voters: &BTreeSet<NodeId>) -> Result<(), String> {
    let silent: Vec<String> =
        voters.iter().filter(|id| !status.answers(**id)).map(NodeId::to_string).collect();
    let (answering, quorum) = (voters.len() - silent.len(), voters.len() / 2 + 1);
    match answering >= quorum {
        true => Ok(()),
        false => Err(format!(
            "it would leave {answering} of {} voters answering, and a quorum is {quorum}; bring back or replace node {} \
             first",
            voters.len(),
            silent.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests;
