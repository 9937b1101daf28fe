//! What is encoded is decoded as it was; what is damaged is an error.

use std::sync::Arc;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;

use super::*;
use crate::command::Command;
use crate::eureka::arbitrary::{registration, text};
use crate::format::{Format, Formats};
use crate::message;
use crate::registry::arbitrary::{START_MS, command, key_of};
use crate::registry::{DeltaEntry, EncodedInstance, Key, Metadata, Origin, Outcome, Registry, Said, Vips};

fn any_command() -> impl Strategy<Value = Command> {
    let name = || text().prop_map(|text| format!("n{}", text.replace('\0', "")));
    let key = || (name(), name()).prop_map(|(app, id)| key_of(&app, &id));
    let full = (key(), registration(), any::<Option<i64>>(), any::<bool>()).prop_map(
        |(key, registration, last_dirty_ms, client)| Command::Register {
            key,
            instance: registration.instance,
            last_dirty_ms,
            origin: if client { Origin::Client } else { Origin::Replication },
        },
    );
    let pairs = (key(), vec((text(), text()), 0..4))
        .prop_map(|(key, pairs)| Command::PutMetadata { key, pairs: Metadata::from_pairs(pairs) });
    let expire = vec((key(), any::<u64>()), 0..4).prop_map(|leases| Command::Expire { leases });
    let raise = any::<u32>().prop_map(|to| Command::RaiseFormat { to: Format::from_stored(to) });
    prop_oneof![3 => command(), 2 => full, 1 => pairs, 1 => expire, 1 => raise]
}

fn encode(commands: &[Command]) -> EncodedCommands {
    let mut encoded = EncodedCommands::default();
    for command in commands {
        encoded.join(&EncodedCommands::one(command));
    }
    encoded
}

fn forwarded(bytes: &Bytes, count: u32) -> Result<EncodedCommands, DecodeError> {
    EncodedCommands::forwarded(bytes, count, Format::FIRST, Formats::THIS)
}

/// Decodes and, if that went well, applies: what comes through must be fit for the registry.
fn take(bytes: &[u8]) -> Result<(i64, Vec<Command>), DecodeError> {
    let (stamped_ms, commands) = EncodedBatch::new(Bytes::copy_from_slice(bytes), Format::FIRST).decode()?;
    let (mut registry, mut changes) = (Registry::default(), Vec::new());
    registry.advance(stamped_ms, &mut changes);
    for command in commands.clone() {
        command.apply(&mut registry, &mut changes);
    }
    Ok((stamped_ms, commands))
}

proptest! {
    #[test]
    fn commands_come_back_as_they_were(commands in vec(any_command(), 0..5), stamped_ms in any::<i64>()) {
        let encoded = encode(&commands);
        prop_assert_eq!(encoded.count() as usize, commands.len());
        let decoded = encoded.stamped(stamped_ms, Format::FIRST).decode().unwrap();
        prop_assert_eq!(decoded, (stamped_ms, commands));
    }

    #[test]
    fn joined_batches_are_the_one_and_then_the_other(
        batches in vec(vec(any_command(), 0..4), 0..4),
        by_a_peer in any::<bool>(),
    ) {
        let mut joined = EncodedCommands::default();
        for batch in &batches {
            let part = encode(batch);
            let count = part.count();
            if by_a_peer {
                joined.join(&forwarded(&part.into_bytes(), count).unwrap());
            } else {
                joined.join(&part);
            }
        }
        let commands = batches.concat();
        prop_assert_eq!(joined.count() as usize, commands.len());
        prop_assert_eq!(joined.len(), encode(&commands).len());
        prop_assert_eq!(joined.stamped(START_MS, Format::FIRST).decode().unwrap(), (START_MS, commands));
    }

    /// A peer sets no clock, and what it forwards is what it announces.
    #[test]
    fn forwarded_commands_are_taken_as_announced_or_not_at_all(
        commands in vec(any_command(), 0..3),
        theirs in 1..i64::MAX,
    ) {
        let count = commands.len() as u32;
        let bytes = encode(&commands).into_bytes();
        prop_assert!(forwarded(&bytes, count).is_ok());
        prop_assert!(forwarded(&bytes, count + 1).is_err());
        let stamped = encode(&commands).stamped(theirs, Format::FIRST);
        prop_assert!(forwarded(stamped.bytes(), count).is_err());
    }

    #[test]
    fn a_batch_cut_short_is_an_error_or_fewer_commands(commands in vec(any_command(), 1..3)) {
        let whole = encode(&commands).stamped(START_MS, Format::FIRST);
        for length in 0..whole.bytes().len() {
            if let Ok((stamped_ms, fewer)) = take(&whole.bytes()[..length]) {
                prop_assert_eq!(stamped_ms, 0);
                prop_assert!(commands.starts_with(&fewer));
            }
        }
    }

    #[test]
    fn damaged_bytes_never_get_further_than_the_decoder(
        commands in vec(any_command(), 1..3),
        damage in vec((any::<Index>(), 1..=255_u8), 1..4),
    ) {
        let mut bytes = encode(&commands).stamped(START_MS, Format::FIRST).bytes().to_vec();
        for (at, flipped) in damage {
            let at = at.index(bytes.len());
            bytes[at] ^= flipped;
        }
        // Bytes that still make a batch are as good as any other; what matters is to get here.
        drop(take(&bytes));
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        drop(take(&bytes));
        drop(EncodedInstance::checked(&bytes).map(|instance| (instance.decode(), instance.said(), instance.vips())));
        drop(message::Registration::decode(&*bytes).map(decode_registration));
        drop(message::DeltaEntry::decode(&*bytes).map(decode_delta_entry));
        drop(message::Outcome::decode(&*bytes).map(decode_outcome));
    }

    #[test]
    fn records_come_back_as_they_were(
        registration in registration(),
        (seq, at_ms, deleted) in any::<(u64, i64, bool)>(),
    ) {
        let key = key_of("APP", "a");
        let registration = Arc::new(registration);
        let decoded = decode_registration(encode_registration(&key, &registration)).unwrap();
        prop_assert_eq!(decoded, (key.clone(), (*registration).clone()));

        let instance = EncodedInstance::checked(registration.instance.bytes()).unwrap();
        let whole = registration.instance.decode();
        prop_assert_eq!(instance.decode(), whole.clone());
        let Said { status, overridden_status, duration_secs } = instance.said();
        prop_assert_eq!(
            (status, overridden_status, duration_secs),
            (whole.status, whole.overridden_status, whole.duration_secs)
        );
        let Vips { vip_address, secure_vip_address } = instance.vips();
        prop_assert_eq!(vip_address.as_deref(), whole.vip_address.as_deref());
        prop_assert_eq!(secure_vip_address.as_deref(), whole.secure_vip_address.as_deref());
        let decoded = decode_lease(encode_lease(&key, &registration).lease.unwrap(), instance).unwrap();
        prop_assert_eq!(&decoded, &*registration);

        let entry = DeltaEntry { at_ms, key, deleted: deleted.then(|| registration.clone()) };
        let decoded = decode_delta_entry(encode_delta_entry(seq, &entry)).unwrap();
        prop_assert_eq!(decoded, (seq, entry));

        let outcomes = [Outcome::Done, Outcome::NotFound, Outcome::TooLarge, Outcome::Expired(7)];
        let conflicts = [Outcome::Conflict(None), Outcome::Conflict(Some(registration.clone()))];
        for outcome in outcomes.into_iter().chain(conflicts) {
            prop_assert_eq!(decode_outcome(encode_outcome(&outcome)).unwrap(), outcome);
        }
    }
}

fn decode_one(command: Option<message::command::Command>) -> Result<(i64, Vec<Command>), DecodeError> {
    let batch = message::Batch { commands: vec![message::Command { command }], stamped_ms: 0 };
    take(&batch.encode_to_vec())
}

fn renewal(app: &'static str, id: impl Into<Bytes>, overridden: i32) -> Option<message::command::Command> {
    let (app, id) = (app.into(), id.into());
    let renew = message::Renew { app, id, last_dirty_ms: None, overridden, origin: 0 };
    Some(message::command::Command::Renew(renew))
}

#[test]
fn what_cannot_be_is_refused() {
    assert!(decode_one(renewal("APP", "a", 0)).is_ok());
    assert!(matches!(decode_one(None), Err(DecodeError::Missing(_))));
    assert!(matches!(decode_one(renewal("", "a", 0)), Err(DecodeError::Name(_))));
    assert!(matches!(decode_one(renewal("APP", "a\0b", 0)), Err(DecodeError::Name(_))));
    assert!(matches!(decode_one(renewal("APP", &[b'a', 0xff][..], 0)), Err(DecodeError::NotText(_))));
    assert!(matches!(decode_one(renewal("APP", "a", 6)), Err(DecodeError::UnknownConstant { value: 6, .. })));

    let key: Key = key_of("APP", "a");
    let set =
        message::SetStatus { app: "APP".into(), id: "a".into(), status: 0, last_dirty_ms: None, origin: 0 };
    let none = decode_one(Some(message::command::Command::SetStatus(set)));
    assert!(matches!(none, Err(DecodeError::Missing("a status"))));
    let register = message::Register { app: key.app.to_string(), id: "a".into(), ..Default::default() };
    let empty = decode_one(Some(message::command::Command::Register(register)));
    assert!(matches!(empty, Err(DecodeError::Missing("an instance"))));
    assert!(decode_outcome(message::Outcome::default()).is_err());
}

/// A node that does not read what comes after the raise must not take the raise itself.
#[test]
fn a_batch_that_raises_the_format_is_of_that_format() {
    let two = Format::from_stored(2);
    let mut batch = encode(&[Command::Cancel { key: key_of("APP", "a"), origin: Origin::Client }]);
    batch.join(&EncodedCommands::one(&Command::RaiseFormat { to: two }));
    let (bytes, count) = (Bytes::copy_from_slice(&batch.bytes), batch.count());
    assert_eq!(batch.stamped(START_MS, Format::FIRST).format(), two);
    assert_eq!(encode(&[]).stamped(START_MS, two).format(), two);
    let forwarded = |formats| EncodedCommands::forwarded(&bytes, count, two, formats);
    assert!(matches!(forwarded(Formats::THIS), Err(DecodeError::Format(_))));
    assert_eq!(forwarded(Formats::THIS.and_the_next()).unwrap().stamped(0, Format::FIRST).format(), two);
}
