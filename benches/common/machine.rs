//! What was measured, and on what.

use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Instant;

use anyhow::Context;
use serde::Serialize;

use super::harness::SERVER;
use super::numbers::{grouped, quantile};

#[derive(Debug, Serialize)]
pub struct Machine {
    pub date: String,
    /// What nodes run, below cargo's target directory if it is there.
    pub program: String,
    pub cpu: String,
    pub cores: usize,
    pub kernel: String,
    pub filesystem: String,
    pub fdatasync_p50_ms: f64,
    pub fdatasync_p99_ms: f64,
    /// Over 1, 5 and 15 minutes, before anything was started.
    pub load_average: String,
}

const SYNCS: usize = 200;
const SYNCED_BYTES: usize = 4096;

impl Machine {
    /// With the disk of this directory.
    ///
    /// # Errors
    /// When the disk cannot be tried.
    pub fn look(data: &Path) -> anyhow::Result<Self> {
        let load_average = read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ");
        let syncs = syncs(data).context("fdatasync cannot be measured")?;
        let at = |share| quantile(&syncs, share).unwrap_or_default();
        Ok(Self {
            date: said(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"])),
            program: program(data),
            cpu: cpu_model(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            filesystem: filesystem(data),
            fdatasync_p50_ms: at(0.5),
            fdatasync_p99_ms: at(0.99),
            load_average,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}; nodes of `{}`; {}, {} cores; Linux {}; data on {}, fdatasync of 4 KiB p50 {} ms, p99 {} ms; load average before: {}.",
            self.date,
            self.program,
            self.cpu,
            self.cores,
            self.kernel,
            self.filesystem,
            grouped(self.fdatasync_p50_ms),
            grouped(self.fdatasync_p99_ms),
            self.load_average,
        )
    }
}

fn program(data: &Path) -> String {
    let below_target = || {
        let target = data.parent()?.canonicalize().ok()?;
        let program = Path::new(SERVER.as_str()).canonicalize().ok()?;
        program.strip_prefix(target).ok().map(Path::to_owned)
    };
    below_target().map_or_else(|| SERVER.clone(), |path| path.display().to_string())
}

fn cpu_model() -> String {
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| "unknown processor".to_owned(), |(_, name)| name.trim().to_owned())
}

fn filesystem(data: &Path) -> String {
    let table = said(Command::new("df").arg("--output=fstype").arg(data));
    table.lines().last().unwrap_or("an unknown filesystem").to_owned()
}

/// Milliseconds of appends that are synced, as a log does it.
fn syncs(data: &Path) -> anyhow::Result<Vec<f64>> {
    let path = data.join("fdatasync");
    let mut file = File::create(&path)?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let since = Instant::now();
        file.write_all(&[1; SYNCED_BYTES])?;
        file.sync_data()?;
        times.push(since.elapsed().as_secs_f64() * 1e3);
    }
    fs::remove_file(&path)?;
    Ok(times)
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn said(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}
