//! How it stands with a Eureka server, for people and metrics.

use std::time::Duration;

use tokio::time::Instant;

use super::EurekaPeer;

#[derive(Debug, Default)]
pub struct Standing {
    is_reachable: Option<bool>,
    last_error: Option<(String, Instant)>,
    counted: Counted,
}

/// Since this node was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Batches that were answered.
    pub batches: u64,
    /// Changes and renewals in them.
    pub items: u64,
    /// Of these, what the server would not take, or not understand.
    pub refused: u64,
    /// Batches without an answer, or that are to be sent again; they are.
    pub failed: u64,
    /// Instances of which the server knew something newer.
    pub adopted: u64,
}

/// What is known of one Eureka server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerStatus {
    /// Without credentials.
    pub url: String,
    /// Whether this node tells it of changes: the leader does.
    pub is_told_from_here: bool,
    /// Whether it answered last time; `None` before the first.
    pub is_reachable: Option<bool>,
    /// Instances of which there is something to tell.
    pub queue: usize,
    /// Since when the change waits that waits longest; zero if none does.
    pub lag: Duration,
    /// The last thing that went wrong, and how long ago.
    pub last_error: Option<(String, Duration)>,
    pub counted: Counted,
}

impl Standing {
    pub fn count(&mut self, count: impl FnOnce(&mut Counted)) {
        count(&mut self.counted);
    }

    pub fn note_error(&mut self, error: String, now: Instant) {
        self.last_error = Some((error, now));
    }

    /// Whether this is another word than the last.
    pub fn set_reachable(&mut self, is_reachable: bool) -> bool {
        self.is_reachable.replace(is_reachable) != Some(is_reachable)
    }
}

impl EurekaPeer {
    pub(super) fn status(&self) -> PeerStatus {
        let now = Instant::now();
        let (is_told_from_here, queue, oldest) = match &*self.outbox() {
            None => (false, 0, None),
            Some(outbox) => (true, outbox.len(), outbox.oldest_change()),
        };
        let standing = self.standing();
        let ago = |since: Instant| now.saturating_duration_since(since);
        PeerStatus {
            url: self.name.to_string(),
            is_told_from_here,
            is_reachable: standing.is_reachable.filter(|_| is_told_from_here),
            queue,
            lag: oldest.map_or(Duration::ZERO, ago),
            last_error: standing.last_error.clone().map(|(error, since)| (error, ago(since))),
            counted: standing.counted,
        }
    }
}
