//! A follower that is behind: it has never seen the instances whose renewals it is asked for, and
//! yet answers as the leader's log decides.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use super::harness::{Connection, Document, Request};
use super::trial::Trial;

const ROUNDS: usize = 2;
const RENEWALS: usize = 20;
/// Longer than anything here, as these do not count among the short ones.
const LEASE_SECS: u32 = 300;
const PATIENCE: Duration = Duration::from_secs(30);
/// After this a client gives up and turns to another node.
const TIME_OUT: Duration = Duration::from_millis(300);

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn a_follower_that_is_behind_never_says_404_by_itself() {
    let mut trial = Trial::start("renewals at a follower that is behind");
    for round in 0..ROUNDS {
        let documents = documents(&format!("behind-{round}"));
        trial.fault(|trial| {
            let Paused { follower, behind, other, mut connections } = Paused::new(trial, PATIENCE);
            register(&documents, other);
            for (document, connection) in documents.iter().zip(&mut connections) {
                connection.send(&document.renew().bytes(behind)).expect("the kernel takes it");
            }
            trial.cluster.nodes[follower].resume();
            for (document, connection) in documents.iter().zip(&mut connections) {
                let answer =
                    connection.receive("PUT").unwrap_or_else(|error| panic!("{document:?}: {error}"));
                assert_eq!(answer.status, 200, "{} at a follower that is behind", document.id);
            }
        });
        cancel(&documents, trial.cluster.addrs()[0]);
    }
    trial.finish();
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn a_client_that_turns_to_another_node_gets_the_right_answer_there() {
    let mut trial = Trial::start("renewals at another node after a time-out");
    for round in 0..ROUNDS {
        let documents = documents(&format!("again-{round}"));
        let (renewed, cancelled) = documents.split_at(RENEWALS / 2);
        trial.fault(|trial| {
            let Paused { follower, behind, other, mut connections } = Paused::new(trial, TIME_OUT);
            register(&documents, other);
            for (document, connection) in documents.iter().zip(&mut connections) {
                connection.send(&document.renew().bytes(behind)).expect("the kernel takes it");
            }
            for connection in &mut connections {
                connection.receive("PUT").expect_err("a paused node does not answer");
            }
            assert_status(200, renewed.iter().map(Document::renew), other);
            cancel(cancelled, other);
            assert_status(404, cancelled.iter().map(Document::renew), other);
            trial.cluster.nodes[follower].resume();
        });
        // What came late by way of the follower has brought nothing back, and ended nothing.
        for addr in trial.cluster.addrs() {
            assert_status(200, renewed.iter().map(Document::renew), addr);
            assert_status(404, cancelled.iter().map(Document::renew), addr);
            assert_status(404, cancelled.iter().map(Document::read), addr);
        }
        cancel(renewed, trial.cluster.addrs()[0]);
    }
    trial.finish();
}

fn documents(name: &str) -> Vec<Document> {
    let document = |number| Document::new("BEHIND", &format!("{name}-{number}")).lease_secs(LEASE_SECS);
    (0..RENEWALS).map(document).collect()
}

/// A follower that stands still, with connections to it that were open before.
struct Paused {
    follower: usize,
    behind: SocketAddr,
    /// Of the leader.
    other: SocketAddr,
    connections: Vec<Connection>,
}

impl Paused {
    fn new(trial: &mut Trial, limit: Duration) -> Self {
        let (leader, follower) = (trial.cluster.leader(), trial.cluster.follower());
        let addrs = trial.cluster.addrs();
        let (behind, other) = (addrs[follower], addrs[leader]);
        let open = |_| Connection::open(behind, limit).expect("a running node");
        let connections = (0..RENEWALS).map(open).collect();
        trial.cluster.nodes[follower].pause();
        // What it took in before it stopped is not what makes it behind.
        thread::sleep(TIME_OUT);
        Self { follower, behind, other, connections }
    }
}

fn register(documents: &[Document], addr: SocketAddr) {
    assert_status(204, documents.iter().map(Document::register), addr);
}

fn cancel(documents: &[Document], addr: SocketAddr) {
    assert_status(200, documents.iter().map(Document::cancel), addr);
}

fn assert_status(status: u16, requests: impl Iterator<Item = Request>, addr: SocketAddr) {
    for request in requests {
        assert_eq!(request.expect(addr).status, status, "{request:?} at {addr}");
    }
}
