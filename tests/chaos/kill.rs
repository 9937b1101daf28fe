//! `kill -9`.

use super::trial::Trial;

const KILLS: usize = 2;

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn kill_9_of_the_leader() {
    let mut trial = Trial::start("kill -9 of the leader");
    for _ in 0..KILLS {
        trial.fault(|trial| {
            let leader = trial.cluster.leader();
            trial.cluster.nodes[leader].kill();
            trial.until_another_leads(leader);
            trial.until_renewed();
            trial.cluster.nodes[leader].start();
            trial.cluster.nodes[leader].wait_ready();
        });
    }
    trial.finish();
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn kill_9_of_a_follower() {
    let mut trial = Trial::start("kill -9 of a follower");
    for _ in 0..KILLS {
        trial.fault(|trial| {
            let follower = trial.cluster.follower();
            trial.cluster.nodes[follower].restart();
        });
    }
    trial.finish();
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn kill_9_of_all_nodes_at_once() {
    let mut trial = Trial::start("kill -9 of all nodes at once");
    for _ in 0..KILLS {
        trial.fault(|trial| {
            let nodes = &mut trial.cluster.nodes;
            nodes.iter_mut().for_each(|node| node.kill());
            nodes.iter_mut().for_each(|node| node.start());
            nodes.iter_mut().for_each(|node| node.wait_ready());
        });
    }
    trial.finish();
}
