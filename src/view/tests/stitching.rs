//! A gzip page is one member that holds the plain page.

use super::*;
use crate::view::Bulk;

fn assert_gzip_is_plain(view: &View) {
    for format in FORMATS {
        for bulk in [Bulk::Full, Bulk::Delta] {
            let plain = view.bulk(bulk, format, false);
            let packed = view.bulk(bulk, format, true);
            assert_eq!(plain.len(), plain.chunks().iter().map(|chunk| chunk.len()).sum::<usize>());
            assert_eq!(packed.len(), packed.clone().into_bytes().len());
            assert_eq!(packed.media_type(), format.media_type());
            assert_eq!(gunzip(packed), text(plain), "{bulk:?} {format:?}");
        }
    }
}

fn with_delta(samples: &[Sample]) -> View {
    let changes: Vec<Change> = samples
        .iter()
        .enumerate()
        .flat_map(|(seq, sample)| [sample.put(), delta_added(seq as u64, sample)])
        .collect();
    View::default().update(&changes, 7, |_, _| {})
}

#[test]
fn of_nothing() {
    assert_gzip_is_plain(&View::default());
}

#[test]
fn of_one_application() {
    assert_gzip_is_plain(&with_delta(&[Sample::new("BILLING", "a"), Sample::new("BILLING", "b")]));
}

#[test]
fn of_many_applications() {
    let apps = ["BILLING", "LEDGER", "CART", "A", "Z", "\u{dc}BER"];
    assert_gzip_is_plain(&with_delta(&apps.map(|app| Sample::new(app, "a").metadata("k", "\u{20ac}<&"))));
}

/// More than the compressor is first given room for, so that it has to ask for more.
#[test]
fn of_what_does_not_compress() {
    let mut state = 1_u64;
    let noise: String = (0..300_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from_u32(0x4e00 + (state >> 50) as u32).unwrap()
        })
        .collect();
    let noisy = Sample::new("NOISE", "a").metadata("noise", &noise);
    assert_gzip_is_plain(&with_delta(&[noisy, Sample::new("QUIET", "a")]));
}

#[test]
fn of_plain_text_that_was_read_before_or_not() {
    let samples = ["BILLING", "LEDGER", "CART"].map(|app| Sample::new(app, "a"));
    let (gzip_first, plain_first) = (with_delta(&samples), with_delta(&samples));
    for format in FORMATS {
        let packed = gzip_first.bulk(Bulk::Full, format, true).into_bytes();
        plain_first.bulk(Bulk::Full, format, false);
        assert_eq!(plain_first.bulk(Bulk::Full, format, true).into_bytes(), packed);
    }
}

#[test]
fn a_repetitive_registry_shrinks() {
    let ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let view = view_of(&ids.map(|id| Sample::new("BILLING", id)));
    let plain = view.bulk(Bulk::Full, Format::Json, false).len();
    assert!(view.bulk(Bulk::Full, Format::Json, true).len() < plain / 2);
}

#[test]
fn the_same_registry_gives_the_same_bytes() {
    let samples = ["BILLING", "LEDGER", "CART"].map(|app| Sample::new(app, "a"));
    let (one, other) = (view_of(&samples), view_of(&samples));
    assert_eq!(
        one.bulk(Bulk::Full, Format::Json, true).into_bytes(),
        other.bulk(Bulk::Full, Format::Json, true).into_bytes()
    );
}
