//! What every figure begins and ends with: its settings, its cluster, and how busy the machine was.

use std::env;
use std::fmt::Display;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::str::FromStr;

use tokio::runtime::Runtime;

use super::harness::Cluster;

pub struct Figure {
    name: &'static str,
    load_before: String,
    rows: Vec<String>,
}

impl Figure {
    pub fn begin(name: &'static str) -> Self {
        Self { name, load_before: machine_load(), rows: Vec::new() }
    }

    /// One more line of the result.
    pub fn row(&mut self, what: impl Display, value: impl Display) {
        self.rows.push(format!("  {what:<64} {value}"));
    }

    /// Prints the result at once, so that other output does not come between its lines.
    pub fn end(self) {
        let flags = env::var("FIGURES_FLAGS").unwrap_or_default();
        let flags = if flags.is_empty() { "defaults" } else { &flags };
        println!(
            "\n{}: {flags}; load {} before, {} after\n{}\n",
            self.name,
            self.load_before,
            machine_load(),
            self.rows.join("\n")
        );
    }
}

/// Three nodes with the flags of `FIGURES_FLAGS`, ready.
pub fn cluster() -> Cluster {
    let flags = env::var("FIGURES_FLAGS").unwrap_or_default();
    let flags: Vec<&str> = flags.split_whitespace().collect();
    Cluster::start_with(3, &flags)
}

/// The number in this environment variable.
///
/// # Panics
/// When it is set and no such number.
pub fn setting<T: FromStr>(name: &str, default: T) -> T {
    match env::var(name) {
        Ok(value) => value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number that fits")),
        Err(_) => default,
    }
}

/// Runs the clients while the test's own thread starts and kills nodes.
pub fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all();
    builder.build().unwrap_or_else(|error| panic!("a runtime for the clients: {error}"))
}

/// What a process keeps in memory (RSS) now.
///
/// # Panics
/// When there is no such process.
pub fn memory_mib(pid: u32) -> u64 {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_else(|| panic!("no resident size in {path}")) / 1024
}

/// What the files below a directory take on the disk now. Those that go away meanwhile are not counted.
pub fn disk_mib(directory: &Path) -> u64 {
    fn bytes(directory: &Path) -> u64 {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let of_entry = |entry: fs::DirEntry| match entry.metadata() {
            Ok(found) if found.is_dir() => bytes(&entry.path()),
            Ok(found) => found.blocks() * 512,
            Err(_) => 0,
        };
        entries.map(of_entry).sum()
    }
    bytes(directory) >> 20
}

/// Runnable processes, on average over the last minute: what else ran makes a figure worse.
fn machine_load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_else(|_| "unknown".to_owned());
    load.split_whitespace().next().unwrap_or("unknown").to_owned()
}
