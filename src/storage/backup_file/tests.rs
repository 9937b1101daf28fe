//! A backup comes back whole, or not at all.

use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::encoding::{encode_peer_progress, encode_self_preservation};
use crate::registry::Origin;
use crate::registry::arbitrary::{Entry, entries, key_of, plain_instance};

fn of(registry: &Registry) -> (BackupHead, StateHeader, Snapshot) {
    let head = BackupHead { cluster: "old".to_owned(), term: 7, ..BackupHead::default() };
    let header = StateHeader {
        now_ms: registry.now_ms(),
        sequence: registry.sequence(),
        state_hash: registry.state_hash().value(),
        registrations: registry.instance_count() as u64,
        delta_entries: registry.delta().entries().len() as u64,
        self_preservation: registry.self_preservation().map(encode_self_preservation).collect(),
        peer_progress: encode_peer_progress(registry.peer_progress()),
        ..StateHeader::default()
    };
    (head, header, registry.snapshot())
}

fn bytes_of(registry: &Registry) -> Vec<u8> {
    let (head, header, snapshot) = of(registry);
    let mut bytes = Vec::new();
    write_backup(&mut bytes, &head, &header, &snapshot).unwrap();
    bytes
}

fn small() -> Vec<u8> {
    let mut registry = Registry::default();
    registry.advance(1_700_000_000_000, &mut Vec::new());
    for id in ["a", "b"] {
        let key = key_of("APP", id);
        let instance = plain_instance(&key).into();
        registry.register(key, instance, None, Origin::Client, &mut Vec::new());
    }
    registry.cancel(&key_of("APP", "b"), Origin::Client, &mut Vec::new());
    bytes_of(&registry)
}

fn read(bytes: &[u8]) -> Result<Backup, BackupError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    read_backup(&file)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_backup_comes_back_as_it_was_written(entries in entries(20)) {
        let mut registry = Registry::default();
        entries.iter().for_each(|entry: &Entry| drop(entry.apply(&mut registry)));
        let bytes = bytes_of(&registry);
        let Backup { head, header, snapshot, bytes: length, .. } = read(&bytes).unwrap();
        prop_assert_eq!((head, header, snapshot), of(&registry));
        prop_assert_eq!(length, bytes.len() as u64);
    }
}

/// Each place there is, and not only some of them: a small backup has few.
#[test]
fn a_byte_that_is_damaged_is_found_wherever_it_is() {
    let whole = small();
    read(&whole).unwrap();
    for at in 0..whole.len() {
        for flipped in [0x01, 0x80] {
            let mut damaged = whole.clone();
            damaged[at] ^= flipped;
            assert!(read(&damaged).is_err(), "byte {at} of {}", whole.len());
        }
    }
}

#[test]
fn what_is_cut_short_or_goes_on_is_found() {
    let whole = small();
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
    }
    let longer = [&whole[..], &[0]].concat();
    assert!(matches!(read(&longer), Err(BackupError::Checksum { .. })));
}

#[test]
fn what_cannot_be_used_is_told_apart() {
    assert!(matches!(read(b""), Err(BackupError::Foreign)));
    assert!(matches!(read(b"#!/bin/sh\n"), Err(BackupError::Foreign)));
    assert!(matches!(read(MAGIC), Err(BackupError::CutShort)));
    let mut newer = small();
    newer[MAGIC.len() + 3] = 2;
    assert!(matches!(read(&newer), Err(BackupError::NewerFormat(2))));
}

/// As `sha256sum` tells it.
#[test]
fn the_checksum_is_that_of_the_file() {
    let whole = small();
    let told = hexadecimal(ring::digest::digest(&SHA256, &whole).as_ref());
    assert_eq!(read(&whole).unwrap().sha256, told);
}
