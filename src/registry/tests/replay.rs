//! The same commands make the same registry, byte for byte, wherever a replay begins.

use std::sync::Arc;

use proptest::prelude::*;
use prost::Message;

use crate::encoding::{
    decode_delta_entry, decode_registration, decode_self_preservation, encode_delta_entry,
    encode_registration, encode_self_preservation,
};
use crate::eureka::arbitrary::registration;
use crate::message;
use crate::registry::arbitrary::{Entry, entries, key_of};
use crate::registry::{Instance, LoadError, Outcome, Registration, Registry, Snapshot};

type Records = (Vec<message::Registration>, Vec<message::DeltaEntry>);

fn records(snapshot: &Snapshot) -> Records {
    let registrations = snapshot.registrations.iter().map(|(key, held)| encode_registration(key, held));
    let delta = snapshot.delta.iter().map(|(seq, entry)| encode_delta_entry(*seq, entry));
    (registrations.collect(), delta.collect())
}

fn self_preservation(snapshot: &Snapshot) -> Vec<message::SelfPreservation> {
    let in_force = snapshot.self_preservation.iter().map(|(scope, in_force)| (scope, in_force));
    in_force.map(encode_self_preservation).collect()
}

fn bytes(registry: &Registry) -> Vec<u8> {
    let snapshot = registry.snapshot();
    let mut bytes = Vec::new();
    for number in [snapshot.now_ms as u64, snapshot.sequence, snapshot.state_hash] {
        bytes.extend(number.to_be_bytes());
    }
    let (registrations, delta) = records(&snapshot);
    bytes.extend(registrations.iter().flat_map(Message::encode_length_delimited_to_vec));
    bytes.extend(delta.iter().flat_map(Message::encode_length_delimited_to_vec));
    bytes.extend(self_preservation(&snapshot).iter().flat_map(Message::encode_length_delimited_to_vec));
    bytes
}

/// The registry taken apart into records and put together again from them.
fn reloaded(registry: &Registry) -> Registry {
    let snapshot = registry.snapshot();
    let (registrations, delta) = records(&snapshot);
    let registration = |record| {
        let (key, registration) = decode_registration(record).unwrap();
        (key, registration.into())
    };
    let decoded = Snapshot {
        registrations: registrations.into_iter().map(registration).collect(),
        delta: delta.into_iter().map(|record| decode_delta_entry(record).unwrap()).collect(),
        self_preservation: decode_self_preservation(&self_preservation(&snapshot)).unwrap(),
        ..snapshot.clone()
    };
    assert_eq!(decoded, snapshot);
    Registry::from_snapshot(decoded).unwrap()
}

fn play(registry: &mut Registry, entries: &[Entry]) -> Vec<Outcome> {
    entries.iter().flat_map(|entry| entry.apply(registry).0).collect()
}

fn assert_same(one: &Registry, other: &Registry) {
    assert_eq!(one.snapshot(), other.snapshot());
    assert_eq!(bytes(one), bytes(other));
    assert_eq!(one.state_hash(), other.state_hash());
}

/// `one` with a single field of `other`, for each field there is.
fn one_field_each(one: &Registration, other: &Registration) -> Vec<Registration> {
    macro_rules! with {
        ($($($field:ident).+),+) => {
            vec![$({
                let mut mixed = one.clone();
                mixed.$($field).+ = other.$($field).+;
                mixed
            }),+]
        };
    }
    macro_rules! with_document {
        ($($field:ident),+) => {
            vec![$({
                let mut mixed = one.clone();
                let document = Instance { $field: other.instance.decode().$field, ..one.instance.decode() };
                mixed.instance = document.into();
                mixed
            }),+]
        };
    }
    let mut lease = with!(
        status,
        overridden,
        last_dirty_ms,
        last_updated_ms,
        action,
        lease.duration_ms,
        lease.registered_ms,
        lease.renewed_ms,
        lease.evicted_ms,
        lease.service_up_ms,
        lease.renew_seq
    );
    let document = with_document!(
        instance_id,
        host_name,
        app,
        ip_addr,
        sid,
        status,
        overridden_status,
        port,
        secure_port,
        country_id,
        data_center,
        renewal_interval_secs,
        duration_secs,
        metadata,
        app_group_name,
        home_page_url,
        status_page_url,
        health_check_url,
        secure_health_check_url,
        vip_address,
        secure_vip_address,
        asg_name
    );
    lease.extend(document);
    lease
}

proptest! {
    #[test]
    fn the_same_commands_make_the_same_registry(entries in entries(30)) {
        let (mut one, mut other) = (Registry::default(), Registry::default());
        prop_assert_eq!(play(&mut one, &entries), play(&mut other, &entries));
        assert_same(&one, &other);
    }

    /// The sum that is kept up to date is the one that a load counts anew.
    #[test]
    fn the_state_hash_is_that_of_the_state_after_every_entry(entries in entries(30)) {
        let mut registry = Registry::default();
        for entry in &entries {
            entry.apply(&mut registry);
            assert_same(&reloaded(&registry), &registry);
        }
    }

    #[test]
    fn a_snapshot_and_the_rest_is_the_whole(entries in entries(30), at in any::<prop::sample::Index>()) {
        let at = at.index(entries.len());
        let mut whole = Registry::default();
        let outcomes = play(&mut whole, &entries);

        let mut first = Registry::default();
        let mut in_parts = play(&mut first, &entries[..at]);
        let mut second = reloaded(&first);
        in_parts.extend(play(&mut second, &entries[at..]));
        prop_assert_eq!(in_parts, outcomes);
        assert_same(&second, &whole);
    }

    #[test]
    fn entries_from_the_log_do_what_the_commands_did(entries in entries(30)) {
        let (mut written, mut replayed) = (Registry::default(), Registry::default());
        for entry in &entries {
            let batch = entry.encode(&written);
            let (stamped_ms, commands) = batch.decode().unwrap();
            for registry in [&mut written, &mut replayed] {
                let mut changes = Vec::new();
                registry.advance(stamped_ms, &mut changes);
                for command in commands.clone() {
                    command.apply(registry, &mut changes);
                }
            }
        }
        assert_same(&written, &replayed);
    }

    /// No field may be left out of the hash.
    #[test]
    fn every_field_of_a_registration_counts(one in registration(), other in registration()) {
        let key = key_of("APP", "a");
        let snapshot = |held: &Registration| Snapshot {
            registrations: vec![(key.clone(), Arc::new(held.clone()))],
            ..Snapshot::default()
        };
        let LoadError::HashMismatch { found, .. } = Registry::from_snapshot(snapshot(&one)).unwrap_err() else {
            panic!("an empty registry's hash")
        };
        let whole = |held: &Registration| Snapshot { state_hash: found, ..snapshot(held) };
        prop_assert!(Registry::from_snapshot(whole(&one)).is_ok());
        for mixed in one_field_each(&one, &other) {
            let loads = Registry::from_snapshot(whole(&mixed)).is_ok();
            prop_assert_eq!(loads, mixed == one, "{:?}", mixed);
        }
    }

    /// Whatever record is lost, doubled or of another time: a load finds out.
    #[test]
    fn records_that_do_not_belong_together_are_found_out(
        entries in entries(30),
        at in any::<prop::sample::Index>(),
        lost in any::<prop::sample::Index>(),
    ) {
        let mut registry = Registry::default();
        let at = at.index(entries.len());
        play(&mut registry, &entries[..at]);
        let former = registry.snapshot();
        play(&mut registry, &entries[at..]);
        let whole = registry.snapshot();

        if !whole.registrations.is_empty() {
            let mut without = whole.clone();
            without.registrations.remove(lost.index(whole.registrations.len()));
            prop_assert!(Registry::from_snapshot(without).is_err());
        }
        if !whole.delta.is_empty() {
            let mut without = whole.clone();
            without.delta.remove(lost.index(whole.delta.len()));
            let mismatch = matches!(Registry::from_snapshot(without), Err(LoadError::HashMismatch { .. }));
            prop_assert!(mismatch);
        }
        for (place, (key, stale)) in former.registrations.iter().enumerate() {
            let Some((_, current)) = whole.registrations.iter().find(|(other, _)| other == key) else {
                continue;
            };
            if stale != current {
                let mut mixed = whole.clone();
                let place_now = mixed.registrations.iter().position(|(other, _)| other == key).unwrap();
                mixed.registrations[place_now].1 = stale.clone();
                prop_assert!(Registry::from_snapshot(mixed).is_err(), "stale record {}", place);
            }
        }
        if former.delta != whole.delta {
            let mixed = Snapshot { delta: former.delta, ..whole.clone() };
            prop_assert!(Registry::from_snapshot(mixed).is_err());
        }
        if former.self_preservation != whole.self_preservation {
            let self_preservation = former.self_preservation;
            let mixed = Snapshot { self_preservation, ..whole.clone() };
            prop_assert!(Registry::from_snapshot(mixed).is_err());
        }
        if former.now_ms != whole.now_ms {
            let mixed = Snapshot { now_ms: former.now_ms, ..whole };
            prop_assert!(Registry::from_snapshot(mixed).is_err());
        }
    }
}
