use std::process::ExitCode;

// Only linked: it takes the place of libc's allocator, which Rust's default calls. As Rust's own it would be asked for
// every block with an alignment, which it then takes from larger ones, and in more time.
use mimalloc as _;

fn main() -> ExitCode {
    rs_registry::cli::run()
}
