//! The stored state is the registry's, or it is found out and the registry comes from elsewhere.

use proptest::prelude::*;

use super::*;
use crate::registry::arbitrary::entries;
use crate::storage::{InstanceUpdate, StateUpdate};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    GoOn,
    Store,
    StoreAndReopen,
    Snapshot,
}

fn then() -> impl Strategy<Value = Then> {
    prop_oneof![
        3 => Just(Then::GoOn),
        3 => Just(Then::Store),
        2 => Just(Then::StoreAndReopen),
        1 => Just(Then::Snapshot),
    ]
}

proptest! {
    // A case opens sled several times.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_stored_now_and_then_is_the_registry_at_every_start(
        entries in entries(16),
        thens in proptest::collection::vec(then(), 16),
    ) {
        block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let raft_entries = raft_entries(&entries);
            let mut machine = machine(dir.path());
            for (at, (entry, then)) in raft_entries.iter().zip(thens).enumerate() {
                apply(&mut machine, std::slice::from_ref(entry)).await;
                match then {
                    Then::GoOn => {}
                    Then::Store => machine.store().unwrap(),
                    Then::Snapshot => write_snapshot(&mut machine).await,
                    Then::StoreAndReopen => {
                        machine.store_durably().unwrap();
                        drop(machine);
                        machine = super::machine(dir.path());
                        assert_eq!(known(&machine), expected(&raft_entries[..=at]).await);
                    }
                }
            }
        });
    }

    /// The machine is gone at any moment: whatever was stored, the log has the rest.
    #[test]
    fn a_machine_that_stopped_anywhere_is_whole_again_with_the_log(
        entries in entries(16),
        thens in proptest::collection::vec(then(), 16),
    ) {
        block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let raft_entries = raft_entries(&entries);
            let (mut log, mut machine) = (log(dir.path()), machine(dir.path()));
            append(&mut log, &raft_entries).await;
            for (index, (entry, then)) in (1..).zip(raft_entries.iter().zip(thens)) {
                apply(&mut machine, std::slice::from_ref(entry)).await;
                match then {
                    Then::GoOn => {}
                    Then::Store => machine.store().unwrap(),
                    Then::Snapshot => write_snapshot(&mut machine).await,
                    Then::StoreAndReopen => {
                        drop(machine);
                        machine = super::machine(dir.path());
                        replay(&mut log, &mut machine, index).await;
                    }
                }
            }
            drop(machine);
            let mut machine = super::machine(dir.path());
            replay(&mut log, &mut machine, raft_entries.len()).await;
            assert_eq!(known(&machine), expected(&raft_entries).await);
        });
    }
}

/// Entries of which every second one renews, sets or removes something, none of them without effect.
fn some_entries() -> Vec<RaftEntry> {
    use crate::command::Command;
    use crate::registry::arbitrary::{Act, START_MS, key_of, plain_instance};
    use crate::registry::{Origin, Status};
    let (a, b) = (key_of("APP", "a"), key_of("APP", "b"));
    let register = |key: &crate::registry::Key| Command::Register {
        key: key.clone(),
        instance: plain_instance(key).into(),
        last_dirty_ms: None,
        origin: Origin::Client,
    };
    let renew = |key: &crate::registry::Key| Command::Renew {
        key: key.clone(),
        last_dirty_ms: None,
        overridden: None,
        origin: Origin::Client,
    };
    let set = Command::SetStatus {
        key: a.clone(),
        status: Status::OutOfService,
        last_dirty_ms: None,
        origin: Origin::Client,
    };
    let commands = [
        register(&a),
        register(&b),
        renew(&a),
        set,
        renew(&b),
        Command::Cancel { key: b.clone(), origin: Origin::Client },
    ];
    let entries: Vec<Entry> = (0..)
        .zip(commands)
        .map(|(second, command)| Entry {
            stamped_ms: START_MS + second * 1000,
            acts: vec![Act::Command(command)],
        })
        .collect();
    raft_entries(&entries)
}

/// A directory with the log of all entries, a snapshot of the first `in_snapshot` of them if any,
/// and a stored state of the first `stored`.
async fn written(entries: &[RaftEntry], in_snapshot: usize, stored: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    append(&mut log(dir.path()), entries).await;
    let snapshot_only = tempfile::tempdir().unwrap();
    if in_snapshot > 0 {
        let mut machine = machine(snapshot_only.path());
        apply(&mut machine, &entries[..in_snapshot]).await;
        write_snapshot(&mut machine).await;
    }
    let mut machine = machine(dir.path());
    apply(&mut machine, &entries[..stored]).await;
    machine.store().unwrap();
    if in_snapshot > 0 {
        let (from, to) = (snapshot_only.path(), dir.path());
        std::fs::copy(from.join("snapshot/current"), to.join("snapshot/current")).unwrap();
    }
    dir
}

#[tokio::test]
async fn the_newer_of_the_snapshot_and_the_stored_state_is_taken_up() {
    let entries = some_entries();
    for (in_snapshot, stored, taken) in [(0, 4, 4), (2, 5, 5), (4, 4, 4), (5, 2, 5)] {
        let dir = written(&entries, in_snapshot, stored).await;
        let mut machine = machine(dir.path());
        assert_eq!(known(&machine), expected(&entries[..taken]).await, "{in_snapshot}, {stored}");
        replay(&mut log(dir.path()), &mut machine, entries.len()).await;
        assert_eq!(known(&machine), expected(&entries).await);
        // What was taken up from the snapshot is in the stored state from then on.
        machine.store().unwrap();
        drop(machine);
        if in_snapshot > 0 {
            std::fs::remove_file(dir.path().join("snapshot/current")).unwrap();
        }
        assert_eq!(known(&super::machine(dir.path())), expected(&entries).await);
    }
}

#[tokio::test]
async fn a_stored_state_that_is_not_whole_is_passed_over() {
    let entries = some_entries();
    for in_snapshot in [0, 2] {
        let stale = stored_records(&entries[..1]).await;
        let whole = stored_records(&entries[..4]).await;
        let mut damages: Vec<StateUpdate> = Vec::new();
        for (key, registration) in &whole.1.registrations {
            damages.push(StateUpdate {
                instances: vec![InstanceUpdate::Removed(key.clone())],
                ..update(&whole)
            });
            let mut other = (**registration).clone();
            other.lease.renewed_ms += 1;
            let lease = InstanceUpdate::Lease(key.clone(), Arc::new(other));
            damages.push(StateUpdate { instances: vec![lease], ..update(&whole) });
        }
        for (seq, entry) in &whole.1.delta {
            damages.push(StateUpdate { delta_dropped: vec![*seq], ..update(&whole) });
            damages.push(StateUpdate { delta_added: vec![(seq + 100, entry.clone())], ..update(&whole) });
        }
        let (key, former) = stale.1.registrations[0].clone();
        let document = InstanceUpdate::Document(key, former);
        damages.push(StateUpdate { instances: vec![document], ..update(&whole) });
        damages.push(StateUpdate { header: stale.0, ..StateUpdate::default() });

        for damage in damages {
            let dir = written(&entries, in_snapshot, 4).await;
            store(dir.path()).write(&damage).unwrap();
            let mut machine = machine(dir.path());
            assert_eq!(known(&machine), expected(&entries[..in_snapshot]).await, "{damage:?}");
            replay(&mut log(dir.path()), &mut machine, entries.len()).await;
            assert_eq!(known(&machine), expected(&entries).await);
            machine.store().unwrap();
            drop(machine);
            assert_eq!(known(&super::machine(dir.path())), expected(&entries).await);
        }
    }
}

async fn stored_records(entries: &[RaftEntry]) -> crate::storage::StoredState {
    let dir = written(entries, 0, entries.len()).await;
    store(dir.path()).load().unwrap().unwrap()
}

/// An update that changes nothing.
fn update(stored: &crate::storage::StoredState) -> StateUpdate {
    StateUpdate { header: stored.0.clone(), ..StateUpdate::default() }
}
