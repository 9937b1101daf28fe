//! The two stores as Raft uses them, on real disks.

mod checkpoints;
mod snapshots;
mod stored_state;
mod suite;

use std::path::Path;
use std::sync::Arc;

use futures_util::stream;
use openraft::EntryPayload;
use openraft::storage::{RaftLogReader, RaftLogStorage, RaftSnapshotBuilder, RaftStateMachine};
use openraft::type_config::TypeConfigExt;

use super::log_store::{LOG_FILE_BYTES, LogStore};
use super::machine::{Machine, Observer};
use super::types::{RaftEntry, TypeConfig, log_id};
use crate::format::Formats;
use crate::metrics::Metrics;
use crate::registry::arbitrary::Entry;
use crate::registry::{Change, Registry, Snapshot};
use crate::storage::{SnapshotDir, StateStore};
use crate::view::View;

struct Unobserved;

impl Observer for Unobserved {
    fn applied(&self, _: &[Change]) {}
    fn replaced(&self, _: &Registry) {}
}

/// Sled's own threads may hold a store that was dropped for a moment longer.
fn store(dir: &Path) -> StateStore {
    const ATTEMPTS: usize = 10_000;
    let pause = std::time::Duration::from_millis(1);
    for _ in 1..ATTEMPTS {
        match StateStore::open(&dir.join("state"), Formats::THIS) {
            Ok(store) => return store,
            Err(error) if error.to_string().contains("could not acquire lock") => std::thread::sleep(pause),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("{} is still open", dir.display());
}

fn machine(dir: &Path) -> Machine {
    let snapshots = SnapshotDir::open(&dir.join("snapshot"), Formats::THIS).unwrap();
    let store = store(dir);
    let stored = store.load().ok().flatten();
    Machine::open(store, stored, snapshots, Arc::new(Unobserved), Arc::default()).unwrap()
}

fn log(dir: &Path) -> LogStore {
    LogStore::open(&dir.join("log"), LOG_FILE_BYTES, Formats::THIS, &Metrics::default()).unwrap()
}

/// The entries as the log has them, from index 1 on.
fn raft_entries(entries: &[Entry]) -> Vec<RaftEntry> {
    let mut registry = Registry::default();
    let raft_entry = |(index, entry): (u64, &Entry)| {
        let batch = entry.encode(&registry);
        let (stamped_ms, commands) = batch.decode().unwrap();
        registry.advance(stamped_ms, &mut Vec::new());
        for command in commands {
            command.apply(&mut registry, &mut Vec::new());
        }
        RaftEntry { log_id: log_id(1, index), payload: EntryPayload::Normal(batch) }
    };
    (1..).zip(entries).map(raft_entry).collect()
}

async fn apply(machine: &mut Machine, entries: &[RaftEntry]) {
    let items: Vec<_> = entries.iter().map(|entry| Ok((entry.clone(), None))).collect();
    machine.apply(stream::iter(items)).await.unwrap();
}

async fn append(log: &mut LogStore, entries: &[RaftEntry]) {
    let (flushed, done) = TypeConfig::oneshot();
    log.append(entries.to_vec(), openraft::storage::IOFlushed::signal(flushed)).await.unwrap();
    done.await.unwrap().unwrap();
}

/// Applies what the log has from what the machine took up to this index, as Raft does at its start.
async fn replay(log: &mut LogStore, machine: &mut Machine, to: usize) {
    let from = machine.last_applied() + 1;
    let entries = log.try_get_log_entries(from..=to as u64).await.unwrap();
    apply(machine, &entries).await;
}

async fn write_snapshot(machine: &mut Machine) {
    machine.get_snapshot_builder().await.build_snapshot().await.unwrap();
}

/// All that a machine knows but for what its disk has.
#[derive(Debug, PartialEq)]
struct Known {
    applied_index: u64,
    visible_index: u64,
    registry: Snapshot,
    statuses: String,
    delta_entries: usize,
}

fn known(machine: &Machine) -> Known {
    let view: Arc<View> = machine.view();
    Known {
        applied_index: machine.last_applied(),
        visible_index: view.index(),
        registry: machine.with_registry(Registry::snapshot),
        statuses: view.statuses().hashcode(),
        delta_entries: view.delta_count(),
    }
}

/// A machine in memory of its own that applied these entries one after the other.
async fn expected(entries: &[RaftEntry]) -> Known {
    let dir = tempfile::tempdir().unwrap();
    let mut machine = machine(dir.path());
    apply(&mut machine, entries).await;
    known(&machine)
}

fn block_on<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}
