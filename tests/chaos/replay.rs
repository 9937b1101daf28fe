//! What makes a failed run happen again, and what is kept of it.

use std::fs;

use super::harness::Directory;

/// `SEED`, or a new one.
pub fn seed() -> u64 {
    match std::env::var("SEED") {
        Ok(seed) => seed.parse().unwrap_or_else(|error| panic!("SEED={seed}: {error}")),
        Err(_) => rand::random::<u32>().into(),
    }
}

/// `target/chaos/NAME-SEED`, for the logs and data of the nodes, which are kept if the test fails.
pub fn directory(name: &str, seed: u64) -> Directory {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let directory = Directory::kept_on_failure("chaos", &format!("{}-{seed}", words.join("-")));
    let file = directory.path().join("seed");
    fs::write(&file, format!("{seed}\n")).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    directory
}
