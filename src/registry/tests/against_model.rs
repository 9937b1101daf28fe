//! The registry does what the model does, after every command of any sequence.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::model::{Answer, Held, Model};
use crate::registry::arbitrary::{Entry, entries};
use crate::registry::{Key, Outcome, Registration, Registry};
use crate::view::View;

fn held(registration: &Registration) -> Held {
    let lease = registration.lease;
    Held {
        document: registration.instance.decode(),
        status: registration.status,
        overridden: registration.overridden,
        last_dirty_ms: registration.last_dirty_ms,
        last_updated_ms: registration.last_updated_ms,
        action: registration.action,
        duration_ms: lease.duration_ms,
        registered_ms: lease.registered_ms,
        renewed_ms: lease.renewed_ms,
        evicted_ms: lease.evicted_ms,
        service_up_ms: lease.service_up_ms,
        renew_seq: lease.renew_seq,
        keeper: lease.keeper,
    }
}

fn answer(outcome: Outcome, registry: &Registry) -> Answer {
    match outcome {
        Outcome::Done => Answer::Done,
        Outcome::NotFound => Answer::NotFound,
        Outcome::TooLarge => Answer::TooLarge,
        Outcome::Expired(count) => Answer::Expired(count),
        Outcome::Conflict(None) => Answer::KeptByOthers,
        Outcome::Conflict(Some(stored)) => {
            let mut same = registry.registrations().filter(|(_, held)| **held == stored);
            Answer::Conflict(same.next().expect("a conflict with what is registered").0)
        }
    }
}

/// Every lease that was renewed got a sequence that nothing had before, and no other lease did.
fn take_sequences(model: &mut Model, registry: &Registry, before: u64) {
    for (key, lease) in &mut model.leases {
        let found = registry.get(key).expect("a registered instance").lease.renew_seq;
        if model.renewed.contains(key) {
            assert!(found > before && found <= registry.sequence(), "{key} renewed as {found}");
            lease.renew_seq = found;
        }
    }
    let mut sequences = BTreeSet::new();
    let leases = registry.registrations().map(|(_, held)| held.lease.renew_seq);
    let delta = registry.delta().entries().map(|(seq, _)| seq);
    for sequence in leases.chain(delta) {
        assert!(sequences.insert(sequence), "{sequence} was given out twice");
    }
}

fn compare(registry: &Registry, model: &Model) {
    let leases: Vec<(Key, Held)> =
        registry.registrations().map(|(key, registration)| (key, held(registration))).collect();
    assert_eq!(leases, model.leases.clone().into_iter().collect::<Vec<_>>());
    assert_eq!(registry.instance_count(), model.leases.len());
    assert_eq!(registry.now_ms(), model.now_ms);

    let in_force = registry.self_preservation().map(|(scope, in_force)| (scope.clone(), *in_force));
    assert!(in_force.eq(model.self_preservation.clone()));
    assert_eq!(registry.peer_progress(), &model.peer_progress);

    let entries: Vec<_> = registry.delta().entries().collect();
    assert!(entries.is_sorted_by_key(|(seq, _)| *seq));
    let recent: Vec<(i64, Key, Option<Held>)> = entries
        .into_iter()
        .map(|(_, entry)| (entry.at_ms, entry.key.clone(), entry.deleted.as_deref().map(held)))
        .collect();
    assert_eq!(recent, model.recent);
}

fn play(entries: &[Entry]) {
    let (mut registry, mut model, mut view) = (Registry::default(), Model::default(), View::default());
    for (index, entry) in (1..).zip(entries) {
        let mut changes = Vec::new();
        registry.advance(entry.stamped_ms, &mut changes);
        model.advance(entry.stamped_ms);
        compare(&registry, &model);
        for act in &entry.acts {
            let command = act.command(&registry);
            let before = registry.sequence();
            let expected = model.apply(&command);
            let outcome = command.clone().apply(&mut registry, &mut changes);
            take_sequences(&mut model, &registry, before);
            compare(&registry, &model);
            assert_eq!(answer(outcome, &registry), expected, "{command:?}");
        }
        view = view.update(&changes, index, |_, _| {});
        assert_eq!(view.statuses().hashcode(), model.hashcode());
        assert_eq!(view.instance_count(), model.leases.len());
        assert_eq!(view.delta_count(), model.recent.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_commands_do_what_eurekas_rules_say(entries in entries(30)) {
        play(&entries);
    }
}
