//! SIGSTOP and SIGCONT: a process that stands still, as in a frozen virtual machine.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::LEASE;
use super::trial::Trial;

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn a_paused_leader() {
    let mut trial = Trial::start("a paused leader");
    for leases in [0.5, 1.0, 2.0, 5.0] {
        trial.fault(|trial| {
            let leader = trial.cluster.leader();
            trial.cluster.nodes[leader].pause();
            trial.hold(LEASE.mul_f32(leases));
            trial.cluster.nodes[leader].resume();
        });
    }
    trial.finish();
}

/// Without another node to be out of touch with, only its own clock tells it that it stood still.
#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_only_node_paused() {
    let mut trial = Trial::start_sized("the only node paused", 1);
    for leases in [1.0, 2.0] {
        trial.fault(|trial| {
            trial.cluster.nodes[0].pause();
            trial.hold(LEASE.mul_f32(leases));
            trial.cluster.nodes[0].resume();
        });
    }
    trial.finish();
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn all_nodes_paused_at_once() {
    let mut trial = Trial::start("all nodes paused at once");
    for leases in [1.0, 2.0] {
        trial.fault(|trial| {
            trial.cluster.nodes.iter().for_each(|node| node.pause());
            trial.hold(LEASE.mul_f32(leases));
            trial.cluster.nodes.iter().for_each(|node| node.resume());
        });
    }
    trial.finish();
}

/// A machine with too much to do: the node gets on in short moments only, and looks at its clock in each.
#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_only_node_starved() {
    const RUNS: Duration = Duration::from_millis(15);
    const STANDS: Duration = Duration::from_millis(485);
    let mut trial = Trial::start_sized("the only node starved", 1);
    trial.fault(|trial| {
        let end = Instant::now() + LEASE.mul_f32(4.0);
        while Instant::now() < end {
            trial.cluster.nodes[0].pause();
            trial.hold(STANDS);
            trial.cluster.nodes[0].resume();
            sleep(RUNS);
        }
    });
    trial.finish();
}
