//! Rules of the delta page.

use serde_json::Value;

use super::*;
use crate::view::Bulk;

fn delta(view: &View) -> Value {
    serde_json::from_str(&text(view.bulk(Bulk::Delta, Format::Json, false))).unwrap()
}

fn entries(view: &View) -> Vec<String> {
    let mut found = Vec::new();
    for app in delta(view)["applications"]["application"].as_array().unwrap() {
        for instance in app["instance"].as_array().unwrap() {
            found.push(format!(
                "{} {}",
                app["name"].as_str().unwrap(),
                instance["hostName"].as_str().unwrap()
            ));
        }
    }
    found
}

fn version(view: &View) -> String {
    delta(view)["applications"]["versions__delta"].as_str().unwrap().to_string()
}

#[test]
fn entries_are_in_order_of_change_and_grouped_by_application() {
    let order = [("LEDGER", "z"), ("BILLING", "y"), ("LEDGER", "a"), ("CART", "x")];
    let added: Vec<Change> =
        (10..).zip(order).map(|(seq, (app, id))| delta_added(seq, &Sample::new(app, id))).collect();
    let view = View::default().update(&added, 7, |_, _| {});
    let expected =
        ["LEDGER z.example.org", "LEDGER a.example.org", "BILLING y.example.org", "CART x.example.org"];
    assert_eq!(entries(&view), expected);
    assert_eq!(view.delta_count(), 4);

    let shorter = view.update(&[delta_dropped(10, &Sample::new("LEDGER", "z"))], 8, |_, _| {});
    let expected = ["BILLING y.example.org", "LEDGER a.example.org", "CART x.example.org"];
    assert_eq!(entries(&shorter), expected, "an application's place is that of its first entry");
}

#[test]
fn a_newer_entry_takes_the_place_of_the_older() {
    let sample = Sample::new("BILLING", "a");
    let view = View::default().update(&[delta_added(1, &sample)], 7, |_, _| {});
    let replaced = [delta_dropped(1, &sample), delta_added(2, &sample.clone().status(Status::Down))];
    let next = view.update(&replaced, 8, |_, _| {});
    assert_eq!(entries(&next), ["BILLING a.example.org"]);
    assert!(text(next.bulk(Bulk::Delta, Format::Json, false)).contains("\"status\":\"DOWN\""));
}

#[test]
fn the_hash_is_that_of_the_whole_registry() {
    let (stays, goes) = (Sample::new("BILLING", "a"), Sample::new("LEDGER", "b"));
    let view = view_of(&[stays, goes.clone()]);
    let gone =
        [Change::Removed { key: goes.key(), cause: Cause::Cancelled(Origin::Client) }, delta_added(1, &goes)];
    let next = view.update(&gone, 8, |_, _| {});
    assert_eq!(entries(&next), ["LEDGER b.example.org"]);
    assert_eq!(delta(&next)["applications"]["apps__hashcode"], "UP_1_");
}

#[test]
fn the_version_moves_with_the_content_and_is_never_that_of_a_full_fetch() {
    let sample = Sample::new("BILLING", "a");
    let view = View::default().update(&[delta_added(1, &sample)], 1, |_, _| {});
    assert_eq!(version(&view), "2");
    let next = view.update(&[delta_dropped(1, &sample)], 40, |_, _| {});
    assert_eq!(version(&next), "41");
    assert_eq!(entries(&next), [""; 0]);
    let full = text(next.bulk(Bulk::Full, Format::Json, false));
    assert!(full.contains("\"versions__delta\":\"1\""));
}

#[test]
fn dropping_what_is_not_there_is_nothing() {
    let sample = Sample::new("BILLING", "a");
    let view = View::default().update(&[delta_added(1, &sample)], 1, |_, _| {});
    for unknown in [delta_dropped(9, &sample), delta_dropped(1, &Sample::new("LEDGER", "a"))] {
        let next = view.update(&[unknown], 2, |_, _| {});
        assert_eq!(entries(&next), entries(&view));
        assert_eq!(next.delta_count(), 1);
    }
}
