//! Openraft's types as this project uses them, and their messages. Standard Raft terms: at most
//! one leader a term.

use std::collections::BTreeSet;

use openraft::alias::{EntryOf, LogIdOf, StoredMembershipOf, VoteOf};
use openraft::impls::leader_id_std::LeaderId;
use openraft::{EntryPayload, LogId, Membership, Vote};

use super::runtime::Runtime;
use crate::encoding::{DecodeError, EncodedBatch};
use crate::format::{Format, Formats};
use crate::message;
use crate::registry::Outcome;

/// Identifies a node for ever: never used again once its disk is lost.
pub type NodeId = u64;

/// Where a node is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// `host:port` of its peer service.
    pub peer_addr: String,
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.peer_addr)
    }
}

openraft::declare_raft_types!(
    pub TypeConfig:
        D = EncodedBatch,
        R = Vec<Outcome>,
        NodeId = NodeId,
        Node = Node,
        LeaderId = LeaderId<u64, NodeId>,
        AsyncRuntime = Runtime,
);

pub type RaftEntry = EntryOf<TypeConfig>;
pub type RaftLogId = LogIdOf<TypeConfig>;
pub type RaftVote = VoteOf<TypeConfig>;
pub type RaftStoredMembership = StoredMembershipOf<TypeConfig>;
pub type RaftMembership = Membership<NodeId, Node>;

pub fn log_id(term: u64, index: u64) -> RaftLogId {
    LogId::new_term_index(term, index)
}

pub fn log_id_to_message(log_id: &RaftLogId) -> message::LogId {
    message::LogId { term: log_id.committed_leader_id().term, index: log_id.index }
}

pub fn log_id_from_message(message: &message::LogId) -> RaftLogId {
    log_id(message.term, message.index)
}

pub fn vote_to_message(vote: &RaftVote) -> message::Vote {
    message::Vote {
        term: vote.leader_id.term,
        node_id: vote.leader_id.voted_for,
        committed: vote.committed,
        ..message::Vote::default()
    }
}

/// # Errors
/// [`DecodeError::Missing`] if there is no vote.
pub fn vote_from_message(message: Option<message::Vote>) -> Result<RaftVote, DecodeError> {
    let message = message.ok_or(DecodeError::Missing("a vote"))?;
    let leader_id = LeaderId { term: message.term, voted_for: message.node_id };
    Ok(Vote { leader_id, committed: message.committed })
}

pub fn membership_to_message(membership: &RaftMembership) -> message::Membership {
    let voters = membership.get_joint_config().iter();
    let node = |node: &Node| message::Node { peer_addr: node.peer_addr.clone() };
    message::Membership {
        voters: voters.map(|ids| message::VoterSet { node_ids: ids.iter().copied().collect() }).collect(),
        nodes: membership.nodes().map(|(id, known)| (*id, node(known))).collect(),
    }
}

/// # Errors
/// [`DecodeError::Missing`] if a voter's address is.
pub fn membership_from_message(message: message::Membership) -> Result<RaftMembership, DecodeError> {
    let voters: Vec<BTreeSet<NodeId>> =
        message.voters.into_iter().map(|set| set.node_ids.into_iter().collect()).collect();
    let node = |node: message::Node| Node { peer_addr: node.peer_addr };
    let nodes: std::collections::BTreeMap<_, _> =
        message.nodes.into_iter().map(|(id, known)| (id, node(known))).collect();
    if voters.is_empty() && nodes.is_empty() {
        return Ok(Membership::default());
    }
    Membership::new(voters, nodes).map_err(|_| DecodeError::Missing("the address of a voter"))
}

pub fn stored_membership_to_message(stored: &RaftStoredMembership) -> message::StoredMembership {
    message::StoredMembership {
        log_id: stored.log_id().as_ref().map(log_id_to_message),
        membership: Some(membership_to_message(stored.membership())),
    }
}

/// # Errors
/// [`DecodeError`] if it is incomplete.
pub fn stored_membership_from_message(
    message: Option<message::StoredMembership>,
) -> Result<RaftStoredMembership, DecodeError> {
    let message = message.ok_or(DecodeError::Missing("a membership"))?;
    let membership = message.membership.ok_or(DecodeError::Missing("a membership"))?;
    let log_id = message.log_id.as_ref().map(log_id_from_message);
    Ok(RaftStoredMembership::new(log_id, membership_from_message(membership)?))
}

pub fn entry_to_message(entry: &RaftEntry) -> message::Entry {
    use message::entry::Payload;
    let payload = match &entry.payload {
        EntryPayload::Blank => None,
        EntryPayload::Normal(batch) => Some(Payload::Batch(batch.bytes().clone())),
        EntryPayload::Membership(membership) => Some(Payload::Membership(membership_to_message(membership))),
    };
    let format = match &entry.payload {
        EntryPayload::Normal(batch) => batch.format().to_stored(),
        EntryPayload::Blank | EntryPayload::Membership(_) => 0,
    };
    message::Entry { log_id: Some(log_id_to_message(&entry.log_id)), payload, format, synced_bytes: 0 }
}

/// # Errors
/// [`DecodeError`] if it is incomplete, or of none of these formats.
pub fn entry_from_message(message: message::Entry, formats: Formats) -> Result<RaftEntry, DecodeError> {
    use message::entry::Payload;
    let log_id = message.log_id.as_ref().ok_or(DecodeError::Missing("a log id"))?;
    let format = Format::from_stored(message.format);
    formats.check("a log entry", format)?;
    let payload = match message.payload {
        None => EntryPayload::Blank,
        Some(Payload::Batch(bytes)) => EntryPayload::Normal(EncodedBatch::new(bytes, format)),
        Some(Payload::Membership(membership)) => {
            EntryPayload::Membership(membership_from_message(membership)?)
        }
    };
    Ok(RaftEntry { log_id: log_id_from_message(log_id), payload })
}
