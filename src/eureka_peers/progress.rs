//! Leader only: has the cluster remember how far each Eureka server is.

use std::time::Duration;

use super::EurekaPeers;
use crate::command::Command;
use crate::propose::Proposer;
use crate::raft::{Consensus, Leader};

/// How often it is looked at. What was told in the meantime is told once more by a new leader, which changes nothing
/// there.
const INTERVAL: Duration = Duration::from_secs(1);

/// Runs until it is dropped.
pub async fn keep_progress(peers: &EurekaPeers, consensus: &Consensus, proposer: &Proposer) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if consensus.leader() != Leader::ThisNode {
            continue;
        }
        let known = consensus.machine().with_registry(|registry| registry.peer_progress().clone());
        let Some(progress) = peers.progress(&known).filter(|progress| *progress != known) else {
            continue;
        };
        if let Err(error) = proposer.propose_as_leader(&Command::SetPeerProgress { progress }).await {
            tracing::debug!(%error, "how far Eureka servers are is not remembered yet");
        }
    }
}
