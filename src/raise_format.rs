//! Leader only: raises the format that the cluster writes, once every member reads a newer one.

use std::time::Duration;

use crate::command::Command;
use crate::format::Format;
use crate::propose::Proposer;
use crate::raft::{Consensus, Leader, Peers};

/// Between two looks at what the members read.
const LOOK: Duration = Duration::from_secs(1);

/// Has the format of the cluster follow the programs of its members, up to `highest`. Ends when there is no more to
/// raise.
pub async fn raise_format(consensus: &Consensus, peers: &Peers, proposer: &Proposer, highest: Format) {
    while consensus.machine().format() < highest {
        tokio::time::sleep(LOOK).await;
        if consensus.leader() != Leader::ThisNode || !consensus.knows_leader() {
            continue;
        }
        let Some(to) = read_by_all(consensus, peers, highest).await else {
            continue;
        };
        if to > consensus.machine().format() {
            tracing::info!(
                format = to.number(),
                "every member reads this format; the cluster is to write it"
            );
            if let Err(error) = proposer.propose_as_leader(&Command::RaiseFormat { to }).await {
                tracing::info!(%error, "the format is not raised yet");
            }
        }
    }
}

/// The newest format that every member says now that it reads; none while one of them does not answer, for it may come
/// back with the program that it had.
async fn read_by_all(consensus: &Consensus, peers: &Peers, highest: Format) -> Option<Format> {
    let members = consensus.status().nodes;
    let others = members.into_keys().filter(|id| *id != consensus.node_id());
    let newest = peers.newest_format_of(others).await.ok()?;
    Some(newest.map_or(highest, |newest| newest.min(highest)))
}
