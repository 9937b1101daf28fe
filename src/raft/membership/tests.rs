use std::collections::BTreeMap;

use super::super::consensus::Role;
use super::*;

const SOON: Option<Duration> = Some(Duration::from_millis(20));
const LONG_AGO: Option<Duration> = Some(Duration::from_secs(60));

/// Nodes 1 (which leads), 2 and 3 vote, node 4 learns; all have everything up to 5,000 and answer.
fn status() -> Status {
    let node = |id: NodeId| (id, Node { peer_addr: format!("n{id}:1") });
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
        learners: BTreeSet::from([4]),
        nodes: (1..=4).map(node).collect(),
        matched: BTreeMap::from([(2, 5000), (3, 4990), (4, 5000)]),
        answered: BTreeMap::from([(2, SOON), (3, SOON), (4, SOON)]),
        silent_after: Duration::from_secs(1),
        last_contact: Duration::ZERO,
    }
}

fn with(change: impl FnOnce(&mut Status)) -> Status {
    let mut status = status();
    change(&mut status);
    status
}

fn take(status: &Status, change: MembershipChange) -> Step {
    step(status, &change).expect("a step")
}

fn refusal(status: &Status, change: MembershipChange) -> String {
    step(status, &change).expect_err("a refusal")
}

fn add(node_id: NodeId, peer_addr: &str) -> MembershipChange {
    MembershipChange::AddLearner { node_id, peer_addr: peer_addr.to_owned() }
}

fn promote(node_id: NodeId) -> MembershipChange {
    MembershipChange::Promote { node_id }
}

fn remove(node_id: NodeId) -> MembershipChange {
    MembershipChange::Remove { node_id }
}

fn transfer(to: Option<NodeId>) -> MembershipChange {
    MembershipChange::TransferLeader { to }
}

#[test]
fn a_new_node_has_an_id_and_an_address_of_its_own() {
    assert_eq!(take(&status(), add(5, "n5:1")), Step::AddLearner(5, "n5:1".to_owned()));
    assert!(matches!(take(&status(), add(4, "n4:1")), Step::Nothing(_)));
    assert!(refusal(&status(), add(4, "elsewhere:1")).contains("at n4:1"));
    assert!(refusal(&status(), add(5, "n3:1")).contains("node 3 is a member at n3:1"));
    let gap = with(|it| {
        it.nodes.remove(&2);
    });
    assert!(refusal(&gap, add(2, "n2:2")).contains("take one above 4"));
}

#[test]
fn a_learner_votes_when_it_answers_and_has_caught_up() {
    assert_eq!(take(&status(), promote(4)), Step::AddVoter(4));
    assert!(matches!(take(&status(), promote(3)), Step::Nothing(_)));
    assert!(refusal(&status(), promote(5)).contains("is no member"));
    let silent = with(|it| {
        it.answered.insert(4, LONG_AGO);
    });
    assert!(refusal(&silent, promote(4)).contains("does not answer"));
    let never = with(|it| {
        it.answered.insert(4, None);
    });
    assert!(refusal(&never, promote(4)).contains("does not answer"));
    let behind = with(|it| {
        it.matched.insert(4, 3999);
    });
    assert!(refusal(&behind, promote(4)).contains("lacks 1001 log entries"));
    let unknown = with(|it| {
        it.matched.remove(&4);
    });
    assert!(refusal(&unknown, promote(4)).contains("lacks 5000 log entries"));
}

/// Of four voters, three are a quorum.
#[test]
fn a_voter_more_needs_a_quorum_of_them_all() {
    let one_down = with(|it| {
        it.answered.insert(3, LONG_AGO);
    });
    assert_eq!(take(&one_down, promote(4)), Step::AddVoter(4));
    let two_down = with(|it| {
        it.answered.insert(3, LONG_AGO);
        it.answered.insert(2, None);
    });
    let reason = refusal(&two_down, promote(4));
    assert!(reason.contains("2 of 4 voters answering, and a quorum is 3"), "{reason}");
    assert!(reason.contains("node 2, 3 first"), "{reason}");
}

#[test]
fn who_is_removed_leaves_a_quorum_behind() {
    assert_eq!(take(&status(), remove(3)), Step::RemoveVoter(3));
    assert_eq!(take(&status(), remove(4)), Step::RemoveLearner(4));
    assert!(matches!(take(&status(), remove(9)), Step::Nothing(_)));
    assert!(refusal(&status(), remove(1)).contains("transfer-leader"));

    let one_down = with(|it| {
        it.answered.insert(3, LONG_AGO);
    });
    assert_eq!(take(&one_down, remove(3)), Step::RemoveVoter(3), "the one that is down");
    let reason = refusal(&one_down, remove(2));
    assert!(reason.contains("1 of 2 voters answering"), "{reason}");
    assert!(reason.contains("replace node 3 first"), "{reason}");
    // Whether a learner answers is nothing to the quorum.
    let learner_down = with(|it| {
        it.answered.insert(4, None);
    });
    assert_eq!(take(&learner_down, remove(4)), Step::RemoveLearner(4));
}

#[test]
fn the_last_voter_stays() {
    let alone = with(|it| it.voters = BTreeSet::from([1]));
    assert!(refusal(&alone, remove(1)).contains("the only voter"));
}

#[test]
fn who_leads_next_answers_and_is_far_enough() {
    assert_eq!(take(&status(), transfer(Some(3))), Step::TransferTo(3));
    assert_eq!(take(&status(), transfer(None)), Step::TransferTo(2), "the furthest voter");
    assert!(matches!(take(&status(), transfer(Some(1))), Step::Nothing(_)));
    assert!(refusal(&status(), transfer(Some(4))).contains("no voter"));
    let down = with(|it| {
        it.answered.insert(2, LONG_AGO);
    });
    assert!(refusal(&down, transfer(Some(2))).contains("does not answer"));
    assert_eq!(take(&down, transfer(None)), Step::TransferTo(3));
    let behind = with(|it| {
        it.matched.insert(3, 10);
    });
    assert!(refusal(&behind, transfer(Some(3))).contains("not caught up"));
    let alone = with(|it| it.answered.clear());
    assert!(refusal(&alone, transfer(None)).contains("no other voter"));
}
