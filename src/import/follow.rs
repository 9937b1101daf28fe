//! Goes on with a take-over: what changes at the sources changes here, and what they list is renewed here.

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};

use super::event::Event;
use super::listed::Skipped;
use super::merge::{Merged, Outcome};
use super::source::{Reading, Source, SourceError};
use super::take_over::{TakeOver, refusal};
use super::tally::Tally;
use super::writer::Writer;
use crate::eureka::MAX_OUTGOING_ITEMS;

/// Renewals that are due within it go together.
const TICK: Duration = Duration::from_millis(250);

/// Between two attempts when no node takes anything.
const NODES_PAUSE: Duration = Duration::from_secs(1);

/// For one batch: longer than an election, and not so long that what the sources say is not listened to.
const WRITE_PATIENCE: Duration = Duration::from_secs(5);

/// A delta has what changed in the last three minutes, and may come half a minute late. Who has not seen one for longer
/// reads everything.
const DELTA_REACH: Duration = Duration::from_secs(2 * 60);

const STATUS_INTERVAL: Duration = Duration::from_secs(60);

/// Of how many skipped instances it is known that they were told.
const MAX_TOLD: usize = 10_000;

/// A take-over that goes on.
#[derive(Debug)]
pub struct Follower {
    sources: Vec<Followed>,
    merged: Merged,
    writer: Writer,
    interval: Duration,
    /// None while they take what is written.
    nodes_lost_until: Option<Instant>,
    told: HashSet<String>,
    tally: Tally,
    since_told: Tally,
    renewed_this_minute: u64,
    status_at: Instant,
}

#[derive(Debug)]
struct Followed {
    source: Source,
    lost: bool,
    /// What it listed is not known for certain, so that all of it is to be read.
    wants_all: bool,
    heard_at: Instant,
    next_poll: Instant,
    poll: Option<AbortHandle>,
}

/// What a source said.
struct Polled {
    place: usize,
    outcome: Result<Heard, SourceError>,
}

/// Its delta, if it has one, and after that all it lists, if that was asked for or there is no other way.
struct Heard {
    delta: Option<Reading>,
    all: Option<Reading>,
}

impl Follower {
    /// Goes on from what was taken over. Each source is asked once in an interval.
    pub fn new(sources: Vec<Source>, taken: TakeOver, writer: Writer, interval: Duration) -> Self {
        let now = Instant::now();
        let followed = |(source, outcome): (Source, &super::SourceOutcome)| Followed {
            source,
            lost: outcome.read.is_err(),
            wants_all: outcome.read.is_err(),
            heard_at: now,
            next_poll: now,
            poll: None,
        };
        Self {
            sources: sources.into_iter().zip(&taken.sources).map(followed).collect(),
            merged: taken.merged,
            writer: writer.with_patience(WRITE_PATIENCE),
            interval,
            nodes_lost_until: None,
            told: taken.skipped.reasons().map(|(name, _)| name.to_owned()).collect(),
            tally: Tally::default(),
            since_told: Tally::default(),
            renewed_this_minute: 0,
            status_at: now + STATUS_INTERVAL,
        }
    }

    /// What was done since the take-over.
    pub fn tally(&self) -> Tally {
        let mut tally = self.tally;
        tally.add(&self.since_told);
        tally
    }

    /// Never ends by itself. It may be dropped at any time.
    pub async fn run(&mut self, mut tell: impl FnMut(Event)) -> Infallible {
        let mut polls = JoinSet::new();
        loop {
            while let Some(polled) = polls.try_join_next() {
                // One that ended abnormally is asked again.
                polled.into_iter().for_each(|polled| self.hear(polled, &mut tell));
            }
            self.start_polls(&mut polls);
            let is_busy = self.write(&mut tell).await;
            self.tell_progress(&mut tell);
            if !is_busy {
                tokio::select! {
                    Some(polled) = polls.join_next() => {
                        polled.into_iter().for_each(|polled| self.hear(polled, &mut tell));
                    }
                    () = sleep(TICK) => {}
                }
            }
        }
    }

    fn start_polls(&mut self, polls: &mut JoinSet<Polled>) {
        let now = Instant::now();
        for (place, followed) in self.sources.iter_mut().enumerate() {
            let is_polled = followed.poll.as_ref().is_some_and(|poll| !poll.is_finished());
            if is_polled || followed.next_poll > now {
                continue;
            }
            let all = followed.wants_all || now - followed.heard_at > DELTA_REACH;
            let source = followed.source.clone();
            followed.next_poll = now + self.interval;
            followed.poll =
                Some(polls.spawn(async move { Polled { place, outcome: ask(&source, all).await } }));
        }
    }

    fn hear(&mut self, polled: Polled, tell: &mut impl FnMut(Event)) {
        let Polled { place, outcome } = polled;
        let now = Instant::now();
        let Some(followed) = self.sources.get_mut(place) else { return };
        let url = followed.source.url().clone();
        match outcome {
            Err(reason) => {
                followed.wants_all = true;
                if !std::mem::replace(&mut followed.lost, true) {
                    self.merged.take_silence(place, now.into_std());
                    tell(Event::SourceLost { url, reason });
                }
            }
            Ok(heard) => {
                followed.heard_at = now;
                if std::mem::replace(&mut followed.lost, false) {
                    tell(Event::SourceBack { url });
                }
                self.take(place, heard, now, tell);
            }
        }
        self.since_told.given_up += self.merged.give_up(now.into_std()) as u64;
    }

    fn take(&mut self, place: usize, heard: Heard, now: Instant, tell: &mut impl FnMut(Event)) {
        let Heard { delta, all } = heard;
        let (has_delta, reads_all) = (delta.is_some(), all.is_some());
        let mut skipped = Skipped::default();
        let mut is_known = true;
        if let Some(mut reading) = delta {
            skipped.add_all(std::mem::take(&mut reading.skipped));
            is_known = self.merged.take_delta(place, reading);
        }
        if let Some(mut reading) = all {
            skipped.add_all(std::mem::take(&mut reading.skipped));
            self.merged.take_all(place, reading, !has_delta, now.into_std());
        }
        if let Some(followed) = self.sources.get_mut(place) {
            followed.wants_all = !is_known && !reads_all;
            if followed.wants_all {
                followed.next_poll = now;
            }
        }
        self.tell_skipped(&skipped, tell);
    }

    /// Writes one batch of what there is to do, and says whether there is more.
    async fn write(&mut self, tell: &mut impl FnMut(Event)) -> bool {
        let now = Instant::now();
        if self.nodes_lost_until.is_some_and(|until| until > now) {
            return false;
        }
        let tasks = self.merged.tasks(now.into_std(), MAX_OUTGOING_ITEMS);
        if tasks.is_empty() {
            return false;
        }
        let answers = match self.writer.write(&tasks).await {
            Ok(answers) => answers,
            Err(reason) => {
                let before = self.nodes_lost_until.replace(Instant::now() + NODES_PAUSE);
                if before.is_none() {
                    tell(Event::NodesLost { reason });
                }
                return false;
            }
        };
        if self.nodes_lost_until.take().is_some() {
            tell(Event::NodesBack);
        }
        let mut refused = Skipped::default();
        for (task, statuses) in tasks.iter().zip(&answers) {
            let outcome = self.merged.answered(task, statuses, now.into_std());
            self.since_told.count(outcome);
            if let Outcome::Refused(status) = outcome {
                refused.add(task.key.to_string(), refusal(status));
            }
        }
        self.tell_skipped(&refused, tell);
        self.merged.open_count() > 0 || answers.len() < tasks.len() || tasks.len() == MAX_OUTGOING_ITEMS
    }

    fn tell_skipped(&mut self, skipped: &Skipped, tell: &mut impl FnMut(Event)) {
        for (name, reason) in skipped.reasons() {
            if self.told.len() < MAX_TOLD && self.told.insert(name.to_owned()) {
                tell(Event::Skipped { name: name.to_owned(), reason: reason.to_owned() });
            }
        }
    }

    fn tell_progress(&mut self, tell: &mut impl FnMut(Event)) {
        let now = Instant::now();
        let is_over = self.since_told.is_change() && self.merged.open_count() == 0;
        if !is_over && now < self.status_at {
            return;
        }
        let tally = std::mem::take(&mut self.since_told);
        self.tally.add(&tally);
        if now < self.status_at {
            // Those of a minute are told together.
            self.renewed_this_minute += tally.renewed;
            tell(Event::Changed(Tally { renewed: 0, ..tally }));
            return;
        }
        let renewed = tally.renewed + std::mem::take(&mut self.renewed_this_minute);
        let tally = Tally { renewed, ..tally };
        self.status_at = now + STATUS_INTERVAL;
        tell(Event::Status {
            instances: self.merged.instance_count(),
            renewed: self.merged.renewed_count(),
            answering: self.sources.iter().filter(|followed| !followed.lost).count(),
            sources: self.sources.len(),
            tally,
        });
    }
}

async fn ask(source: &Source, all: bool) -> Result<Heard, SourceError> {
    // Also before all is read: it alone tells who is gone for good.
    let delta = source.read_delta().await?;
    let all = match all || delta.is_none() {
        true => Some(source.read().await?),
        false => None,
    };
    Ok(Heard { delta, all })
}
