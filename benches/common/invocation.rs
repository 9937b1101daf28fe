//! How a bench was called.

use std::env;
use std::str::FromStr;

use anyhow::{anyhow, ensure};

/// False for `cargo test --all-targets`, which runs benches to see whether they work: minutes of load are not meant.
pub fn is_bench() -> bool {
    env::args().any(|argument| argument == "--bench")
}

/// A number from 1 on, of the environment.
///
/// # Errors
/// When it is something else.
pub fn number(name: &str, default: u32) -> anyhow::Result<u32> {
    let Ok(text) = env::var(name) else { return Ok(default) };
    let number = text.parse().map_err(|_| anyhow!("{name}={text} is no number"))?;
    ensure!(number > 0, "{name} must not be 0");
    Ok(number)
}

/// Values of the environment, separated by commas; none if it is not set.
///
/// # Errors
/// When one cannot be read.
pub fn list<T: FromStr<Err: std::fmt::Display>>(name: &str) -> anyhow::Result<Option<Vec<T>>> {
    let Ok(text) = env::var(name) else { return Ok(None) };
    let values =
        text.split(',').map(|one| one.trim().parse().map_err(|error| anyhow!("{name}: {one}: {error}")));
    values.collect::<anyhow::Result<_>>().map(Some)
}
