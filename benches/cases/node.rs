//! A leader's state machine with its view, deadlines and stored state, to which log entries are applied as by Raft.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, stream};
use openraft::alias::EntryOf;
use openraft::storage::RaftStateMachine;
use openraft::{EntryPayload, LogId};
use rs_registry::command::Command;
use rs_registry::config::SelfPreservationSettings;
use rs_registry::format::Formats;
use rs_registry::lessor::Lessor;
use rs_registry::raft::{Machine, TypeConfig};
use rs_registry::registry::{DELTA_RETENTION_MS, Origin, Status};
use rs_registry::storage::{SnapshotDir, StateStore};
use tempfile::TempDir;

use super::commands::{batch, registration, renewal};
use super::service::{DIRTY_MS, Service};
use super::{BATCH, PER_APP};

pub type Entry = EntryOf<TypeConfig>;

/// Most instances there are beside those that the node was made with.
const NEWCOMERS: usize = 2048;

pub struct Node {
    machine: Machine,
    instances: usize,
    newcomers: usize,
    index: u64,
    now_ms: i64,
    /// The instance whose turn it is.
    turn: usize,
    status: Status,
    _dir: TempDir,
}

impl Node {
    /// A node with so many instances, which were all registered a while ago.
    pub fn with(instances: usize) -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let store = StateStore::open(&dir.path().join("state"), Formats::THIS).unwrap();
        let snapshots = SnapshotDir::open(&dir.path().join("snapshot"), Formats::THIS).unwrap();
        let lessor = Arc::new(Lessor::new(Duration::from_millis(250), self_preservation()));
        let machine = Machine::open(store, None, snapshots, lessor.clone(), Arc::default()).unwrap();
        machine.with_registry(|registry| lessor.lead(registry));
        let mut node = Self {
            machine,
            instances,
            newcomers: 0,
            index: 0,
            now_ms: DIRTY_MS,
            turn: 0,
            status: Status::OutOfService,
            _dir: dir,
        };
        for first in (0..instances).step_by(BATCH) {
            let entry = node.entry(first..instances.min(first + BATCH), registration);
            node.apply(entry);
        }
        node.now_ms += DELTA_RETENTION_MS + 1;
        let forgetting = node.entry(0..0, registration);
        node.apply(forgetting);
        node.machine.store().unwrap();
        node
    }

    /// An entry that renews the next instances.
    pub fn renewals(&mut self, count: usize) -> Entry {
        let turn = self.take_turn(count);
        self.entry(turn, renewal)
    }

    /// An entry that changes the status of the next instances.
    pub fn status_changes(&mut self, count: usize) -> Entry {
        let turn = self.take_turn(count);
        let status = self.status;
        self.entry(turn, |service| Command::SetStatus {
            key: service.key(),
            status,
            last_dirty_ms: None,
            origin: Origin::Client,
        })
    }

    /// An entry that registers instances which were not there.
    pub fn registrations(&mut self, count: usize) -> Entry {
        if self.newcomers + count > NEWCOMERS {
            let newcomers = self.instances..self.instances + self.newcomers;
            let cancellations = self
                .entry(newcomers, |service| Command::Cancel { key: service.key(), origin: Origin::Client });
            self.apply(cancellations);
            self.newcomers = 0;
        }
        let first = self.instances + self.newcomers;
        self.newcomers += count;
        self.entry(first..first + count, registration)
    }

    pub fn apply(&mut self, entry: Entry) {
        let entries = stream::iter([Ok((entry, None))]);
        self.machine.apply(entries).now_or_never().expect("nothing to wait for").unwrap();
    }

    fn entry(&mut self, numbers: Range<usize>, command: impl Fn(Service) -> Command) -> Entry {
        self.index += 1;
        self.now_ms += 1;
        let services = numbers.map(|number| Service { number, apps: self.instances / PER_APP });
        let batch = batch(services.map(command), self.now_ms);
        Entry { log_id: LogId::new_term_index(1, self.index), payload: EntryPayload::Normal(batch) }
    }

    fn take_turn(&mut self, count: usize) -> Range<usize> {
        if self.turn + count > self.instances {
            self.turn = 0;
            self.status = if self.status == Status::Up { Status::OutOfService } else { Status::Up };
            // Between two renewals of a client, the state is stored many times.
            self.machine.store().unwrap();
        }
        self.turn += count;
        self.turn - count..self.turn
    }
}

fn self_preservation() -> SelfPreservationSettings {
    SelfPreservationSettings {
        enabled: true,
        threshold_percent: 15,
        window: Duration::from_secs(30),
        longest_hold: Duration::from_secs(600),
    }
}
