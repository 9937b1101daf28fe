//! A disk that does not answer for ten seconds: every `fdatasync` and its like takes that long.

use std::time::Duration;

use super::skip::print_skipped;
use super::strace::Strace;
use super::trial::Trial;

const STALL: Duration = Duration::from_secs(10);
const SYNCS: &str = "fdatasync,fsync,sync_file_range";

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_disk_of_the_leader_stalls() {
    stall("stalled disk of the leader", |trial| vec![trial.cluster.leader()], |trial| trial.until_renewed());
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_disk_of_a_follower_stalls() {
    stall(
        "stalled disk of a follower",
        |trial| vec![trial.cluster.follower()],
        |trial| trial.until_renewed(),
    );
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_disks_of_all_nodes_stall() {
    let name = "stalled disks of all nodes";
    stall(name, |trial| (0..trial.cluster.nodes.len()).collect(), assert_nothing_is_written);
}

/// Stalls the disks of the nodes at these places, and has a look meanwhile.
fn stall(name: &str, places: impl FnOnce(&mut Trial) -> Vec<usize>, look: impl FnOnce(&mut Trial)) {
    if let Err(reason) = Strace::try_out(SYNCS, &delay()) {
        return print_skipped(name, &reason);
    }
    let mut trial = Trial::start(name);
    trial.fault(|trial| {
        let places = places(trial);
        let stalls: Vec<Strace> = places
            .iter()
            .map(|place| {
                let trace = trial.cluster.scratch(&format!("strace-{place}"));
                let pid = trial.cluster.nodes[*place].pid();
                Strace::attach(pid, SYNCS, &delay(), trace).expect("what could be traced before")
            })
            .collect();
        look(trial);
        trial.hold(STALL);
        stalls.into_iter().for_each(end);
    });
    trial.finish();
}

fn assert_nothing_is_written(trial: &mut Trial) {
    let renewal = trial.live_document().renew();
    for addr in trial.cluster.addrs() {
        assert_eq!(renewal.expect(addr).status, 503, "a renewal at {addr} while no disk writes");
    }
}

fn delay() -> String {
    format!("delay_enter={}s", STALL.as_secs())
}

/// Ends the stall.
///
/// # Panics
/// When it held up nothing.
fn end(stall: Strace) {
    // A call is written when it begins; without one nothing has waited.
    let traced = stall.detach();
    let began = SYNCS.split(',').any(|call| traced.contains(&format!("{call}(")));
    assert!(began, "no call to the disk was held up: {traced}");
}
