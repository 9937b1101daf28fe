//! All that is made of the log: the registry, and what is kept beside it.

use prost::Message;
use xxhash_rust::xxh3::xxh3_64;

use super::checkpoints::{Checkpoint, Checkpoints};
use super::dirty::Dirty;
use super::types::{
    RaftLogId, RaftStoredMembership, log_id_from_message, log_id_to_message, stored_membership_from_message,
    stored_membership_to_message,
};
use crate::encoding::{encode_peer_progress, encode_self_preservation};
use crate::history::History;
use crate::message::StateHeader;
use crate::registry::Registry;
use crate::storage::StoredState;

pub(super) struct State {
    pub(super) registry: Registry,
    pub(super) applied: Option<RaftLogId>,
    pub(super) membership: RaftStoredMembership,
    pub(super) visible_index: u64,
    pub(super) dirty: Dirty,
    /// Up to where the stored state is like this one, unless everything is dirty.
    pub(super) stored: Option<RaftLogId>,
    pub(super) checkpoints: Checkpoints,
    /// Not of the log alone: what this node saw since it took this state up.
    pub(super) history: History,
}

impl State {
    pub(super) fn empty() -> Self {
        Self {
            registry: Registry::default(),
            applied: None,
            membership: RaftStoredMembership::default(),
            visible_index: 0,
            dirty: Dirty::everything(),
            stored: None,
            checkpoints: Checkpoints::default(),
            history: History::since(0),
        }
    }

    pub(super) fn from_stored((header, snapshot): StoredState) -> anyhow::Result<Self> {
        let registry = Registry::from_snapshot(snapshot)?;
        let mut state = Self {
            history: History::since(registry.now_ms()),
            registry,
            applied: header.applied.as_ref().map(log_id_from_message),
            membership: stored_membership_from_message(header.membership)?,
            visible_index: header.visible_index,
            dirty: Dirty::everything(),
            stored: None,
            checkpoints: Checkpoints::default(),
        };
        state.pass_checkpoint();
        Ok(state)
    }

    /// The header has everything but the records, and those by their hash.
    pub(super) fn pass_checkpoint(&mut self) {
        let index = self.applied_index();
        if Checkpoints::are_due_at(index) {
            let hash = xxh3_64(&self.header().encode_to_vec());
            self.checkpoints.add(Checkpoint { index, hash });
        }
    }

    pub(super) fn applied_index(&self) -> u64 {
        self.applied.map_or(0, |applied| applied.index)
    }

    pub(super) fn header(&self) -> StateHeader {
        StateHeader {
            applied: self.applied.as_ref().map(log_id_to_message),
            membership: Some(stored_membership_to_message(&self.membership)),
            now_ms: self.registry.now_ms(),
            sequence: self.registry.sequence(),
            state_hash: self.registry.state_hash().value(),
            registrations: self.registry.instance_count() as u64,
            delta_entries: self.registry.delta().entries().len() as u64,
            visible_index: self.visible_index,
            self_preservation: self.registry.self_preservation().map(encode_self_preservation).collect(),
            peer_progress: encode_peer_progress(self.registry.peer_progress()),
            format: self.registry.format().to_stored(),
        }
    }
}

/// A stored state, if it is whole.
pub(super) fn whole(stored: StoredState) -> Option<State> {
    match State::from_stored(stored) {
        Ok(state) => Some(State { dirty: Dirty::default(), stored: state.applied, ..state }),
        Err(error) => {
            tracing::warn!(%error, "the stored state is not used; it is rebuilt from the snapshot and the log");
            None
        }
    }
}
