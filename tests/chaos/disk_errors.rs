//! Disks that fail: calls to the system end with an error, in one part of what a node writes.

use std::path::Path;
use std::{fs, thread};

use super::harness::{Cluster, until};
use super::registering::Registering;
use super::skip::print_skipped;
use super::stepped_out::{Which, assert_comes_back, assert_stepped_out, until_ready_but};
use super::strace::Strace;

const FAILED: &str = "the log cannot be written: Input/output error (os error 5)";

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_log_of_the_leader_cannot_be_synced() {
    fail_log("failed sync of the leader's log", Which::Leader, "fdatasync", 100, usize::MAX);
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_log_of_a_follower_cannot_be_synced() {
    fail_log("failed sync of a follower's log", Which::Follower, "fdatasync", 100, usize::MAX);
}

/// The name of the log's next file, after 2 MiB.
#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_log_of_the_leader_gets_no_next_file() {
    fail_log("no next file for the leader's log", Which::Leader, "fsync", 50_000, 20);
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_log_of_a_follower_gets_no_next_file() {
    fail_log("no next file for a follower's log", Which::Follower, "fsync", 50_000, 20);
}

fn fail_log(name: &str, which: Which, calls: &str, bytes: usize, ids: usize) {
    if let Err(reason) = Strace::try_out(calls, "error=EIO") {
        return print_skipped(name, &reason);
    }
    let mut cluster = Cluster::start(3);
    let place = which.place(&mut cluster);
    let (addr, pid) = (cluster.addrs()[place], cluster.nodes[place].pid());
    let trace = cluster.scratch("strace");
    let registering = Registering::start(&cluster.addrs(), bytes, ids);
    registering.wait_for(10, addr);
    let fault = Strace::attach(pid, calls, "error=EIO", trace).expect("what could be traced before");
    assert_stepped_out(&cluster, place, &registering, FAILED);
    // The whole point: it does not try again.
    let traced = fault.detach();
    let failed = traced.lines().filter(|line| line.contains("EIO")).count();
    assert_eq!(failed, 1, "it went on after a failure: {traced}");
    assert_comes_back(&mut cluster, place);
    registering.wait_for(10, addr);
    registering.finish(name, &mut cluster, addr);
}

/// What was written and not synced would be read again by the next process, and be taken for kept.
#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn what_could_not_be_synced_is_not_in_the_log_of_the_next_start() {
    use super::harness::Document;
    let name = "what could not be synced";
    if let Err(reason) = Strace::try_out("fdatasync", "error=EIO") {
        return print_skipped(name, &reason);
    }
    let cluster = Cluster::start(1);
    let (addr, pid) = (cluster.addrs()[0], cluster.nodes[0].pid());
    assert_eq!(Document::new("DISK", "kept").register().expect(addr).status, 204);
    let log = cluster.nodes[0].spec.data_dir.join("log");
    let before = settled_bytes(&log);
    let fault = Strace::attach(pid, "fdatasync", "error=EIO", cluster.scratch("strace"));
    let fault = fault.expect("what could be traced before");
    assert_eq!(Document::new("DISK", "lost").register().expect(addr).status, 503);
    drop(fault.detach());
    // The commit index behind the last entry is not synced either.
    assert!(bytes_in(&log) <= before, "{} bytes, of which {before} were there before", bytes_in(&log));
    let mut cluster = cluster;
    cluster.nodes[0].restart();
    assert_eq!(Document::new("DISK", "kept").read().expect(addr).status, 200);
    assert_eq!(Document::new("DISK", "lost").read().expect(addr).status, 404);
}

fn settled_bytes(log: &Path) -> u64 {
    let mut bytes = bytes_in(log);
    loop {
        thread::sleep(std::time::Duration::from_millis(200));
        let now = bytes_in(log);
        if now == bytes {
            return bytes;
        }
        bytes = now;
    }
}

fn bytes_in(dir: &Path) -> u64 {
    fs::read_dir(dir)
        .expect("a directory")
        .map(|file| file.expect("a file").metadata().expect("a file").len())
        .sum()
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn no_snapshot_can_be_written() {
    let name = "no snapshot can be written";
    let flags = ["--snapshot-entries", "100", "--snapshot-keep-entries", "10"];
    fail_beside(
        name,
        "fsync",
        "snapshot",
        "but no snapshot can be written: No space left on device",
        &flags,
        |cluster| {
            for node in &cluster.nodes {
                let names = fs::read_dir(node.spec.data_dir.join("snapshot")).expect("a directory").flatten();
                let left: Vec<_> =
                    names.map(|file| file.file_name()).filter(|name| name == "writing").collect();
                assert!(left.is_empty(), "{left:?} is left of a snapshot");
            }
        },
    );
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_state_cannot_be_written() {
    let name = "the state cannot be written";
    let flags = ["--state-flush-interval-ms", "100"];
    fail_beside(
        name,
        "pwrite64",
        "state",
        "but the state cannot be written: no storage space",
        &flags,
        |_| {},
    );
}

/// What is not the log fails, at the leader and at a follower, which both go on.
fn fail_beside(
    name: &str,
    calls: &str,
    part: &str,
    reason: &str,
    flags: &[&str],
    look: impl FnOnce(&Cluster),
) {
    if let Err(reason) = Strace::try_out(calls, "error=ENOSPC") {
        return print_skipped(name, &reason);
    }
    let mut cluster = Cluster::start_with(3, flags);
    let places = [cluster.leader(), cluster.follower()];
    let addrs = cluster.addrs();
    let term = cluster.nodes[places[0]].view().expect("a view").term;
    let faults = places.map(|place| {
        let trace = cluster.scratch(&format!("strace-{place}"));
        Strace::attach(cluster.nodes[place].pid(), calls, "error=ENOSPC", trace)
            .expect("what could be traced before")
    });
    let registering = Registering::start(&addrs, 100, usize::MAX);
    for place in places {
        until_ready_but(addrs[place], part, Some(reason));
    }
    registering.wait_for(100, addrs[places[1]]);
    for place in places {
        until_ready_but(addrs[place], part, Some(reason));
        let log = cluster.nodes[place].log();
        let told =
            log.lines().filter(|line| line.contains("cannot be written") || line.contains("can be written"));
        assert_eq!(told.count(), 1, "told more than once, or not at all: {log}");
        assert_eq!(cluster.nodes[place].view().expect("a view").term, term, "an election");
    }
    faults.into_iter().for_each(|fault| drop(fault.detach()));
    look(&cluster);
    if part == "snapshot" {
        for place in places {
            until("the snapshot is written by itself", || {
                let view = cluster.nodes[place].view()?;
                (view.snapshot_index > Some(0)).then_some(()).ok_or_else(|| format!("{view:?}"))
            });
        }
    } else {
        for place in places {
            cluster.nodes[place].restart();
        }
    }
    for place in places {
        until_ready_but(addrs[place], part, None);
    }
    registering.finish(name, &mut cluster, addrs[places[1]]);
}
