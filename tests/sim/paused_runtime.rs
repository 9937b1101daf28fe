//! Where tasks run: one after the other, on time that passes only as the run has it.

use tokio::runtime::{Builder, Runtime};

/// A runtime whose clock stands still while there is something to do. With `--cfg tokio_unstable` the
/// order in which it wakes tasks follows from the seed too; without, it may differ from run to run
/// where several are woken at once.
pub fn paused_runtime(seed: u64) -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true);
    #[cfg(tokio_unstable)]
    builder.rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_be_bytes()));
    #[cfg(not(tokio_unstable))]
    let _ = seed;
    builder.build().expect("a runtime")
}
