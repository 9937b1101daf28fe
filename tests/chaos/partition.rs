//! The leader is cut off from the other nodes, but not from clients: both ways, and each way alone.

use std::time::Duration;

use super::LEASE;
use super::network::Network;
use super::skip::print_skipped;
use super::trial::{NODES, Trial};

/// Longer than a node may wait with its own answer.
const PATIENCE: Duration = Duration::from_secs(15);

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_leader_is_cut_off() {
    cut_off("leader cut off both ways", true, true);
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn what_the_leader_sends_is_lost() {
    cut_off("leader cut off, what it sends is lost", true, false);
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn what_is_sent_to_the_leader_is_lost() {
    cut_off("leader cut off, what is sent to it is lost", false, true);
}

fn cut_off(name: &str, outgoing: bool, incoming: bool) {
    let network = match Network::build() {
        Ok(network) => network,
        Err(reason) => return print_skipped(name, &reason),
    };
    let mut trial = Trial::start_prepared(name, NODES, |specs| network.place(specs));
    trial.fault(|trial| {
        let leader = trial.cluster.leader();
        let others: Vec<usize> = (0..trial.cluster.nodes.len()).filter(|place| *place != leader).collect();
        let mut cuts = Vec::new();
        for other in others {
            cuts.extend(outgoing.then_some((leader, other)));
            cuts.extend(incoming.then_some((other, leader)));
        }
        cuts.iter().for_each(|(from, to)| network.cut(*from, *to));
        trial.until_another_leads(leader);
        let renewal = trial.live_document().renew().read_timeout(PATIENCE);
        let refused = renewal.expect(trial.cluster.addrs()[leader]);
        assert_eq!(refused.status, 503, "a renewal at the node that is cut off");
        assert_eq!(refused.header("retry-after"), Some("1"));
        trial.until_renewed();
        trial.hold(LEASE * 2);
        cuts.iter().for_each(|(from, to)| network.heal(*from, *to));
    });
    trial.finish();
}
