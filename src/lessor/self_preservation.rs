//! When leases are kept beyond their duration.
//!
//! A network fault between clients and the cluster looks like many leases falling silent together; a
//! crash like few. Self-preservation begins in an application, or in the cluster, when a lease is due
//! there and more than the threshold of all are silent; it ends when fewer are. No lease is kept for
//! longer than the longest hold.

use std::collections::{BTreeMap, BTreeSet};

use super::deadlines::{Deadlines, Due};
use super::tally::Tally;
use crate::config::SelfPreservationSettings;
use crate::registry::{AppName, Key, Scope, Silence};

/// In fewer leases than these a share says nothing: a small application that crashes is one that
/// crashed.
const LEAST_LEASES: u32 = 6;
/// So many at least must be silent: one alone has a fault of its own.
const LEAST_SILENT_OF_APPLICATION: u32 = 2;
const LEAST_SILENT_OF_CLUSTER: u32 = 5;
/// A fault of the network does not stop at one application.
const LEAST_SILENT_APPLICATIONS: u32 = 2;
/// A lease that is kept before self-preservation is in the log is looked at again after this.
const UNDECIDED_MS: u64 = 1000;
/// How often the reason of what is in force is told anew, at most.
const TELL_AGAIN_MS: u64 = 1000;

/// Why self-preservation ended in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Few are silent now: they were heard again, or their hold was over.
    Quiet,
    SwitchedOff,
}

/// What is to be proposed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// The leases to end, with the sequence each ran out at.
    pub expire: Vec<(Key, u64)>,
    /// There is more to decide already.
    pub more: bool,
    pub begin: BTreeMap<Scope, Silence>,
    pub tell: Vec<(Scope, Silence)>,
    pub end: Vec<(Scope, Ended)>,
}

#[derive(Debug)]
pub struct SelfPreservation {
    settings: SelfPreservationSettings,
    /// As the log has it.
    in_force: BTreeMap<Scope, Silence>,
    /// Those of them whose end is proposed, which keep nobody any more. It is again at the next look, unless
    /// the log has it then.
    ending: BTreeSet<Scope>,
    told_ms: u64,
}

impl SelfPreservation {
    pub fn new(settings: SelfPreservationSettings) -> Self {
        Self { settings, in_force: BTreeMap::new(), ending: BTreeSet::new(), told_ms: 0 }
    }

    pub fn set(&mut self, scope: &Scope, silence: Option<Silence>) {
        match silence {
            Some(silence) => self.in_force.insert(scope.clone(), silence),
            None => self.in_force.remove(scope),
        };
    }

    pub fn restart(&mut self, in_force: impl Iterator<Item = (Scope, Silence)>) {
        self.in_force = in_force.collect();
        self.told_ms = 0;
    }

    /// Decides about the leases that are due, and whether what is in force goes on.
    pub fn decide(&mut self, deadlines: &mut Deadlines, now_ms: u64) -> Decisions {
        let due = deadlines.due(now_ms);
        let mut decisions = Decisions { more: deadlines.is_behind(now_ms), ..Decisions::default() };
        self.end_what_is_over(deadlines, &mut decisions, now_ms);
        for Due { key, renew_seq, overdue_ms } in due {
            match self.keeps(&key.app, overdue_ms, deadlines, &mut decisions) {
                Some(hold_ms) => deadlines.hold(&key, now_ms.saturating_add(hold_ms)),
                None => decisions.expire.push((key, renew_seq)),
            }
        }
        self.tell_what_changed(deadlines, &mut decisions, now_ms);
        decisions
    }

    fn end_what_is_over(&mut self, deadlines: &mut Deadlines, decisions: &mut Decisions, now_ms: u64) {
        let ended = |(scope, _): (&Scope, &Silence)| match self.settings.enabled {
            false => Some((scope.clone(), Ended::SwitchedOff)),
            true if self.goes_on(deadlines.tallies().of(scope)) => None,
            true => Some((scope.clone(), Ended::Quiet)),
        };
        decisions.end = self.in_force.iter().filter_map(ended).collect();
        self.ending = decisions.end.iter().map(|(scope, _)| scope.clone()).collect();
        let longest_ms = self.longest_hold_ms();
        for (scope, ended) in &decisions.end {
            deadlines.release(
                scope,
                |app| self.covers(app),
                |ran_out_ms, duration_ms| match ended {
                    // Those still silent may be about to be heard as the others were.
                    Ended::Quiet => {
                        now_ms.saturating_add(duration_ms).min(ran_out_ms.saturating_add(longest_ms))
                    }
                    Ended::SwitchedOff => now_ms,
                },
            );
        }
    }

    /// For how long a lease that is due is kept, if it is.
    fn keeps(
        &self,
        app: &AppName,
        overdue_ms: u64,
        deadlines: &Deadlines,
        decisions: &mut Decisions,
    ) -> Option<u64> {
        let left_ms = self.longest_hold_ms().saturating_sub(overdue_ms);
        if !self.settings.enabled || left_ms == 0 {
            return None;
        }
        if self.covers(app) {
            return Some(left_ms);
        }
        let scopes = [Scope::Cluster, Scope::Application(app.clone())];
        if !scopes.iter().any(|scope| decisions.begin.contains_key(scope)) {
            let scope = scopes.into_iter().find(|scope| self.begins(scope, deadlines))?;
            let silence = silence(deadlines.tallies().of(&scope));
            decisions.begin.insert(scope, silence);
        }
        Some(left_ms.min(UNDECIDED_MS))
    }

    fn tell_what_changed(&mut self, deadlines: &Deadlines, decisions: &mut Decisions, now_ms: u64) {
        if now_ms < self.told_ms.saturating_add(TELL_AGAIN_MS) {
            return;
        }
        let going_on = self.in_force.iter().filter(|(scope, _)| !self.ending.contains(scope));
        let changed = going_on.filter_map(|(scope, told)| {
            let now = silence(deadlines.tallies().of(scope));
            (now != *told).then(|| (scope.clone(), now))
        });
        decisions.tell = changed.collect();
        if !decisions.tell.is_empty() {
            self.told_ms = now_ms;
        }
    }

    fn longest_hold_ms(&self) -> u64 {
        u64::try_from(self.settings.longest_hold.as_millis()).unwrap_or(u64::MAX)
    }

    fn covers(&self, app: &AppName) -> bool {
        let in_force = |scope: &Scope| self.in_force.contains_key(scope) && !self.ending.contains(scope);
        in_force(&Scope::Cluster) || in_force(&Scope::Application(app.clone()))
    }

    fn begins(&self, scope: &Scope, deadlines: &Deadlines) -> bool {
        let tallies = deadlines.tallies();
        let Tally { leases, silent, .. } = tallies.of(scope);
        let least_silent = match scope {
            Scope::Cluster if tallies.silent_applications() < LEAST_SILENT_APPLICATIONS => return false,
            Scope::Cluster => LEAST_SILENT_OF_CLUSTER,
            Scope::Application(_) => LEAST_SILENT_OF_APPLICATION,
        };
        leases >= LEAST_LEASES && silent >= least_silent && self.is_beyond_threshold(silent, leases)
    }

    /// A new leader has heard of nobody yet, which is no news of them.
    fn goes_on(&self, tally: Tally) -> bool {
        self.is_beyond_threshold(tally.silent + tally.unheard, tally.leases)
    }

    fn is_beyond_threshold(&self, silent: u32, leases: u32) -> bool {
        u64::from(silent) * 100 > u64::from(leases) * u64::from(self.settings.threshold_percent)
    }
}

fn silence(tally: Tally) -> Silence {
    Silence { silent: tally.silent, leases: tally.leases }
}

#[cfg(test)]
mod tests;
