//! The processor time of processes while a load runs whose beginning cannot be seen from here, but whose end can.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use super::process::cpu;

const SAMPLE_INTERVAL: Duration = Duration::from_millis(50);

pub struct CpuWatch {
    stop: Arc<AtomicBool>,
    sampler: JoinHandle<anyhow::Result<Vec<(Instant, Duration)>>>,
}

impl CpuWatch {
    pub fn start(pids: Vec<u32>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let sampler = thread::spawn(move || {
            let mut samples = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let used = pids.iter().map(|pid| cpu(*pid)).sum::<anyhow::Result<Duration>>()?;
                samples.push((Instant::now(), used));
                thread::sleep(SAMPLE_INTERVAL);
            }
            Ok(samples)
        });
        Self { stop, sampler }
    }

    /// What all of them used of one core, in percent, in the time of this length that ends now.
    ///
    /// # Errors
    /// When a process is gone, or the watch was shorter than that.
    pub fn percent_of_last(self, length: Duration) -> anyhow::Result<f64> {
        self.stop.store(true, Ordering::Relaxed);
        let samples = self.sampler.join().map_err(|_| anyhow!("the watch of processor time panicked"))??;
        let (end, used) = *samples.last().context("no sample of processor time")?;
        let begin = samples.iter().rfind(|(at, _)| end.duration_since(*at) >= length);
        let (begin, used_before) = *begin.context("the watch of processor time was too short")?;
        Ok((used - used_before).as_secs_f64() / end.duration_since(begin).as_secs_f64() * 100.0)
    }
}
