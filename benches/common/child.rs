//! A process of a server that is not ours.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{self, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Killed when this is dropped.
pub struct Child {
    child: process::Child,
    log_file: PathBuf,
}

impl Child {
    /// # Errors
    /// When there is no such program.
    pub fn start(command: &mut Command, log_file: PathBuf) -> anyhow::Result<Self> {
        let log = File::create(&log_file).with_context(|| log_file.display().to_string())?;
        let errors = log.try_clone().context("a second handle of the log")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .with_context(|| format!("{} does not start", command.get_program().display()))?;
        Ok(Self { child, log_file })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the probe is content.
    ///
    /// # Errors
    /// When it is not within the limit, or the process ends, with the last line of its log.
    pub fn wait_until(&mut self, limit: Duration, mut probe: impl FnMut() -> bool) -> anyhow::Result<()> {
        let since = Instant::now();
        while !probe() {
            if let Some(status) = self.child.try_wait().context("the process cannot be waited for")? {
                bail!("it ended with {status}: {}", self.last_line());
            }
            if since.elapsed() > limit {
                bail!("it does not serve within {} s: {}", limit.as_secs(), self.last_line());
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    fn last_line(&self) -> String {
        let log = fs::read_to_string(&self.log_file).unwrap_or_default();
        log.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it logged nothing").to_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Fails only when the process has ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
