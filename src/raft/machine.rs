//! The state machine as Raft drives it: applies committed entries to the registry, in memory, and
//! passes what changed on to views, leases and the stored state.

mod storing;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use futures_util::{Stream, StreamExt};
use openraft::alias::{SnapshotMetaOf, SnapshotOf};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, OptionalSend};
use tokio::sync::watch;

use super::checkpoints::Checkpoint;
use super::dirty::Dirty;
use super::snapshot::{SnapshotBuilder, snapshot_meta};
use super::state::{State, whole};
use super::tally::{Kind, Tally};
use super::types::{RaftEntry, RaftLogId, RaftStoredMembership, TypeConfig};
use crate::blocking::blocking;
use crate::format::Format;
use crate::history::History;
use crate::message::StateHeader;
use crate::metrics::Metrics;
use crate::registry::{Change, Outcome, Registry, Snapshot, bound_conflicts};
use crate::storage::{Failures, SnapshotDir, SnapshotFile, StateStore, StoredState};
use crate::view::View;

/// Told of every change in the order of the log, while the registry is held: must be quick, and
/// must not ask the machine for anything.
pub trait Observer: Send + Sync + 'static {
    fn applied(&self, changes: &[Change]);
    /// The whole registry was replaced by a snapshot.
    fn replaced(&self, registry: &Registry);
}

/// A handle; clones are the same machine.
#[derive(Clone)]
pub struct Machine(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    view: ArcSwap<View>,
    applied_index: watch::Sender<u64>,
    format: watch::Sender<Format>,
    observer: Arc<dyn Observer>,
    store: StateStore,
    /// Held from taking what changed to having it stored: updates must arrive in their order.
    storing: Mutex<()>,
    snapshots: SnapshotDir,
    failures: Failures,
    metrics: Arc<Metrics>,
}

/// What `/api/cluster` tells of the state machine, all of one moment.
#[derive(Debug, Clone, Copy)]
pub struct AppliedState {
    pub index: u64,
    pub state_hash: u64,
    pub instances: usize,
}

impl Machine {
    /// Takes up the newer of the snapshot and what was `stored` in the store. A stored state whose
    /// records do not belong together is only worth a warning, being derived.
    ///
    /// # Errors
    /// What the file system says, or a snapshot that is whole but cannot be understood.
    pub fn open(
        store: StateStore,
        stored: Option<StoredState>,
        snapshots: SnapshotDir,
        observer: Arc<dyn Observer>,
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        let snapshot = snapshots.current()?;
        let covered = match &snapshot {
            Some(file) => file.header()?.applied.map_or(0, |applied| applied.index),
            None => 0,
        };
        let stored = stored
            .and_then(whole)
            .filter(|state| state.applied.as_ref().is_some_and(|applied| applied.index >= covered));
        let state = match (stored, snapshot) {
            (Some(state), _) => state,
            (None, Some(file)) => State::from_stored(file.read()?).map_err(io::Error::other)?,
            (None, None) => State::empty(),
        };
        let view = View::of(&state.registry, state.visible_index);
        observer.replaced(&state.registry);
        let (applied_index, _) = watch::channel(state.applied_index());
        let (format, _) = watch::channel(state.registry.format());
        Ok(Self(Arc::new(Shared {
            view: ArcSwap::from_pointee(view),
            state: Mutex::new(state),
            applied_index,
            format,
            observer,
            store,
            storing: Mutex::default(),
            snapshots,
            failures: Failures::default(),
            metrics,
        })))
    }

    /// What readers see, as of the last applied entry.
    pub fn view(&self) -> Arc<View> {
        self.0.view.load_full()
    }

    /// The index of the last applied entry; a receiver sees it move.
    pub fn applied_index(&self) -> watch::Receiver<u64> {
        self.0.applied_index.subscribe()
    }

    /// The index of the last applied entry.
    pub fn last_applied(&self) -> u64 {
        *self.0.applied_index.borrow()
    }

    /// What the cluster writes, as of the last applied entry.
    pub fn format(&self) -> Format {
        *self.0.format.borrow()
    }

    /// The same; a receiver sees it raised.
    pub fn format_raised(&self) -> watch::Receiver<Format> {
        self.0.format.subscribe()
    }

    pub fn applied_state(&self) -> AppliedState {
        let state = self.state();
        AppliedState {
            index: state.applied_index(),
            state_hash: state.registry.state_hash().value(),
            instances: state.registry.instance_count(),
        }
    }

    /// Looks at the registry while nothing is applied.
    pub fn with_registry<T>(&self, look: impl FnOnce(&Registry) -> T) -> T {
        look(&self.state().registry)
    }

    /// Looks at what lately changed of instances.
    pub fn with_history<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        look(&self.state().history)
    }

    /// What this state was at the last few log indexes that all nodes remember theirs of.
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        self.state().checkpoints.to_vec()
    }

    pub fn snapshots(&self) -> &SnapshotDir {
        &self.0.snapshots
    }

    /// What of this cannot be written.
    pub fn failures(&self) -> &Failures {
        &self.0.failures
    }

    /// What is counted of this and of all around it.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    pub(super) fn captured(&self) -> (StateHeader, Snapshot) {
        let state = self.state();
        let captured = (state.header(), state.registry.snapshot());
        #[cfg(feature = "planted-bugs")]
        let captured = crate::planted::written(captured);
        captured
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies one entry and publishes what it changed, so that whoever learns of its outcome finds
    /// it in the view.
    fn apply_entry(&self, entry: &RaftEntry) -> io::Result<Vec<Outcome>> {
        let mut changes = Vec::new();
        let mut outcomes = Vec::new();
        let mut tally = Tally::default();
        let _span = self.0.metrics.traces.applying(entry.log_id.index);
        let mut state = self.state();
        match &entry.payload {
            EntryPayload::Blank => {}
            EntryPayload::Membership(membership) => {
                state.membership = RaftStoredMembership::new(Some(entry.log_id), membership.clone());
            }
            EntryPayload::Normal(batch) => {
                let (stamped_ms, commands) = batch.decode().map_err(io::Error::other)?;
                #[cfg(feature = "planted-bugs")]
                let stamped_ms = crate::planted::time_of(stamped_ms);
                state.registry.advance(stamped_ms, &mut changes);
                outcomes.reserve_exact(commands.len());
                for command in commands {
                    #[cfg(feature = "planted-bugs")]
                    let command = crate::planted::applied(command, &state.registry);
                    let kind = Kind::of(&command);
                    let outcome = command.apply(&mut state.registry, &mut changes);
                    tally.note(kind, &outcome);
                    outcomes.push(outcome);
                }
                bound_conflicts(&mut outcomes);
            }
        }
        state.applied = Some(entry.log_id);
        state.dirty.note(&changes);
        self.0.observer.applied(&changes);
        let view = self.0.view.load();
        if View::is_visible(&changes) {
            state.visible_index = entry.log_id.index;
            let State { registry, history, .. } = &mut *state;
            let next = view.update(&changes, entry.log_id.index, |place, former| {
                history.changed(registry.now_ms(), &changes[place], former);
            });
            self.0.view.store(Arc::new(next));
        } else {
            view.renewed(&changes);
        }
        state.pass_checkpoint();
        self.publish_format(&state);
        drop(state);
        tally.count(&self.0.metrics.applied);
        self.0.applied_index.send_replace(entry.log_id.index);
        Ok(outcomes)
    }

    fn publish_format(&self, state: &State) {
        let format = state.registry.format();
        let raised = |known: &mut Format| std::mem::replace(known, format) != format;
        if self.0.format.send_if_modified(raised) {
            tracing::info!(format = format.number(), "the cluster writes a newer format from here on");
        }
    }

    /// Has a snapshot take the place of all there is, here and on disk, if it is the one `expected`.
    ///
    /// # Errors
    /// What the file system says, or that the snapshot cannot be used.
    pub(super) async fn take_up(
        &self,
        snapshot: SnapshotFile,
        expected: impl FnOnce(Option<RaftLogId>) -> bool + Send + 'static,
    ) -> io::Result<Option<RaftLogId>> {
        let snapshots = self.0.snapshots.clone();
        let installing = blocking(move || {
            let stored = snapshot.read()?;
            let state = State::from_stored(stored).map_err(io::Error::other)?;
            if !expected(state.applied) {
                return Err(io::Error::other("the snapshot is of another log index than announced"));
            }
            snapshots.adopt(snapshot)?;
            Ok(state)
        });
        let state = installing.await??;
        let applied = state.applied;
        tracing::info!(index = state.applied_index(), "installed a snapshot");
        self.replace(state);
        Ok(applied)
    }

    fn replace(&self, state: State) {
        let index = state.applied_index();
        let view = View::of(&state.registry, state.visible_index);
        let mut current = self.state();
        *current = State { dirty: Dirty::everything(), ..state };
        self.0.observer.replaced(&current.registry);
        self.0.view.store(Arc::new(view));
        self.publish_format(&current);
        drop(current);
        self.0.applied_index.send_replace(index);
    }
}

impl RaftStateMachine<TypeConfig> for Machine {
    type SnapshotData = SnapshotFile;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> Result<(Option<RaftLogId>, RaftStoredMembership), io::Error> {
        let state = self.state();
        Ok((state.applied, state.membership.clone()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        while let Some(item) = entries.next().await {
            let (entry, responder) = item?;
            let outcomes = self.apply_entry(&entry)?;
            if let Some(responder) = responder {
                responder.send(outcomes);
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder::new(self.clone())
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMetaOf<TypeConfig>,
        snapshot: SnapshotFile,
    ) -> Result<(), io::Error> {
        let announced = meta.last_log_id;
        self.take_up(snapshot, move |applied| applied == announced).await.map(drop)
    }

    async fn get_current_snapshot(
        &mut self,
    ) -> Result<Option<SnapshotOf<TypeConfig, SnapshotFile>>, io::Error> {
        let snapshots = self.0.snapshots.clone();
        let reading = blocking(move || {
            let Some(file) = snapshots.current()? else {
                return Ok::<_, io::Error>(None);
            };
            Ok(Some((file.header()?, file)))
        });
        let Some((header, file)) = reading.await?? else {
            return Ok(None);
        };
        let meta = snapshot_meta(header).map_err(io::Error::other)?;
        Ok(Some(SnapshotOf::<TypeConfig, SnapshotFile> { meta, snapshot: file }))
    }
}
