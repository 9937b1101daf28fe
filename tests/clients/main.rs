//! Real Eureka clients, unchanged, against a cluster whose nodes are killed under them.
//!
//! They come from other languages' package registries: `tests/clients/run.sh` fetches them and runs
//! these tests, which are ignored otherwise, with `EUREKA_TEST_PYTHON` and `EUREKA_TEST_JAR` set.

#[path = "../harness/mod.rs"]
mod harness;

mod process;
mod python;
mod scenario;
mod spring;

/// The value of an environment variable that tells where a client is.
fn needed(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set; run tests/clients/run.sh"))
}
