//! Takes over what the sources list, once.

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::listed::Skipped;
use super::merge::{Merged, Outcome};
use super::source::{Source, SourceError};
use super::tally::Tally;
use super::writer::{WriteError, Writer};
use crate::eureka::MAX_OUTGOING_ITEMS;
use crate::http_client::ServerUrl;

/// What was read, and what became of it.
#[derive(Debug)]
pub struct TakeOver {
    pub(super) merged: Merged,
    /// In the order in which they were given.
    pub sources: Vec<SourceOutcome>,
    pub instances: usize,
    pub applications: usize,
    pub skipped: Skipped,
    pub tally: Tally,
}

#[derive(Debug)]
pub struct SourceOutcome {
    pub url: ServerUrl,
    /// How many instances it lists that can be taken over.
    pub read: Result<usize, SourceError>,
}

/// Why not everything that can be taken over is.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("no server that was given can be read: {0}")]
    NoSource(String),
    #[error(transparent)]
    Nodes(#[from] WriteError),
    #[error("{done} of {all} instances are done; run it again, which does no harm to those: {reason}")]
    Unfinished { done: usize, all: usize, reason: WriteError },
}

impl TakeOver {
    /// Reads all sources at the same time. One that cannot be read is noted, and the others are taken.
    ///
    /// # Errors
    /// [`ImportError::NoSource`] if none can be.
    pub async fn read(sources: &[Source]) -> Result<Self, ImportError> {
        let now = Instant::now().into_std();
        let readings = join_all(sources.iter().map(Source::read)).await;
        let (mut merged, mut skipped) = (Merged::new(sources.len()), Skipped::default());
        let mut outcomes = Vec::new();
        for (place, (source, reading)) in sources.iter().zip(readings).enumerate() {
            let read = reading.map(|mut reading| {
                skipped.add_all(std::mem::take(&mut reading.skipped));
                let count = reading.listed.len();
                merged.take_all(place, reading, false, now);
                count
            });
            outcomes.push(SourceOutcome { url: source.url().clone(), read });
        }
        if outcomes.iter().all(|outcome| outcome.read.is_err()) {
            let reasons = outcomes.iter().filter_map(|outcome| outcome.read.as_ref().err());
            let reasons: Vec<String> = reasons.map(SourceError::to_string).collect();
            return Err(ImportError::NoSource(reasons.join("; ")));
        }
        let (instances, applications) = (merged.instance_count(), merged.application_count());
        let tally = Tally::default();
        Ok(Self { merged, sources: outcomes, instances, applications, skipped, tally })
    }

    /// Sees what of that is in this cluster already, so that it is only renewed.
    ///
    /// # Errors
    /// [`WriteError`] if no node can be read.
    pub async fn compare(&mut self, writer: &Writer) -> Result<(), WriteError> {
        for (key, listed) in writer.read().await?.listed {
            self.merged.find(&key, Arc::clone(&listed));
        }
        Ok(())
    }

    /// How many instances are here already as they are listed, after [`TakeOver::compare`].
    pub fn found(&self) -> usize {
        self.merged.found_count()
    }

    /// Writes all of it, and tells how many instances are done.
    ///
    /// # Errors
    /// [`ImportError::Unfinished`] if no node takes more.
    pub async fn write(
        &mut self,
        writer: &mut Writer,
        mut progress: impl FnMut(usize),
    ) -> Result<(), ImportError> {
        while self.merged.open_count() > 0 {
            let now = Instant::now().into_std();
            let tasks = self.merged.tasks(now, MAX_OUTGOING_ITEMS);
            let answers = writer.write(&tasks).await.map_err(|reason| ImportError::Unfinished {
                done: self.instances - self.merged.open_count(),
                all: self.instances,
                reason,
            })?;
            for (task, statuses) in tasks.iter().zip(&answers) {
                let outcome = self.merged.answered(task, statuses, now);
                // Of what is done, when the rest takes longer than a third of a lease.
                if outcome != Outcome::Renewed {
                    self.tally.count(outcome);
                }
                if let Outcome::Refused(status) = outcome {
                    self.skipped.add(task.key.to_string(), refusal(status));
                }
            }
            progress(self.instances.saturating_sub(self.merged.open_count()));
        }
        Ok(())
    }
}

/// Why this cluster did not take an instance, by its status.
pub(super) fn refusal(status: u16) -> String {
    match status {
        400 => "this cluster refuses it (400); what it says of itself is not fit to be registered".to_owned(),
        413 => "a node takes no body of that length (413); see its --max-body-bytes".to_owned(),
        status => format!("this cluster answers {status}"),
    }
}
