//! Real Eureka clients, unchanged, against a cluster whose nodes are killed under them.
//!
//! They come from other languages' package registries: `tests/clients/run.sh` fetches them and runs
//! this with `EUREKA_TEST_PYTHON` and `EUREKA_TEST_JAR` set. A test without its client says that it
//! is skipped.

#[path = "../harness/mod.rs"]
mod harness;

use std::io::{self, Write};

mod process;
mod python;
mod scenario;
mod spring;

/// The value of an environment variable that a test needs; says so when it is not there.
fn needed(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok();
    if value.is_none() {
        // Not by println!, whose output is hidden for a test that passes.
        writeln!(io::stdout(), "skipped: {variable} is not set; run tests/clients/run.sh").expect("a stdout");
    }
    value
}
