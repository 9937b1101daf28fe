//! Consensus: the only module that names openraft and raft-log.
//!
//! `consensus` is what others use; `incoming` is what peers ask, `network` what this node asks of
//! them; `log_store` and `machine` are the two halves of a node's storage as Raft sees it.

mod append_stream;
mod backup;
mod checkpoints;
mod compaction;
mod comparison;
mod connector;
mod consensus;
mod contact;
mod dirty;
mod early_election;
mod forward_stream;
mod hand_over;
mod incoming;
mod join;
mod leading;
mod link;
mod log_record;
mod log_store;
mod machine;
mod membership;
mod membership_message;
mod names;
mod network;
mod peers;
mod restore;
mod roles;
mod rpc;
mod runtime;
mod seed;
mod snapshot;
mod state;
mod step_out;
mod tally;
#[cfg(test)]
mod tests;
mod types;

pub use backup::Captured;
pub use checkpoints::{CHECKPOINT_FORM, Checkpoint};
pub use comparison::{Comparer, Comparison, Deviation};
pub use connector::{Connector, Tcp};
pub use consensus::{Consensus, ConsensusError, Freshness, Role, Status, WriteError, Written};
pub use forward_stream::Forwarded;
pub use incoming::IncomingError;
pub use join::{join, keep_known};
pub use leading::Leader;
pub use link::{CLUSTER_HEADER, MAX_MESSAGE_BYTES, TO_HEADER};
pub use log_store::{KeptLog, LOG_FILE_BYTES, LogError, LogStore};
pub use machine::{AppliedState, Machine, Observer};
pub use membership::{MembershipChange, MembershipError};
pub use names::Names;
pub use peers::{ForwardError, PeerDescription, Peers};
pub use restore::{RestoreError, restore};
pub use roles::follow_roles;
pub use rpc::peer;
pub use seed::{SeedError, Seeded, seed};
pub use types::{NodeId, TypeConfig};
