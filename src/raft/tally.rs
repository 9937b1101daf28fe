//! What the commands of one log entry came to, for the metrics: the registry itself counts nothing.

use crate::command::Command;
use crate::metrics::Applied;
use crate::registry::Outcome;

#[derive(Debug, Default)]
pub(super) struct Tally {
    renewals: u64,
    registrations: u64,
    cancellations: u64,
    expirations: u64,
}

/// What is remembered of a command that is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Renewal,
    Registration,
    Cancellation,
    Other,
}

impl Kind {
    pub fn of(command: &Command) -> Self {
        match command {
            Command::Renew { .. } => Kind::Renewal,
            Command::Register { .. } => Kind::Registration,
            Command::Cancel { .. } => Kind::Cancellation,
            _ => Kind::Other,
        }
    }
}

impl Tally {
    pub fn note(&mut self, kind: Kind, outcome: &Outcome) {
        match (kind, outcome) {
            (Kind::Renewal, Outcome::Done) => self.renewals += 1,
            (Kind::Registration, Outcome::Done) => self.registrations += 1,
            (Kind::Cancellation, Outcome::Done) => self.cancellations += 1,
            (_, Outcome::Expired(leases)) => self.expirations += u64::from(*leases),
            _ => {}
        }
    }

    pub fn count(&self, applied: &Applied) {
        applied.renewals.inc_by(self.renewals);
        applied.registrations.inc_by(self.registrations);
        applied.cancellations.inc_by(self.cancellations);
        applied.expirations.inc_by(self.expirations);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_done_counts() {
        let mut tally = Tally::default();
        let noted = [
            (Kind::Renewal, Outcome::Done),
            (Kind::Renewal, Outcome::NotFound),
            (Kind::Registration, Outcome::Done),
            (Kind::Registration, Outcome::Conflict(None)),
            (Kind::Cancellation, Outcome::NotFound),
            (Kind::Other, Outcome::Done),
            (Kind::Other, Outcome::Expired(3)),
        ];
        noted.iter().for_each(|(kind, outcome)| tally.note(*kind, outcome));
        let applied = Applied::default();
        tally.count(&applied);
        tally.count(&applied);
        let Applied { renewals, registrations, cancellations, expirations } = applied;
        let counts = [renewals, registrations, cancellations, expirations].map(|counter| counter.get());
        assert_eq!(counts, [2, 2, 0, 6]);
    }
}
