//! Whether the nodes have made the same state of the same log. They must have, applying being a pure
//! function of it: a node that has not is damaged, or runs another program.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

use super::checkpoints::Checkpoint;
use super::consensus::Consensus;
use super::peers::{PeerDescription, Peers};
use super::types::NodeId;

/// This node's state beside the others', as of what they last told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The last log index at which this node's state was compared with another's; 0 for none yet.
    pub index: u64,
    /// Where this node's state differs from another's, and since when: the first index known.
    pub differing: BTreeMap<NodeId, u64>,
    /// A majority of the voters agree on another state than this node's.
    pub deviation: Option<Deviation>,
    /// A majority of the voters, this one among them, agree at the last index.
    pub confirmed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the state of this node is not what the log makes of it: at log index {index} its hash is {own:016x}, and \
     {others:016x} at {}. Its memory or its disk is damaged, or it runs another program than they do. It stops, so \
     that nobody reads a wrong state; its next start puts the state aside and rebuilds it. If this happens again, \
     replace the machine",
    nodes(majority)
)]
pub struct Deviation {
    pub index: u64,
    pub own: u64,
    pub others: u64,
    pub majority: BTreeSet<NodeId>,
}

fn nodes(ids: &BTreeSet<NodeId>) -> String {
    let ids: Vec<String> = ids.iter().map(NodeId::to_string).collect();
    format!("nodes {}", ids.join(" and "))
}

/// Only voters' states count beside this node's own.
fn compare(
    this: NodeId,
    own: &[Checkpoint],
    others: &BTreeMap<NodeId, &[Checkpoint]>,
    voters: &BTreeSet<NodeId>,
) -> Comparison {
    let mut comparison = Comparison::default();
    for Checkpoint { index, hash: own } in own.iter().copied() {
        let mut agreeing: BTreeMap<u64, BTreeSet<NodeId>> = BTreeMap::new();
        for (id, checkpoints) in others.iter().filter(|(id, _)| voters.contains(id)) {
            let Some(other) = checkpoints.iter().find(|other| other.index == index) else {
                continue;
            };
            agreeing.entry(other.hash).or_default().insert(*id);
            if other.hash != own {
                comparison.differing.entry(*id).or_insert(index);
            }
        }
        if agreeing.is_empty() {
            continue;
        }
        if voters.contains(&this) {
            agreeing.entry(own).or_default().insert(this);
        }
        let majority = agreeing.into_iter().find(|(_, ids)| ids.len() > voters.len() / 2);
        comparison.index = index;
        comparison.confirmed = majority.as_ref().is_some_and(|(hash, _)| *hash == own);
        if let Some((others, majority)) = majority.filter(|(hash, _)| *hash != own) {
            comparison.deviation.get_or_insert(Deviation { index, own, others, majority });
        }
    }
    comparison
}

/// Compares whenever peers have told of themselves, and says what it finds.
pub struct Comparer {
    consensus: Consensus,
    latest: watch::Sender<Comparison>,
    /// Up to where which differences were told.
    told: BTreeMap<NodeId, u64>,
}

impl Comparer {
    /// A comparer, and what it finds.
    pub fn new(consensus: Consensus) -> (Self, watch::Receiver<Comparison>) {
        let (latest, found) = watch::channel(Comparison::default());
        (Self { consensus, latest, told: BTreeMap::new() }, found)
    }

    /// Runs until it is dropped.
    pub async fn run(mut self, peers: &Peers) {
        peers.keep_described(|described| self.look(described)).await;
    }

    fn look(&mut self, described: &BTreeMap<NodeId, PeerDescription>) {
        let (this, voters) = (self.consensus.node_id(), self.consensus.status().voters);
        let others = described.iter().map(|(id, peer)| (*id, peer.checkpoints.as_slice())).collect();
        let found = compare(this, &self.consensus.machine().checkpoints(), &others, &voters);
        self.told.retain(|peer, _| found.differing.contains_key(peer));
        for (peer, since_index) in found.differing.iter().filter(|_| found.deviation.is_none()) {
            if self.told.insert(*peer, found.index) != Some(found.index) {
                report(*peer, *since_index, found.confirmed);
            }
        }
        self.latest.send_replace(found);
    }
}

fn report(peer: NodeId, since_index: u64, confirmed: bool) {
    match confirmed {
        true => tracing::error!(
            peer,
            since_index,
            "the state of a node is not what the log makes of it: it finds out too, stops, and is rebuilt by its \
             next start; do not trust its reads until then"
        ),
        false => tracing::error!(
            peer,
            since_index,
            "the state of a node differs from this one's, and no majority tells which of the two is right: \
             start the other nodes"
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: u64 = 7;
    const OTHER: u64 = 8;

    /// What each node of a cluster of so many voters has at each index, from 256 on; node 1 compares.
    fn compared(voters: u64, nodes: &[(NodeId, &[u64])]) -> Comparison {
        let checkpoints = |hashes: &[u64]| -> Vec<Checkpoint> {
            (1..).zip(hashes).map(|(at, hash)| Checkpoint { index: at * 256, hash: *hash }).collect()
        };
        let nodes: BTreeMap<NodeId, Vec<Checkpoint>> =
            nodes.iter().map(|(id, hashes)| (*id, checkpoints(hashes))).collect();
        let others = nodes.iter().filter(|(id, _)| **id != 1).map(|(id, hashes)| (*id, hashes.as_slice()));
        compare(1, nodes.get(&1).map_or(&[], Vec::as_slice), &others.collect(), &(1..=voters).collect())
    }

    #[test]
    fn equal_states_differ_from_nobody() {
        let three = compared(3, &[(1, &[1, 2, 3]), (2, &[1, 2, 3]), (3, &[1, 2])]);
        let expected = Comparison { index: 768, confirmed: true, ..Comparison::default() };
        assert_eq!(three, expected);
        assert_eq!(compared(1, &[(1, &[1, 2, 3])]), Comparison::default(), "there is nobody to compare with");
        assert_eq!(compared(3, &[(1, &[]), (2, &[1, 2]), (3, &[1, 3])]), Comparison::default());
    }

    #[test]
    fn who_differs_from_a_majority_deviates() {
        let deviation = compared(3, &[(1, &[1, OWN]), (2, &[1, OTHER]), (3, &[1, OTHER])]).deviation;
        let majority = BTreeSet::from([2, 3]);
        assert_eq!(deviation, Some(Deviation { index: 512, own: OWN, others: OTHER, majority }));
        // Seen from one of the majority.
        let seen = compared(3, &[(1, &[1, OWN]), (2, &[1, OWN]), (3, &[1, OTHER])]);
        let differing = BTreeMap::from([(3, 512)]);
        assert_eq!(seen, Comparison { index: 512, differing, confirmed: true, deviation: None });
    }

    #[test]
    fn without_a_majority_nobody_deviates() {
        for (voters, nodes) in [
            (2, vec![(1, [OWN]), (2, [OTHER])]),
            (3, vec![(1, [OWN]), (2, [OTHER])]),
            (3, vec![(1, [OWN]), (2, [OTHER]), (3, [9])]),
            (5, vec![(1, [OWN]), (2, [OTHER]), (3, [OTHER])]),
            (5, vec![(1, [OWN]), (2, [OWN]), (3, [OTHER]), (4, [OTHER]), (5, [9])]),
        ] {
            let nodes: Vec<(NodeId, &[u64])> =
                nodes.iter().map(|(id, hashes)| (*id, hashes.as_slice())).collect();
            let Comparison { differing, deviation, confirmed, .. } = compared(voters, &nodes);
            assert!(!differing.is_empty() && deviation.is_none() && !confirmed, "{voters} {nodes:?}");
        }
    }

    #[test]
    fn learners_do_not_count_but_may_deviate() {
        let seen = compared(3, &[(1, &[OWN]), (2, &[OWN]), (4, &[OTHER]), (5, &[OTHER]), (6, &[OTHER])]);
        assert_eq!((seen.deviation, seen.differing), (None, BTreeMap::new()));
        let voters = BTreeSet::from([2, 3, 4]);
        let (own, others) =
            ([Checkpoint { index: 256, hash: OWN }], [Checkpoint { index: 256, hash: OTHER }]);
        let others: BTreeMap<NodeId, &[Checkpoint]> = [(2, &others[..]), (3, &others[..])].into();
        assert!(compare(1, &own, &others, &voters).deviation.is_some(), "this node is no voter");
    }

    proptest! {
        /// However the nodes' windows lie: of those that went on from the same log none deviates, and all
        /// that have an index in common with a majority that does not agree with them do.
        #[test]
        fn only_who_deviates_is_found(
            windows in proptest::collection::vec((0_usize..20, 0_usize..20), 5),
            wrong in proptest::option::of((0_usize..5, 0_usize..20)),
        ) {
            let hash = |node: usize, at: usize| match wrong {
                Some((deviant, since)) if deviant == node && at >= since => 1_000 + at as u64,
                _ => at as u64,
            };
            let window = |node: usize| -> Vec<Checkpoint> {
                let (from, length) = windows[node];
                let at = (from..from + length).map(|at| (at, hash(node, at)));
                at.map(|(at, hash)| Checkpoint { index: 256 * at as u64, hash }).collect()
            };
            let all: Vec<Vec<Checkpoint>> = (0..5).map(window).collect();
            for this in 0..5 {
                let others = (0..5).filter(|node| *node != this);
                let others = others.map(|node| (node as NodeId, all[node].as_slice())).collect();
                let found = compare(this as NodeId, &all[this], &others, &(0..5).collect());
                let majority_at = |index: u64| {
                    let has = |node: &usize| all[*node].iter().any(|checkpoint| checkpoint.index == index);
                    (0..5).filter(|node| *node != this).filter(has).count() > 2
                };
                let deviates = wrong.is_some_and(|(deviant, since)| {
                    let wrong = all[this].iter().filter(|checkpoint| checkpoint.index >= 256 * since as u64);
                    deviant == this && wrong.map(|checkpoint| checkpoint.index).any(majority_at)
                });
                prop_assert_eq!(found.deviation.is_some(), deviates);
                if wrong.is_none() {
                    prop_assert!(found.differing.is_empty());
                }
            }
        }
    }
}
