//! From the start of servers to the first write that one of them acknowledged.

use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};

use super::common::harness::{Document, Request};

/// Between two tries that were refused.
const PAUSE: Duration = Duration::from_millis(1);
/// A JVM on a busy machine takes its time; all three at once too.
const LIMIT: Duration = Duration::from_secs(240);

/// Tries from its own thread, so that it does not wait for those who start the servers.
pub struct StartClock {
    tries: JoinHandle<anyhow::Result<Duration>>,
}

impl StartClock {
    /// To be called right before the servers are started.
    pub fn start(addr: SocketAddr, write: Request) -> Self {
        let since = Instant::now();
        let tries = thread::spawn(move || {
            loop {
                let answer = write.send(addr);
                match answer {
                    Ok(response) if (200..300).contains(&response.status) => return Ok(since.elapsed()),
                    other if since.elapsed() > LIMIT => {
                        bail!("no write was acknowledged within {LIMIT:?}: {other:?}")
                    }
                    _ => thread::sleep(PAUSE),
                }
            }
        });
        Self { tries }
    }

    /// Waits for it. In milliseconds.
    ///
    /// # Errors
    /// When none was acknowledged.
    pub fn acknowledged(self) -> anyhow::Result<f64> {
        let took = self.tries.join().map_err(|_| anyhow!("the first writes panicked")).and_then(|took| took);
        Ok(took.context("the start")?.as_secs_f64() * 1e3)
    }
}

/// The instance that is registered first; it is to be cancelled.
pub fn first_instance() -> Document {
    Document::new("START", "first").lease_secs(3600)
}
