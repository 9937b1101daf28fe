//! What the system tells of this process, by the names that Prometheus's own clients use.

/// Of one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Process {
    pub resident_bytes: u64,
    pub cpu_seconds: f64,
    pub open_fds: u64,
    /// `None`: as many as the system has.
    pub max_fds: Option<u64>,
    /// Seconds since 1970.
    pub started_at: f64,
}

impl Process {
    /// `None` where the system does not tell. Looks at every open file: not for a thread that others wait on.
    #[cfg(target_os = "linux")]
    pub fn read() -> Option<Self> {
        linux::read().inspect_err(|error| tracing::debug!(%error, "no figures of this process")).ok()
    }

    #[cfg(not(target_os = "linux"))]
    pub fn read() -> Option<Self> {
        None
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use procfs::process::{LimitValue, Process};
    use procfs::{ProcResult, boot_time_secs, page_size, ticks_per_second};

    pub fn read() -> ProcResult<super::Process> {
        let process = Process::myself()?;
        let stat = process.stat()?;
        let seconds = |ticks: u64| ticks as f64 / ticks_per_second() as f64;
        let max_fds = match process.limits()?.max_open_files.soft_limit {
            LimitValue::Value(most) => Some(most),
            LimitValue::Unlimited => None,
        };
        Ok(super::Process {
            resident_bytes: stat.rss * page_size(),
            cpu_seconds: seconds(stat.utime + stat.stime),
            open_fds: process.fd_count()? as u64,
            max_fds,
            started_at: boot_time_secs()? as f64 + seconds(stat.starttime),
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;

    #[test]
    fn this_process_has_memory_files_and_an_age() {
        let before = Process::read().unwrap();
        let files: Vec<_> = (0..10).map(|_| tempfile::tempfile().unwrap()).collect();
        let process = Process::read().unwrap();
        assert!(process.resident_bytes > 1 << 20, "{process:?}");
        assert!(process.open_fds >= files.len() as u64, "{before:?} {process:?}");
        assert!(process.max_fds.is_none_or(|most| most >= process.open_fds), "{process:?}");
        assert!(process.cpu_seconds >= before.cpu_seconds, "{process:?}");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        // The time of boot is told in whole seconds, and the clock may have been set since.
        let age = now - process.started_at;
        assert!((-5.0..86_400.0 * 365.0).contains(&age), "{age} s");
    }
}
