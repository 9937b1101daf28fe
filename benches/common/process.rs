//! What Linux says of a process.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// User and system time of all its threads.
///
/// # Errors
/// When the process is gone.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).with_context(|| path.clone())?;
    // The name of the program comes before, in parentheses, and may have spaces in it.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().with_context(|| format!("{path}: {field:?} is no number")))
        .sum::<anyhow::Result<u64>>()?;
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// Resident memory of the largest of these processes.
///
/// # Errors
/// When one is gone.
pub fn most_rss_mib(pids: &[u32]) -> anyhow::Result<f64> {
    let sizes: Vec<f64> = pids.iter().map(|pid| rss_mib(*pid)).collect::<anyhow::Result<_>>()?;
    Ok(sizes.into_iter().fold(0.0, f64::max))
}

fn rss_mib(pid: u32) -> anyhow::Result<f64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| path.clone())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    Ok(kib.with_context(|| format!("{path} has no VmRSS"))? / 1024.0)
}
