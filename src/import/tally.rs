//! What was done, in numbers.

use std::fmt;

use super::merge::Outcome;

/// How many instances had which outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub registered: u64,
    /// Of those, how many with an override.
    pub overridden: u64,
    /// Were there already as they are listed.
    pub confirmed: u64,
    pub renewed: u64,
    pub cancelled: u64,
    /// Left as they are: their own clients keep them here.
    pub kept: u64,
    /// Not fit for this cluster.
    pub refused: u64,
    /// Not written for another reason.
    pub failed: u64,
    /// Left to their leases, because no source that answers lists them.
    pub given_up: u64,
}

impl Tally {
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Registered { overridden } => {
                self.registered += 1;
                self.overridden += u64::from(overridden);
            }
            Outcome::Confirmed => self.confirmed += 1,
            Outcome::Renewed => self.renewed += 1,
            Outcome::Cancelled => self.cancelled += 1,
            Outcome::Kept => self.kept += 1,
            Outcome::Refused(400 | 413) => self.refused += 1,
            Outcome::Refused(_) => self.failed += 1,
            // It is registered next.
            Outcome::Gone => {}
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.registered += other.registered;
        self.overridden += other.overridden;
        self.confirmed += other.confirmed;
        self.renewed += other.renewed;
        self.cancelled += other.cancelled;
        self.kept += other.kept;
        self.refused += other.refused;
        self.failed += other.failed;
        self.given_up += other.given_up;
    }

    /// Whether there is more to tell than renewals.
    pub fn is_change(&self) -> bool {
        let Self { registered, cancelled, kept, refused, failed, given_up, .. } = self;
        registered + cancelled + kept + refused + failed + given_up > 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.registered, "registered"),
            (self.overridden, "of them with an override"),
            (self.confirmed, "there already, and renewed"),
            (self.cancelled, "cancelled"),
            (self.kept, "left as they are, kept here by their own clients"),
            (self.refused, "refused"),
            (self.failed, "not written"),
            (self.given_up, "left to their leases"),
            (self.renewed, "renewals"),
        ];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts.map(|(count, what)| format!("{count} {what}")).collect();
        f.write_str(if parts.is_empty() { "nothing" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}
