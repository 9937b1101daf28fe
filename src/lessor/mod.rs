//! The leader's part in leases: it alone keeps deadlines, and proposes the expiry of those that
//! pass, unless self-preservation keeps them. Whether a lease really ends is decided in the log.

mod clock;
mod deadlines;
mod self_preservation;
mod standstill;
mod tally;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::command::Command;
use crate::config::SelfPreservationSettings;
use crate::propose::Proposer;
use crate::raft::Observer;
use crate::registry::{Change, Key, Registration, Registry, Scope, Silence};
use clock::LeaseClock;
use deadlines::{Deadlines, Known};
use self_preservation::{Decisions, Ended, SelfPreservation};
use standstill::{Hindrance, Standstill};

/// How often the lease clock is moved on: what a starved process cannot keep up with is not counted.
const PULSE: Duration = Duration::from_millis(50);
/// Leases taken over at once, at most: whatever is applied waits for that.
const TAKEN_OVER_AT_ONCE: usize = 2000;

/// Follows the registry's leases while this node leads.
pub struct Lessor {
    state: Mutex<State>,
}

struct State {
    leading: bool,
    clock: LeaseClock,
    deadlines: Deadlines,
    self_preservation: SelfPreservation,
    standstill: Standstill,
    untaken: Untaken,
}

/// Which of the leases that were there when this node began to lead have no deadline yet.
#[derive(Debug, Default)]
enum Untaken {
    #[default]
    None,
    All,
    After(Key),
}

impl Lessor {
    /// A lessor that is to be looked at every `tick`.
    pub fn new(tick: Duration, settings: SelfPreservationSettings) -> Self {
        let state = State {
            leading: false,
            clock: LeaseClock::new(PULSE, Instant::now()),
            deadlines: Deadlines::new(tick, settings.window),
            self_preservation: SelfPreservation::new(settings),
            standstill: Standstill::default(),
            untaken: Untaken::None,
        };
        Self { state: Mutex::new(state) }
    }

    /// Begins to keep deadlines: every lease has its whole duration from when it is taken over, see
    /// [`Self::take_over`]. To be called while nothing is applied to the registry.
    pub fn lead(&self, registry: &Registry) {
        let mut state = self.state();
        state.leading = true;
        state.restart(registry);
    }

    /// Takes over some more of the leases that were there when this node began to lead: all at once would keep a
    /// new leader from its work. Whether there are more. To be called while nothing is applied to the registry.
    pub fn take_over(&self, registry: &Registry) -> bool {
        let mut state = self.state();
        state.leading && state.take_over(registry)
    }

    /// Leaves the deadlines to another node.
    pub fn follow(&self) {
        let mut state = self.state();
        state.leading = false;
        state.deadlines.clear();
        state.untaken = Untaken::None;
        state.standstill = Standstill::default();
    }

    /// Moves the lease clock on. With a hindrance, clients may be unable to renew for reasons of ours,
    /// and it stands still.
    fn pulse(&self, hindrance: Option<Hindrance>) {
        let mut state = self.state();
        let now = Instant::now();
        state.clock.pulse(now, hindrance.is_none());
        let hindrance = hindrance.filter(|_| state.leading);
        state.standstill.tell(now, hindrance);
    }

    /// Decides about leases that ran out, if this node leads and has taken over all of them: before that it cannot
    /// tell how many are silent.
    fn decide(&self) -> Option<Decisions> {
        let State { leading, clock, deadlines, self_preservation, untaken, .. } = &mut *self.state();
        let decides = *leading && matches!(untaken, Untaken::None);
        decides.then(|| self_preservation.decide(deadlines, clock.at_last_pulse_ms()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The machine tells what it applies.
impl Observer for Lessor {
    fn applied(&self, changes: &[Change]) {
        let mut state = self.state();
        if !state.leading {
            return;
        }
        let now_ms = state.clock.read_ms(Instant::now());
        for change in changes {
            match change {
                Change::Put { key, registration, .. } => {
                    state.deadlines.renew(key, &registration.lease, Known::Renewed, now_ms);
                }
                Change::Renewed { key, lease, .. } => {
                    state.deadlines.renew(key, lease, Known::Renewed, now_ms);
                }
                Change::Removed { key, .. } => state.deadlines.remove(key),
                Change::SelfPreservation { scope, in_force } => {
                    state.self_preservation.set(scope, in_force.map(|in_force| in_force.silence));
                }
                Change::DeltaAdded { .. } | Change::DeltaDropped { .. } => {}
            }
        }
    }

    fn replaced(&self, registry: &Registry) {
        let mut state = self.state();
        if state.leading {
            state.restart(registry);
        }
    }
}

impl State {
    fn restart(&mut self, registry: &Registry) {
        self.deadlines.clear();
        self.deadlines.make_room(registry.instance_count());
        self.untaken = Untaken::All;
        let in_force = registry.self_preservation();
        self.self_preservation.restart(in_force.map(|(scope, is)| (scope.clone(), is.silence)));
    }

    fn take_over(&mut self, registry: &Registry) -> bool {
        let last = match std::mem::take(&mut self.untaken) {
            Untaken::None => None,
            Untaken::All => self.inherit(registry.registrations()),
            Untaken::After(key) => self.inherit(registry.registrations_after(&key)),
        };
        if let Some(last) = last {
            self.untaken = Untaken::After(last);
            return true;
        }
        false
    }

    /// The last of those that were taken over, if there may be more.
    fn inherit<'r>(
        &mut self,
        registrations: impl Iterator<Item = (Key, &'r Arc<Registration>)>,
    ) -> Option<Key> {
        let now_ms = self.clock.read_ms(Instant::now());
        let mut taken = 0;
        for (key, registration) in registrations {
            if !self.deadlines.has(&key) {
                self.deadlines.renew(&key, &registration.lease, Known::Inherited, now_ms);
            }
            taken += 1;
            if taken == TAKEN_OVER_AT_ONCE {
                return Some(key);
            }
        }
        None
    }
}

/// Moves the lease clock on while renewals can get into the log: while this node is `in_touch` with a
/// quorum, and its writes are decided in time. To be run while it leads, until it is dropped.
pub async fn keep_time(lessor: &Lessor, proposer: &Proposer, in_touch: impl Fn() -> bool) {
    let mut pulses = interval(PULSE);
    loop {
        pulses.tick().await;
        lessor.pulse(Hindrance::found(in_touch(), proposer.undecided_for()));
    }
}

/// Has the lessor take leases over ([`Lessor::take_over`]), and proposes what it decides then, every `tick`, one after
/// the other. To be run while this node leads, until it is dropped.
pub async fn expire(lessor: &Lessor, proposer: &Proposer, tick: Duration, take_over: impl Fn() -> bool) {
    let mut ticks = interval(tick);
    loop {
        ticks.tick().await;
        while take_over() {
            tokio::task::yield_now().await;
        }
        // Each time anew: the next leader is to give every lease its whole duration again.
        while let Some(decisions) = lessor.decide() {
            let begin = Instant::now();
            let more = decisions.more;
            let carried_out = carry_out(proposer, decisions).await;
            if !(more && carried_out) {
                break;
            }
            // Renewals have half of the time to themselves, however many leases run out.
            tokio::time::sleep(begin.elapsed()).await;
        }
    }
}

/// Whether all of it is in the log.
async fn carry_out(proposer: &Proposer, decisions: Decisions) -> bool {
    let Decisions { expire, begin, tell, end, more: _ } = decisions;
    let mut carried_out = true;
    for (scope, silence) in begin {
        let Silence { silent, leases } = silence;
        tracing::warn!(
            %scope, silent, leases,
            "self-preservation begins: so many leases fell silent together that none of them ends for now"
        );
        carried_out &= set_self_preservation(proposer, scope, Some(silence)).await;
    }
    for (scope, silence) in tell {
        carried_out &= set_self_preservation(proposer, scope, Some(silence)).await;
    }
    for (scope, ended) in end {
        let reason = match ended {
            Ended::Quiet => "few leases are silent now",
            Ended::SwitchedOff => "it is switched off at this leader",
        };
        tracing::warn!(%scope, reason, "self-preservation ends");
        carried_out &= set_self_preservation(proposer, scope, None).await;
    }
    carried_out & expire_together(proposer, expire).await
}

fn interval(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

async fn expire_together(proposer: &Proposer, leases: Vec<(Key, u64)>) -> bool {
    let due = leases.len();
    if due == 0 {
        return true;
    }
    match proposer.propose_as_leader(&Command::Expire { leases }).await {
        Ok(outcome) => tracing::info!(due, ?outcome, "leases ran out"),
        Err(error) => {
            tracing::warn!(%error, due, "leases that ran out stay for now");
            return false;
        }
    }
    true
}

async fn set_self_preservation(proposer: &Proposer, scope: Scope, silence: Option<Silence>) -> bool {
    let command = Command::SetSelfPreservation { scope, silence };
    match proposer.propose_as_leader(&command).await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(%error, "self-preservation is not told to the other nodes; it will be tried again");
            false
        }
    }
}
