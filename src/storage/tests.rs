//! What is stored comes back whole, or not at all.

use std::fs;
use std::io;
use std::path::Path;

use proptest::prelude::*;

use super::packing::unpack;
use super::*;
use crate::encoding::{encode_peer_progress, encode_self_preservation};
use crate::format::{Format, Formats};
use crate::message::{LogId, StateHeader, StoredHeader};
use crate::registry::arbitrary::{Entry, entries, key_of, plain_instance};
use crate::registry::{LoadError, Origin, Registry, Snapshot};

fn header(registry: &Registry) -> StateHeader {
    StateHeader {
        now_ms: registry.now_ms(),
        sequence: registry.sequence(),
        state_hash: registry.state_hash().value(),
        registrations: registry.instance_count() as u64,
        delta_entries: registry.delta().entries().len() as u64,
        self_preservation: registry.self_preservation().map(encode_self_preservation).collect(),
        peer_progress: encode_peer_progress(registry.peer_progress()),
        format: registry.format().to_stored(),
        ..StateHeader::default()
    }
}

fn small_registry() -> Registry {
    let mut registry = Registry::default();
    registry.advance(1_700_000_000_000, &mut Vec::new());
    for id in ["a", "b"] {
        let key = key_of("APP", id);
        let instance = plain_instance(&key).into();
        registry.register(key, instance, None, Origin::Client, &mut Vec::new());
    }
    registry.cancel(&key_of("APP", "b"), Origin::Client, &mut Vec::new());
    registry
}

fn write(dir: &SnapshotDir, registry: &Registry) -> SnapshotFile {
    dir.write(&header(registry), &registry.snapshot()).unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_snapshot_comes_back_as_it_was_written(entries in entries(20)) {
        let mut registry = Registry::default();
        entries.iter().for_each(|entry: &Entry| drop(entry.apply(&mut registry)));
        let dir = tempfile::tempdir().unwrap();
        let snapshots = SnapshotDir::open(dir.path(), Formats::THIS).unwrap();
        let expected = (header(&registry), registry.snapshot());
        prop_assert_eq!(&write(&snapshots, &registry).read().unwrap(), &expected);
        let current = SnapshotDir::open(dir.path(), Formats::THIS).unwrap().current().unwrap().unwrap();
        prop_assert_eq!(&current.header().unwrap(), &expected.0);
        prop_assert_eq!(current.read().unwrap(), expected);
    }

    #[test]
    fn a_state_stored_as_a_whole_comes_back(first in entries(10), second in entries(10)) {
        let dir = tempfile::tempdir().unwrap();
        let store = StateStore::open(dir.path(), Formats::THIS).unwrap();
        prop_assert!(store.load().unwrap().is_none());
        for entries in [first, second] {
            let mut registry = Registry::default();
            entries.iter().for_each(|entry: &Entry| drop(entry.apply(&mut registry)));
            store.replace(&header(&registry), &registry.snapshot()).unwrap();
            store.sync().unwrap();
            prop_assert_eq!(store.load().unwrap().unwrap(), (header(&registry), registry.snapshot()));
        }
    }
}

/// Opens a directory whose current snapshot is these bytes: it must be put aside, unread.
fn assert_put_aside(bytes: &[u8], what: &str) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("current"), bytes).unwrap();
    let snapshots = SnapshotDir::open(dir.path(), Formats::THIS).unwrap();
    assert!(snapshots.current().unwrap().is_none(), "{what}");
    assert_eq!(names(dir.path()), ["damaged"], "{what}");
    assert_eq!(fs::read(dir.path().join("damaged")).unwrap(), bytes, "{what}");
    assert!(snapshots.current().unwrap().is_none(), "{what}");

    // The same bytes from another node.
    let incoming = snapshots.incoming().unwrap();
    io::Write::write_all(&mut incoming.file(), bytes).unwrap();
    incoming.read().expect_err(what);
}

#[test]
fn a_snapshot_that_is_cut_short_is_found_out_wherever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    write(&SnapshotDir::open(dir.path(), Formats::THIS).unwrap(), &small_registry());
    let bytes = fs::read(dir.path().join("current")).unwrap();
    for length in 0..bytes.len() {
        assert_put_aside(&bytes[..length], &format!("{length} bytes"));
    }
    assert_put_aside(&[&bytes[..], &[0]].concat(), "a byte more");
}

#[test]
fn a_snapshot_with_a_flipped_byte_is_found_out_whichever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    write(&SnapshotDir::open(dir.path(), Formats::THIS).unwrap(), &small_registry());
    let bytes = fs::read(dir.path().join("current")).unwrap();
    for at in 0..bytes.len() {
        for flip in [1, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            assert_put_aside(&damaged, &format!("byte {at} ^ {flip:02x}"));
        }
    }
}

/// It is not damaged: the newer program goes on with it.
#[test]
fn what_a_newer_program_wrote_is_refused_and_left_as_it_is() {
    let newer = Formats::THIS.and_the_next();
    let mut registry = small_registry();
    registry.raise_format(Format::from_stored(2));
    let dir = tempfile::tempdir().unwrap();
    let (snapshots, state) = (dir.path().join("snapshots"), dir.path().join("state"));
    write(&SnapshotDir::open(&snapshots, newer).unwrap(), &registry);
    let store = StateStore::open(&state, newer).unwrap();
    store.replace(&header(&registry), &registry.snapshot()).unwrap();
    drop(store);

    let refused = SnapshotDir::open(&snapshots, Formats::THIS).unwrap().current().unwrap_err().to_string();
    assert!(refused.contains("start the newer program"), "{refused}");
    assert_eq!(names(&snapshots), ["current"]);
    assert!(matches!(StateStore::open(&state, Formats::THIS), Err(StateError::Format(_))));

    let read = SnapshotDir::open(&snapshots, newer).unwrap().current().unwrap().unwrap().read().unwrap();
    assert_eq!(Registry::from_snapshot(read.1).unwrap().format(), Format::from_stored(2));
    let stored = StateStore::open(&state, newer).unwrap().load().unwrap().unwrap();
    assert_eq!(stored.1, registry.snapshot());
}

#[test]
fn what_was_never_finished_is_cleared_away_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let snapshots = SnapshotDir::open(dir.path(), Formats::THIS).unwrap();
    write(&snapshots, &small_registry());
    fs::write(dir.path().join("writing"), b"half").unwrap();
    let incoming = snapshots.incoming().unwrap();
    io::Write::write_all(&mut incoming.file(), b"half").unwrap();
    fs::write(dir.path().join("incoming-7"), b"half, before a crash").unwrap();
    fs::write(dir.path().join("damaged"), b"for whoever wants to look").unwrap();
    assert_eq!(names(dir.path()), ["current", "damaged", "incoming-0", "incoming-7", "writing"]);
    drop(incoming);
    assert_eq!(names(dir.path()), ["current", "damaged", "incoming-7", "writing"]);

    let snapshots = SnapshotDir::open(dir.path(), Formats::THIS).unwrap();
    assert_eq!(names(dir.path()), ["current", "damaged"]);
    assert_eq!(snapshots.current().unwrap().unwrap().read().unwrap().1, small_registry().snapshot());
}

#[test]
fn an_open_snapshot_stays_readable_after_a_newer_one_took_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let snapshots = SnapshotDir::open(dir.path(), Formats::THIS).unwrap();
    let older = write(&snapshots, &small_registry());
    let newer = write(&snapshots, &Registry::default());
    assert_eq!(older.read().unwrap().1, small_registry().snapshot());
    assert_eq!(newer.read().unwrap().1, Registry::default().snapshot());
    assert_eq!(snapshots.current().unwrap().unwrap().read().unwrap().1, Registry::default().snapshot());
    assert_eq!(names(dir.path()), ["current"]);
}

#[test]
fn a_snapshot_that_was_long_in_the_making_does_not_replace_a_newer_one() {
    let dir = tempfile::tempdir().unwrap();
    let snapshots = SnapshotDir::open(dir.path(), Formats::THIS).unwrap();
    let at = |index| StateHeader { applied: Some(LogId { term: 1, index }), ..header(&small_registry()) };
    let snapshot = small_registry().snapshot();
    snapshots.write(&at(9), &snapshot).unwrap();
    let current = snapshots.write(&at(5), &snapshot).unwrap();
    assert_eq!(current.header().unwrap().applied.unwrap().index, 9);
    assert_eq!(snapshots.current().unwrap().unwrap().header().unwrap().applied.unwrap().index, 9);
    assert_eq!(names(dir.path()), ["current"]);
}

/// Changes the records of a stored state behind its back and loads it.
fn load_after(damage: impl FnOnce(&sled::Db)) -> Result<Option<StoredState>, StateError> {
    let dir = tempfile::tempdir().unwrap();
    let registry = small_registry();
    let store = StateStore::open(dir.path(), Formats::THIS).unwrap();
    store.replace(&header(&Registry::default()), &Registry::default().snapshot()).unwrap();
    store.write(&everything(&registry)).unwrap();
    assert_eq!(store.load().unwrap().unwrap().1, registry.snapshot());
    damage(store.records());
    store.load()
}

/// A registry as what changed since an empty one.
fn everything(registry: &Registry) -> StateUpdate {
    let instances = registry.registrations();
    StateUpdate {
        header: header(registry),
        instances: instances.map(|(key, held)| InstanceUpdate::Document(key, held.clone())).collect(),
        delta_added: registry.snapshot().delta,
        delta_dropped: Vec::new(),
    }
}

fn is_whole(loaded: Result<Option<StoredState>, StateError>) -> bool {
    let Ok(Some((_, snapshot))) = loaded else { return false };
    let registry: Result<Registry, LoadError> = Registry::from_snapshot(snapshot);
    registry.is_ok()
}

#[test]
fn no_record_of_the_stored_state_is_lost_or_damaged_unnoticed() {
    let mut records: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    assert!(is_whole(load_after(|db| {
        records = db.iter().map(|record| record.unwrap()).map(|(k, v)| (k.to_vec(), v.to_vec())).collect();
    })));
    // The header, and a block of what changed since an image without any.
    assert_eq!(records.len(), 2);
    for (key, value) in &records {
        let lost = load_after(|db| drop(db.remove(key).unwrap()));
        assert!(!is_whole(lost), "without {key:?}");
        if key.as_slice() == keys::HEADER {
            continue;
        }
        let mut harmless = 0;
        for at in 0..value.len() {
            let mut damaged = value.clone();
            damaged[at] ^= 1;
            let loaded = load_after(|db| drop(db.insert(key, damaged.clone()).unwrap()));
            // Packed bytes can say the same in two ways: such damage does none.
            let says_the_same = unpack(&damaged).is_ok_and(|block| block == unpack(value).unwrap());
            assert_eq!(is_whole(loaded), says_the_same, "byte {at} of {key:?}");
            harmless += usize::from(says_the_same);
        }
        assert!(harmless * 10 < value.len(), "{harmless} of {} bytes", value.len());
    }
}

#[test]
fn what_was_stored_before_blocks_were_packed_is_read_and_replaced() {
    use prost::Message;
    let dir = tempfile::tempdir().unwrap();
    let store = StateStore::open(dir.path(), Formats::THIS).unwrap();
    let registry = small_registry();
    store.replace(&header(&registry), &registry.snapshot()).unwrap();
    store.write(&everything(&registry)).unwrap();
    for (key, block) in store.records().scan_prefix([keys::BLOCK]).map(Result::unwrap) {
        drop(store.records().insert(key, unpack(&block).unwrap().to_vec()).unwrap());
    }
    let packed = store.records().get(keys::HEADER).unwrap().unwrap();
    let plain = StoredHeader { packed: false, ..StoredHeader::decode(&*packed).unwrap() };
    drop(store.records().insert(keys::HEADER, plain.encode_to_vec()).unwrap());
    drop(store);

    let store = StateStore::open(dir.path(), Formats::THIS).unwrap();
    assert_eq!(store.load().unwrap().unwrap().1, registry.snapshot());
    assert!(store.needs_whole());
    store.write(&everything(&registry)).unwrap();
    assert_eq!(store.load().unwrap().unwrap().1, registry.snapshot());
    store.replace(&header(&registry), &registry.snapshot()).unwrap();
    assert!(!store.needs_whole());
    assert_eq!(store.load().unwrap().unwrap().1, registry.snapshot());
}

#[test]
fn a_header_of_another_moment_is_found_out() {
    use prost::Message;
    let registry = small_registry();
    let good = header(&registry);
    let stored =
        |state| StoredHeader { state: Some(state), blocks: 1, packed: true, ..StoredHeader::default() };
    let as_it_was = load_after(|db| {
        let header = stored(good.clone()).encode_to_vec();
        drop(db.insert(keys::HEADER, header).unwrap());
    });
    assert!(is_whole(as_it_was));
    for other in [
        StateHeader { now_ms: good.now_ms + 1, ..good.clone() },
        StateHeader { sequence: good.sequence + 1, ..good.clone() },
        StateHeader { state_hash: good.state_hash ^ 1, ..good.clone() },
    ] {
        let loaded =
            load_after(|db| drop(db.insert(keys::HEADER, stored(other.clone()).encode_to_vec()).unwrap()));
        assert!(!is_whole(loaded), "{other:?}");
    }
    let empty: Snapshot = load_after(|db| db.clear().unwrap()).unwrap().map(|(_, it)| it).unwrap_or_default();
    assert_eq!(empty, Snapshot::default());
}

#[test]
fn what_changes_is_added_until_a_new_image_is_due() {
    const INSTANCES: usize = 100;
    let dir = tempfile::tempdir().unwrap();
    let store = StateStore::open(dir.path(), Formats::THIS).unwrap();
    assert!(store.needs_whole());
    let (mut registry, mut changes) = (Registry::default(), Vec::new());
    let keys: Vec<_> = (0..INSTANCES).map(|number| key_of("APP", &format!("i{number:03}"))).collect();
    for key in &keys {
        registry.register(key.clone(), plain_instance(key).into(), None, Origin::Client, &mut changes);
    }
    store.replace(&header(&registry), &registry.snapshot()).unwrap();
    let mut written = 0;
    while !store.needs_whole() {
        // One is new, one gone, and the rest renewed.
        let (old, new) = (&keys[written % INSTANCES], key_of("APP", &format!("n{written:05}")));
        registry.cancel(old, Origin::Client, &mut changes);
        registry.register(new.clone(), plain_instance(&new).into(), None, Origin::Client, &mut changes);
        let mut instances = vec![InstanceUpdate::Removed(old.clone())];
        for (key, _) in registry.clone().registrations().filter(|(key, _)| *key != new) {
            registry.renew(&key, None, None, Origin::Client, &mut changes);
            instances.push(InstanceUpdate::Lease(key.clone(), registry.get(&key).unwrap().clone()));
        }
        instances.push(InstanceUpdate::Document(new.clone(), registry.get(&new).unwrap().clone()));
        let before: Vec<u64> = store.load().unwrap().unwrap().1.delta.iter().map(|(seq, _)| *seq).collect();
        let delta = registry.snapshot().delta;
        let update = StateUpdate {
            header: header(&registry),
            instances,
            delta_added: delta.iter().filter(|(seq, _)| !before.contains(seq)).cloned().collect(),
            delta_dropped: before
                .into_iter()
                .filter(|seq| !delta.iter().any(|(kept, _)| kept == seq))
                .collect(),
        };
        store.write(&update).unwrap();
        assert_eq!(store.load().unwrap().unwrap(), (header(&registry), registry.snapshot()));
        written += 1;
    }
    assert!(written > 10, "{written}");
    store.replace(&header(&registry), &registry.snapshot()).unwrap();
    assert!(!store.needs_whole());
    assert_eq!(store.load().unwrap().unwrap(), (header(&registry), registry.snapshot()));
    let blocks = store.records().scan_prefix([keys::BLOCK]).keys().map(Result::unwrap);
    assert!(blocks.into_iter().all(|key| key.starts_with(&keys::generation(1))));
}

#[test]
fn what_was_begun_and_not_finished_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let store = StateStore::open(dir.path(), Formats::THIS).unwrap();
    let registry = small_registry();
    store.replace(&header(&registry), &registry.snapshot()).unwrap();
    // More of this generation than the header names, and the beginning of the next.
    for (generation, number) in [(0, 1), (0, 2), (1, 0), (1, 1)] {
        store.records().insert(keys::block(generation, number), b"half of it").unwrap();
    }
    assert_eq!(store.load().unwrap().unwrap().1, registry.snapshot());
    store.write(&StateUpdate { delta_dropped: vec![0], ..everything(&registry) }).unwrap();
    assert_eq!(store.load().unwrap().unwrap().1, registry.snapshot());
    store.replace(&header(&registry), &registry.snapshot()).unwrap();
    assert_eq!(store.load().unwrap().unwrap().1, registry.snapshot());
}
