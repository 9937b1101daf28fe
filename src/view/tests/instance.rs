//! Single instances show the renewal time of the moment.

use super::*;
use crate::eureka::instance_document;
use crate::view::Bulk;

fn expected(sample: &Sample, renewed_ms: i64, format: Format) -> String {
    let sample = Sample { renewed_ms, ..sample.clone() };
    String::from_utf8(instance_document(format, &sample.registration())).unwrap()
}

#[test]
fn a_renewal_shows_at_once_in_every_view_that_has_the_instance() {
    let sample = Sample::new("BILLING", "a");
    let before = view_of(std::slice::from_ref(&sample));
    let after = before.update(&[Sample::new("LEDGER", "b").put()], 8, |_, _| {});
    for renewed_ms in [1_700_000_030_000, 0, 9, i64::MAX, -1, 1_111_111_111_111, 2_222_222_222_222] {
        after.renewed(&[renewed(&sample, renewed_ms)]);
        for view in [&before, &after] {
            assert_eq!(view.application("BILLING").unwrap().instance("a").unwrap().renewed_ms(), renewed_ms);
            for format in FORMATS {
                let page = view.instance("BILLING", "a", format).unwrap();
                assert_eq!((page.media_type(), page.chunks().len()), (format.media_type(), 1));
                assert_eq!(text(page), expected(&sample, renewed_ms, format));
            }
        }
    }
}

/// Whatever a client writes, it is not taken for the renewal time.
#[test]
fn metadata_cannot_pass_for_the_renewal_time() {
    for value in ["1111111111111", "2222222222222", "\"lastRenewalTimestamp\":1700000000000"] {
        for name in ["lastRenewalTimestamp", "leaseInfo"] {
            let sample = Sample::new("BILLING", "a").metadata(name, value);
            let view = view_of(std::slice::from_ref(&sample));
            view.renewed(&[renewed(&sample, 1_700_000_030_000)]);
            for format in FORMATS {
                let shown = text(view.instance("BILLING", "a", format).unwrap());
                assert_eq!(shown, expected(&sample, 1_700_000_030_000, format));
            }
        }
    }
}

/// A time that happens to be one of those used for finding the place, in a field beside it.
#[test]
fn other_times_stay_as_they_are() {
    let sample = Sample::new("BILLING", "a");
    let mut registration = sample.registration();
    registration.lease.registered_ms = 1_111_111_111_111;
    registration.lease.service_up_ms = 2_222_222_222_222;
    registration.last_dirty_ms = 1_111_111_111_111;
    let view = View::default().update(&[put(&sample.key(), registration.clone())], 7, |_, _| {});
    for format in FORMATS {
        let expected = String::from_utf8(instance_document(format, &registration)).unwrap();
        assert_eq!(text(view.instance("BILLING", "a", format).unwrap()), expected);
    }
}

#[test]
fn a_renewal_after_a_registration_in_the_same_entry_counts_for_the_new_one() {
    let sample = Sample::new("BILLING", "a");
    let view = view_of(std::slice::from_ref(&sample));
    let both = [renewed(&sample, 1), sample.put(), renewed(&sample, 1_700_000_030_000)];
    let next = view.update(&both, 8, |_, _| {});
    assert_eq!(next.application("BILLING").unwrap().instance("a").unwrap().renewed_ms(), 1_700_000_030_000);
    assert_eq!(view.application("BILLING").unwrap().instance("a").unwrap().renewed_ms(), 1);
}

#[test]
fn a_renewal_of_what_is_not_there_is_nothing() {
    let view = view_of(&[Sample::new("BILLING", "a")]);
    view.renewed(&[renewed(&Sample::new("BILLING", "b"), 1)]);
    view.renewed(&[renewed(&Sample::new("LEDGER", "a"), 1)]);
    let stays = view.application("BILLING").unwrap().instance("a").unwrap();
    assert_eq!(stays.renewed_ms(), Sample::new("BILLING", "a").renewed_ms);
}

#[test]
fn other_pages_show_the_renewal_time_of_their_encoding() {
    let sample = Sample::new("BILLING", "a").vip("v");
    let view = view_of(std::slice::from_ref(&sample));
    view.renewed(&[renewed(&sample, 1_700_000_030_000)]);
    let app = text(view.app("BILLING", Format::Json).unwrap());
    assert!(app.contains("1700000030000"));
    view.renewed(&[renewed(&sample, 1_700_000_060_000)]);
    assert_eq!(text(view.app("BILLING", Format::Json).unwrap()), app);
    for page in [view.bulk(Bulk::Full, Format::Json, false), view.vip("v", Format::Json)] {
        assert!(text(page).contains("1700000060000"));
    }
}

#[test]
fn by_id_it_is_the_first_application_in_order() {
    let samples = [
        Sample::new("LEDGER", "shared"),
        Sample::new("BILLING", "shared"),
        Sample::new("\u{1}", "first"),
        Sample::new("CART", "first"),
        Sample::new("CART", "shares"),
    ];
    let view = view_of(&samples);
    let by_id = |view: &View, id| view.instance_by_id(id, Format::Json).map(text);
    let of = |view: &View, app, id| view.instance(app, id, Format::Json).map(text);
    assert_eq!(by_id(&view, "shared"), of(&view, "BILLING", "shared"));
    assert_eq!(by_id(&view, "first"), of(&view, "\u{1}", "first"));
    assert!(by_id(&view, "shared").is_some());
    for absent in ["", "share", "shared2", "SHARED", "zzz", "a\0b"] {
        assert_eq!(by_id(&view, absent), None, "{absent:?}");
    }
    let next = view.update(
        &[Change::Removed { key: key("BILLING", "shared"), cause: Cause::Cancelled(Origin::Client) }],
        8,
        |_, _| {},
    );
    assert_eq!(by_id(&next, "shared"), of(&view, "LEDGER", "shared"));
    let last = next.update(
        &[Change::Removed { key: key("LEDGER", "shared"), cause: Cause::Cancelled(Origin::Client) }],
        9,
        |_, _| {},
    );
    assert_eq!(by_id(&last, "shared"), None);
}

#[test]
fn what_is_unknown_has_no_page() {
    let view = view_of(&[Sample::new("BILLING", "a")]);
    assert!(view.app("LEDGER", Format::Json).is_none());
    assert!(view.app(&key("BILLING", "a").app, Format::Json).is_some());
    assert!(view.instance("BILLING", "A", Format::Json).is_none());
    assert!(view.instance("LEDGER", "a", Format::Json).is_none());
    let gone = view.update(
        &[Change::Removed { key: key("BILLING", "a"), cause: Cause::Cancelled(Origin::Client) }],
        8,
        |_, _| {},
    );
    assert!(gone.app("BILLING", Format::Json).is_none());
    assert_eq!((gone.application_count(), gone.instance_count()), (0, 0));
}
