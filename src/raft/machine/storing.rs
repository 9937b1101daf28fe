//! How the stored state follows the one in memory.

use std::sync::PoisonError;

use super::Machine;
use crate::message::StateHeader;
use crate::raft::dirty::Dirty;
use crate::raft::state::State;
use crate::registry::Snapshot;
use crate::storage::{Part, StateError, StateUpdate, aside};

/// What the stored state lacks, as it was when it was taken.
enum Unstored {
    Everything(StateHeader, Snapshot),
    Changes(StateUpdate),
}

impl Machine {
    /// Brings the stored state up to date with memory.
    ///
    /// # Errors
    /// [`StateError`] if it cannot be written; nothing acknowledged is lost by that.
    pub fn store(&self) -> Result<(), StateError> {
        self.store_by(|unstored| self.write(&unstored))
    }

    /// The same, with the processor time that others leave.
    ///
    /// # Errors
    /// As [`Machine::store`].
    pub fn store_aside(&self) -> Result<(), StateError> {
        // What is not stored is taken with the state held, which commands wait for: that is not put off.
        self.store_by(|unstored| aside(|| self.write(&unstored)).map_err(StateError::NoThread)?)
    }

    fn store_by(&self, write: impl FnOnce(Unstored) -> Result<(), StateError>) -> Result<(), StateError> {
        let _storing = self.0.storing.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = self.take_unstored().map_or(Ok(()), write);
        match &stored {
            Ok(()) => self.0.failures.end(Part::State),
            Err(error) => {
                // What was taken is not stored: only the whole state can follow.
                self.state().dirty = Dirty::everything();
                if let Some(cause) = error.disk() {
                    self.0.failures.begin(Part::State, self.0.store.dir(), &cause);
                }
            }
        }
        stored
    }

    fn take_unstored(&self) -> Option<Unstored> {
        let mut state = self.state();
        if !state.dirty.is_everything() && state.stored == state.applied {
            return None;
        }
        state.stored = state.applied;
        if state.dirty.is_everything() || self.0.store.needs_whole() {
            state.dirty = Dirty::default();
            return Some(Unstored::Everything(state.header(), state.registry.snapshot()));
        }
        let State { registry, dirty, .. } = &mut *state;
        let mut update = dirty.take(registry);
        update.header = state.header();
        Some(Unstored::Changes(update))
    }

    fn write(&self, unstored: &Unstored) -> Result<(), StateError> {
        match unstored {
            Unstored::Everything(header, snapshot) => self.0.store.replace(header, snapshot),
            Unstored::Changes(update) => self.0.store.write(update),
        }
    }

    /// [`Machine::store`], and makes sure that it survives a power cut.
    ///
    /// # Errors
    /// [`StateError`] if it cannot be written or synced.
    pub fn store_durably(&self) -> Result<(), StateError> {
        self.store()?;
        self.0.store.sync()
    }
}
