//! What did not change is neither encoded nor copied again.

use std::ptr;

use super::*;
use crate::view::{AppView, Bulk};

fn thousand_apps() -> View {
    let changes: Vec<Change> = (0..1_000)
        .map(|n| put(&key(&format!("APP{n:03}"), "a"), Sample::new("ANY", "a").registration()))
        .collect();
    View::default().update(&changes, 7, |_, _| {})
}

/// Places of the chunks that are not the very bytes of the other page.
fn not_shared(one: &Page, other: &Page) -> Vec<usize> {
    let same = |place: usize| {
        let (one, other) = (&one.chunks()[place], &other.chunks()[place]);
        one.as_ptr() == other.as_ptr() && one.len() == other.len()
    };
    assert_eq!(one.chunks().len(), other.chunks().len());
    (0..one.chunks().len()).filter(|place| !same(*place)).collect()
}

#[test]
fn a_change_encodes_one_application_of_a_thousand() {
    let before = thousand_apps();
    let down = Sample::new("ANY", "a").status(Status::Down).registration();
    let after = before.update(&[put(&key("APP500", "a"), down)], 8, |_, _| {});
    for format in FORMATS {
        let former = before.bulk(Bulk::Full, format, false);
        let next = after.bulk(Bulk::Full, format, false);
        assert_eq!(not_shared(&former, &next), [0, 501, 1_001], "header, application, trailer");
    }
    // What is kept of an application, compressed too, is kept with it.
    let is_same = |app: &&AppView| after.application(app.name().as_str()).is_some_and(|it| ptr::eq(it, *app));
    let changed: Vec<&AppView> = before.applications().filter(|app| !is_same(app)).collect();
    assert_eq!(changed.iter().map(|app| app.name().as_str()).collect::<Vec<_>>(), ["APP500"]);
}

#[test]
fn a_change_encodes_one_application_of_the_delta() {
    let samples = ["BILLING", "LEDGER", "CART"].map(|app| Sample::new(app, "a"));
    let added: Vec<Change> = (0..).zip(&samples).map(|(seq, sample)| delta_added(seq, sample)).collect();
    let before = View::default().update(&added, 7, |_, _| {});
    let after = before.update(&[delta_added(3, &Sample::new("LEDGER", "b"))], 8, |_, _| {});
    let former = before.bulk(Bulk::Delta, Format::Json, false);
    assert_eq!(not_shared(&former, &after.bulk(Bulk::Delta, Format::Json, false)), [0, 2, 4]);
}

/// The first application's chunk has no separator before it; when another comes to stand before it,
/// it is the same memory all the same.
#[test]
fn an_application_that_is_first_no_more_is_not_encoded_again() {
    let before = view_of(&[Sample::new("BILLING", "a"), Sample::new("LEDGER", "a")]);
    let former = before.bulk(Bulk::Full, Format::Json, false);
    let after = before.update(&[Sample::new("ACCOUNTS", "a").put()], 8, |_, _| {});
    let next = after.bulk(Bulk::Full, Format::Json, false);
    assert_eq!(next.chunks()[2][..1], *b",");
    assert_eq!(next.chunks()[2][1..].as_ptr(), former.chunks()[1].as_ptr());
}

#[test]
fn readers_share_a_page() {
    let view = thousand_apps();
    assert!(view.bulk_if_made(Bulk::Full, Format::Json, true).is_none());
    let pages: Vec<Page> = std::thread::scope(|scope| {
        let readers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| view.bulk(Bulk::Full, Format::Json, true))).collect();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    for page in &pages {
        assert_eq!(page.chunks().as_ptr(), pages[0].chunks().as_ptr());
    }
    let made = view.bulk_if_made(Bulk::Full, Format::Json, true).unwrap();
    assert_eq!(made.chunks().as_ptr(), pages[0].chunks().as_ptr());
    assert!(view.bulk_if_made(Bulk::Full, Format::Json, false).is_none());
    assert!(view.bulk_if_made(Bulk::Delta, Format::Json, true).is_none());
}

#[test]
fn documents_are_encoded_once_per_change() {
    let sample = Sample::new("BILLING", "a").vip("billing").secure_vip("secure");
    let before = view_of(&[sample.clone(), Sample::new("LEDGER", "a")]);
    let pages = |view: &View| {
        let app = view.app("BILLING", Format::Xml).unwrap();
        [app, view.vip("billing", Format::Xml), view.svip("secure", Format::Xml)]
    };
    let first = pages(&before);
    let elsewhere = before.update(&[Sample::new("LEDGER", "b").put()], 8, |_, _| {});
    let second = pages(&elsewhere);
    let here = elsewhere.update(&[sample.status(Status::Down).put()], 9, |_, _| {});
    for ((first, second), third) in first.iter().zip(second).zip(pages(&here)) {
        assert_eq!(not_shared(first, &second), [0; 0]);
        assert_ne!(text(third), text(second));
    }
}

#[test]
fn the_former_view_stays_as_it_was() {
    let before = view_of(&[Sample::new("BILLING", "a").vip("v"), Sample::new("BILLING", "b").vip("v")]);
    let after = before.update(
        &[Change::Removed { key: key("BILLING", "a"), cause: Cause::Cancelled(Origin::Client) }],
        8,
        |_, _| {},
    );
    assert_eq!((before.instance_count(), after.instance_count()), (2, 1));
    assert_eq!((before.index(), after.index()), (7, 8));
    assert_eq!(before.statuses().hashcode(), "UP_2_");
    assert!(text(before.vip("v", Format::Json)).contains("a.example.org"));
    assert!(text(before.bulk(Bulk::Full, Format::Json, false)).contains("a.example.org"));
    assert!(!text(after.bulk(Bulk::Full, Format::Json, false)).contains("a.example.org"));
}

#[test]
fn renewals_alone_are_not_visible() {
    let renewed = renewed(&Sample::new("BILLING", "a"), 5);
    assert!(!View::is_visible(&[]));
    assert!(!View::is_visible(std::slice::from_ref(&renewed)));
    assert!(View::is_visible(&[renewed, delta_dropped(1, &Sample::new("BILLING", "a"))]));
}

#[test]
fn views_go_between_threads() {
    fn assert_shareable<T: Send + Sync>() {}
    assert_shareable::<View>();
    assert_shareable::<Page>();
}

#[test]
fn readers_share_an_applications_document_until_it_changes() {
    let before = view_of(&[Sample::new("BILLING", "a"), Sample::new("LEDGER", "a")]);
    assert!(before.app_if_made("BILLING", Format::Json).is_none());
    let first = before.app("BILLING", Format::Json).unwrap();
    let made = before.app_if_made("BILLING", Format::Json).unwrap();
    assert_eq!(not_shared(&first, &made), Vec::<usize>::new());
    assert!(before.app_if_made("BILLING", Format::Xml).is_none());

    let after = before.update(&[Sample::new("LEDGER", "b").put()], 8, |_, _| {});
    assert!(after.app_if_made("BILLING", Format::Json).is_some());
    let after = after.update(&[Sample::new("BILLING", "b").put()], 9, |_, _| {});
    assert!(after.app_if_made("BILLING", Format::Json).is_none());
}
