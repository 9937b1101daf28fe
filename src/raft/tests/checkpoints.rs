//! Checkpoints are the log's alone: the same for a machine that goes on, is restarted, or installs a snapshot.

use super::*;
use crate::command::Command;
use crate::raft::checkpoints::{Checkpoint, EVERY_ENTRIES};
use crate::raft::state::State;
use crate::registry::arbitrary::{Act, START_MS, key_of, plain_instance};
use crate::registry::{Origin, Status};

const EVERY: usize = EVERY_ENTRIES as usize;
const ENTRIES: usize = 3 * EVERY + 32;

fn many_entries() -> Vec<RaftEntry> {
    let command = |at: usize| {
        let key = key_of("APP", ["a", "b", "c", "d", "e"][at / 4 % 5]);
        match at % 4 {
            0 => Command::Register {
                instance: plain_instance(&key).into(),
                key,
                last_dirty_ms: None,
                origin: Origin::Client,
            },
            1 => Command::SetStatus {
                key,
                status: Status::OutOfService,
                last_dirty_ms: None,
                origin: Origin::Client,
            },
            2 => Command::Renew { key, last_dirty_ms: None, overridden: None, origin: Origin::Client },
            _ => Command::Expire { leases: vec![(key, u64::MAX)] },
        }
    };
    let entry =
        |at: usize| Entry { stamped_ms: START_MS + 997 * at as i64, acts: vec![Act::Command(command(at))] };
    raft_entries(&(0..ENTRIES).map(entry).collect::<Vec<_>>())
}

async fn checkpoints_after(entries: &[RaftEntry]) -> Vec<Checkpoint> {
    let dir = tempfile::tempdir().unwrap();
    let mut machine = machine(dir.path());
    apply(&mut machine, entries).await;
    machine.checkpoints()
}

#[tokio::test]
async fn whoever_comes_to_an_index_remembers_the_same() {
    let entries = many_entries();
    let all = checkpoints_after(&entries).await;
    assert_eq!(
        all.iter().map(|checkpoint| checkpoint.index).collect::<Vec<_>>(),
        [1, 2, 3].map(|at| at * EVERY_ENTRIES)
    );
    let starts = [
        (EVERY / 2, &all[..]),
        (EVERY - 1, &all[..]),
        (EVERY, &all[..]),
        (EVERY + 44, &all[1..]),
        (2 * EVERY, &all[1..]),
    ];
    for (until, common) in starts {
        for by_snapshot in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let mut first = machine(dir.path());
            apply(&mut first, &entries[..until]).await;
            match by_snapshot {
                true => write_snapshot(&mut first).await,
                false => first.store_durably().unwrap(),
            }
            drop(first);
            let mut second = machine(dir.path());
            assert_eq!(second.last_applied(), until as u64);
            apply(&mut second, &entries[until..]).await;
            assert_eq!(second.checkpoints(), common, "{until} {by_snapshot}");
        }
    }
}

/// What a node remembers of a state says nothing about the one that took its place.
#[tokio::test]
async fn an_installed_snapshot_ends_what_was_remembered() {
    let entries = many_entries();
    let (of_another, of_this) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut another = machine(of_another.path());
    apply(&mut another, &entries[..2 * EVERY]).await;
    let sent = another.get_snapshot_builder().await.build_snapshot().await.unwrap();
    let mut this = machine(of_this.path());
    apply(&mut this, &entries[..EVERY + 44]).await;
    assert_eq!(this.checkpoints().len(), 1);
    this.install_snapshot(&sent.meta, sent.snapshot).await.unwrap();
    assert_eq!(this.checkpoints(), another.checkpoints()[1..]);
}

#[tokio::test]
async fn every_part_of_the_state_counts() {
    let entries = many_entries();
    let dir = tempfile::tempdir().unwrap();
    let mut machine = machine(dir.path());
    apply(&mut machine, &entries[..EVERY]).await;
    let (header, snapshot) = machine.captured();
    let of = |header, snapshot| State::from_stored((header, snapshot)).unwrap().checkpoints.to_vec()[0].hash;
    let expected = of(header.clone(), snapshot.clone());
    assert_eq!(machine.checkpoints()[0].hash, expected);

    let mut other_term = header.clone();
    other_term.applied.as_mut().unwrap().term += 1;
    let mut other_visible = header.clone();
    other_visible.visible_index -= 1;
    let mut other_membership = header.clone();
    other_membership.membership.as_mut().unwrap().log_id = other_membership.applied;
    for other in [other_term, other_visible, other_membership] {
        assert_ne!(of(other.clone(), snapshot.clone()), expected, "{other:?}");
    }

    let key = key_of("APP", "a");
    let commands = [
        Command::Renew { key: key.clone(), last_dirty_ms: None, overridden: None, origin: Origin::Client },
        Command::SetStatus {
            key: key.clone(),
            status: Status::Down,
            last_dirty_ms: None,
            origin: Origin::Client,
        },
        Command::Cancel { key: key.clone(), origin: Origin::Client },
    ];
    let with = |change: &dyn Fn(&mut Registry)| {
        let mut registry = Registry::from_snapshot(snapshot.clone()).unwrap();
        change(&mut registry);
        of(header.clone(), registry.snapshot())
    };
    assert_eq!(with(&|_| {}), expected);
    for command in commands {
        assert_ne!(
            with(&|registry| drop(command.clone().apply(registry, &mut Vec::new()))),
            expected,
            "{command:?}"
        );
    }
    assert_ne!(with(&|registry| registry.advance(header.now_ms + 1, &mut Vec::new())), expected, "the clock");
}
