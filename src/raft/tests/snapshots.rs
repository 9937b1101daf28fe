//! Snapshots on their way from one machine to another.

use std::io::{Read, Seek, Write};

use openraft::alias::SnapshotOf;
use proptest::prelude::*;

use super::*;
use crate::registry::arbitrary::entries;
use crate::storage::SnapshotFile;

/// Sends a snapshot's bytes to another machine.
fn received(sent: &SnapshotFile, machine: &Machine) -> SnapshotFile {
    let mut bytes = Vec::new();
    sent.file().rewind().unwrap();
    sent.file().read_to_end(&mut bytes).unwrap();
    let incoming = machine.snapshots().incoming().unwrap();
    incoming.file().write_all(&bytes).unwrap();
    incoming
}

async fn current(machine: &mut Machine) -> SnapshotOf<TypeConfig, SnapshotFile> {
    machine.get_current_snapshot().await.unwrap().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_machine_that_installs_a_snapshot_is_the_one_that_wrote_it(
        entries in entries(16),
        before in 0..16_usize,
    ) {
        block_on(async {
            let entries = raft_entries(&entries);
            let (leader_dir, follower_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let mut leader = machine(leader_dir.path());
            apply(&mut leader, &entries).await;
            write_snapshot(&mut leader).await;

            let mut follower = machine(follower_dir.path());
            apply(&mut follower, &entries[..before.min(entries.len())]).await;
            follower.store().unwrap();
            let sent = current(&mut leader).await;
            let file = received(&sent.snapshot, &follower);
            follower.install_snapshot(&sent.meta, file).await.unwrap();
            assert_eq!(known(&follower), known(&leader));
            let follows = RaftStateMachine::applied_state(&mut follower).await.unwrap();
            assert_eq!(follows, RaftStateMachine::applied_state(&mut leader).await.unwrap());
            assert_eq!(current(&mut follower).await.meta, sent.meta);

            drop(follower);
            let follower = machine(follower_dir.path());
            assert_eq!(known(&follower), known(&leader));
            follower.store().unwrap();
            drop(follower);
            std::fs::remove_file(follower_dir.path().join("snapshot/current")).unwrap();
            assert_eq!(known(&machine(follower_dir.path())), known(&leader));
        });
    }
}

#[test]
fn a_snapshot_that_is_not_as_announced_changes_nothing() {
    block_on(async {
        let entries = raft_entries(&arbitrary_entries());
        let (leader_dir, follower_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut leader = machine(leader_dir.path());
        apply(&mut leader, &entries).await;
        write_snapshot(&mut leader).await;
        let sent = current(&mut leader).await;

        let mut follower = machine(follower_dir.path());
        apply(&mut follower, &entries[..1]).await;
        let before = known(&follower);
        let mut meta = sent.meta.clone();
        meta.last_log_id = Some(log_id(1, 1000));
        let file = received(&sent.snapshot, &follower);
        follower.install_snapshot(&meta, file).await.unwrap_err();
        assert_eq!(known(&follower), before);
        assert!(follower.get_current_snapshot().await.unwrap().is_none());

        let damaged = received(&sent.snapshot, &follower);
        let length = damaged.size_bytes().unwrap();
        damaged.file().set_len(length - 1).unwrap();
        follower.install_snapshot(&sent.meta, damaged).await.unwrap_err();
        assert_eq!(known(&follower), before);
        assert!(follower.get_current_snapshot().await.unwrap().is_none());
    });
}

/// A few entries, always the same.
fn arbitrary_entries() -> Vec<Entry> {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let tree = proptest::collection::vec(entries(4), 4).new_tree(&mut TestRunner::deterministic());
    tree.unwrap().current().concat()
}
