use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Not after a second, when there may be nobody who allocates and so comes by to do it.
    ALLOCATOR.set_default_purge_delay(0);
    rs_registry::cli::run()
}
