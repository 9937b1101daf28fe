//! What is bounded: the delta in time and number, an instance in size.

use crate::registry::arbitrary::{START_MS, key_of, plain_instance};
use crate::registry::{
    Change, DELTA_MAX_ENTRIES, EncodedInstance, Instance, Key, MAX_CONFLICT_BYTES, MAX_INSTANCE_BYTES,
    Metadata, Origin, Outcome, Registry, bound_conflicts,
};

fn register(registry: &mut Registry, key: &Key, changes: &mut Vec<Change>) {
    let instance = plain_instance(key).into();
    assert_eq!(registry.register(key.clone(), instance, None, Origin::Client, changes), Outcome::Done);
}

fn delta_keys(registry: &Registry) -> Vec<Key> {
    registry.delta().entries().map(|(_, entry)| entry.key.clone()).collect()
}

#[test]
fn the_delta_keeps_a_change_for_180_seconds_of_the_logs_clock() {
    let (mut registry, mut changes) = (Registry::default(), Vec::new());
    let (a, b) = (key_of("APP", "a"), key_of("APP", "b"));
    registry.advance(START_MS, &mut changes);
    register(&mut registry, &a, &mut changes);
    registry.advance(START_MS + 1, &mut changes);
    register(&mut registry, &b, &mut changes);
    registry.advance(START_MS + 180_000, &mut changes);
    assert_eq!(delta_keys(&registry), [a, b.clone()]);
    registry.advance(START_MS, &mut changes);
    registry.advance(START_MS + 180_001, &mut changes);
    assert_eq!(delta_keys(&registry), [b]);
    registry.advance(START_MS + 180_002, &mut changes);
    assert!(delta_keys(&registry).is_empty());
    assert_eq!(registry.instance_count(), 2);
}

#[test]
fn the_delta_keeps_the_latest_20_000_changes() {
    assert_eq!(DELTA_MAX_ENTRIES, 20_000);
    let mut registry = Registry::default();
    let keys: Vec<Key> = (0..20_003).map(|number| key_of("APP", &format!("i{number}"))).collect();
    let mut dropped = 0;
    for key in &keys {
        let mut changes = Vec::new();
        register(&mut registry, key, &mut changes);
        dropped += changes.iter().filter(|change| matches!(change, Change::DeltaDropped { .. })).count();
    }
    assert_eq!(dropped, 3);
    assert_eq!(delta_keys(&registry), keys[3..]);
    // One that is there already makes no room necessary.
    register(&mut registry, &keys[3], &mut Vec::new());
    let latest: Vec<Key> = keys[4..].iter().chain([&keys[3]]).cloned().collect();
    assert_eq!(delta_keys(&registry), latest);
    assert_eq!(Registry::from_snapshot(registry.snapshot()).unwrap().snapshot(), registry.snapshot());
}

#[test]
fn metadata_may_fill_an_instance_to_its_bound_and_no_further() {
    let (mut registry, mut changes) = (Registry::default(), Vec::new());
    let key = key_of("APP", "a");
    register(&mut registry, &key, &mut changes);
    let stored = plain_instance(&key).stored_bytes();
    let with_value = |bytes: usize| Metadata::from_pairs([("m", "v".repeat(bytes))]);
    let measured = |bytes| Instance { metadata: with_value(bytes), ..plain_instance(&key) }.stored_bytes();
    let fits = MAX_INSTANCE_BYTES - (measured(0) - stored) - stored;

    let before = registry.snapshot();
    let mut refused = Vec::new();
    let outcome = registry.put_metadata(key.clone(), &with_value(fits + 1), &mut refused);
    assert_eq!(outcome, Outcome::TooLarge);
    assert_eq!((refused, registry.snapshot()), (Vec::new(), before));
    let outcome = registry.put_metadata(key.clone(), &with_value(fits), &mut changes);
    assert_eq!(outcome, Outcome::Done);
    assert_eq!(registry.get(&key).unwrap().instance.decode().stored_bytes(), MAX_INSTANCE_BYTES);
}

#[test]
fn conflicts_carry_documents_as_long_as_there_is_room() {
    const INSTANCE_BYTES: usize = 50_000;
    let (mut registry, mut changes) = (Registry::default(), Vec::new());
    let key = key_of("APP", "a");
    let with_url = |url: String| {
        EncodedInstance::from(Instance { home_page_url: Some(url.into()), ..plain_instance(&key) })
    };
    let long = INSTANCE_BYTES / 2;
    let spare = INSTANCE_BYTES - with_url("x".repeat(long)).bytes().len();
    let instance = with_url("x".repeat(long + spare));
    assert_eq!(instance.bytes().len(), INSTANCE_BYTES);
    registry.register(key.clone(), instance, Some(START_MS), Origin::Client, &mut changes);
    let mut renew = || registry.renew(&key, Some(START_MS - 1), None, Origin::Replication, &mut changes);
    let mut outcomes: Vec<Outcome> = (0..100).map(|_| renew()).collect();
    outcomes.insert(0, Outcome::Done);
    bound_conflicts(&mut outcomes);
    let carries = |outcome: &Outcome| matches!(outcome, Outcome::Conflict(Some(_)));
    let is_bare = |outcome: &Outcome| *outcome == Outcome::Conflict(None);
    let last = MAX_CONFLICT_BYTES / INSTANCE_BYTES;
    assert_eq!(outcomes[0], Outcome::Done);
    assert!(outcomes[1..=last].iter().all(carries) && outcomes[last + 1..].iter().all(is_bare));
}
