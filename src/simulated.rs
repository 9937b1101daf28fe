//! Simulations of a whole cluster on one thread: nothing random, and no other thread, may decide what
//! happens there.

use std::cell::Cell;

thread_local! {
    static SEED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Makes this thread that of a simulation, for good: how long each node waits before it stands for
/// election follows from the seed, and work for the disk is done at once, on this thread.
pub fn simulate(seed: u64) {
    SEED.set(Some(seed));
}

/// Whether this thread is that of a simulation.
pub fn is_simulated() -> bool {
    SEED.get().is_some()
}

/// What the next random choice follows from; `successor` makes the seed of the one after that. `None`
/// outside of simulations.
pub fn next_seed(successor: impl FnOnce(u64) -> u64) -> Option<u64> {
    let seed = SEED.get()?;
    SEED.set(Some(successor(seed)));
    Some(seed)
}
