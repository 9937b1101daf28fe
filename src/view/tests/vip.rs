//! Pages of VIPs.

use super::*;

fn names_of(page: Page) -> Vec<String> {
    let json: serde_json::Value = serde_json::from_str(&text(page)).unwrap();
    assert_eq!(json["applications"]["versions__delta"], "-1");
    let apps = json["applications"]["application"].as_array().unwrap().clone();
    let of = |app: &serde_json::Value| {
        let name = app["name"].as_str().unwrap().to_string();
        let instances = app["instance"].as_array().unwrap().clone();
        instances
            .into_iter()
            .map(move |instance| format!("{name} {}", instance["hostName"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    apps.iter().flat_map(of).collect()
}

fn hash_of(page: Page) -> String {
    let json: serde_json::Value = serde_json::from_str(&text(page)).unwrap();
    json["applications"]["apps__hashcode"].as_str().unwrap().to_string()
}

fn vip(view: &View, name: &str) -> Vec<String> {
    names_of(view.vip(name, Format::Json))
}

#[test]
fn a_page_has_the_instances_that_name_it() {
    let view = view_of(&[
        Sample::new("LEDGER", "c").vip("shared,ledger").status(Status::Down),
        Sample::new("BILLING", "b").vip("shared").secure_vip("safe"),
        Sample::new("BILLING", "a").vip("shared"),
        Sample::new("CART", "d").vip("cart"),
    ]);
    let shared = ["BILLING a.example.org", "BILLING b.example.org", "LEDGER c.example.org"];
    assert_eq!(vip(&view, "shared"), shared);
    assert_eq!(hash_of(view.vip("shared", Format::Json)), "DOWN_1_UP_2_");
    assert_eq!(vip(&view, "ledger"), ["LEDGER c.example.org"]);
    assert_eq!(names_of(view.svip("safe", Format::Json)), ["BILLING b.example.org"]);
    assert_eq!(names_of(view.svip("shared", Format::Json)), [""; 0]);
    assert_eq!(vip(&view, "safe"), [""; 0]);
}

#[test]
fn an_unknown_name_is_an_empty_envelope() {
    let page = View::default().vip("nosuch", Format::Json);
    assert_eq!(page.media_type(), "application/json");
    assert_eq!(hash_of(page.clone()), "");
    assert_eq!(names_of(page), [""; 0]);
}

#[test]
fn names_are_neither_trimmed_nor_folded() {
    let view = view_of(&[Sample::new("BILLING", "a").vip("One, two,,")]);
    for name in ["One", " two", ""] {
        assert_eq!(vip(&view, name), ["BILLING a.example.org"], "{name:?}");
    }
    for name in ["one", "two", "One, two,,"] {
        assert_eq!(vip(&view, name), [""; 0], "{name:?}");
    }
}

#[test]
fn no_address_is_no_name_but_an_empty_one_is() {
    let view = view_of(&[Sample::new("BILLING", "a"), Sample::new("LEDGER", "b").vip("")]);
    assert_eq!(vip(&view, ""), ["LEDGER b.example.org"]);
}

#[test]
fn a_name_twice_counts_once() {
    let twice = Sample::new("BILLING", "a").vip("v,v");
    let view = view_of(std::slice::from_ref(&twice));
    assert_eq!(hash_of(view.vip("v", Format::Json)), "UP_1_");
    let down = view.update(&[twice.status(Status::Down).put()], 8, |_, _| {});
    assert_eq!(hash_of(down.vip("v", Format::Json)), "DOWN_1_");
    let gone = down.update(
        &[Change::Removed { key: key("BILLING", "a"), cause: Cause::Cancelled(Origin::Client) }],
        9,
        |_, _| {},
    );
    assert_eq!(hash_of(gone.vip("v", Format::Json)), "");
}

#[test]
fn an_instance_that_moves_leaves_its_former_name() {
    let view =
        view_of(&[Sample::new("BILLING", "a").vip("one,both"), Sample::new("BILLING", "b").vip("one")]);
    let moved = Sample::new("BILLING", "a").vip("both,two").status(Status::Starting);
    let next = view.update(&[moved.put()], 8, |_, _| {});
    assert_eq!(vip(&next, "one"), ["BILLING b.example.org"]);
    assert_eq!(vip(&next, "both"), ["BILLING a.example.org"]);
    assert_eq!(vip(&next, "two"), ["BILLING a.example.org"]);
    assert_eq!(hash_of(next.vip("both", Format::Json)), "STARTING_1_");
}

/// As an operator's override leaves it: the document is what it was.
#[test]
fn a_page_shows_the_status_of_now_though_the_document_is_the_same() {
    let sample = Sample::new("BILLING", "a").vip("v").secure_vip("s");
    let view = view_of(std::slice::from_ref(&sample));
    assert_eq!(hash_of(view.vip("v", Format::Json)), "UP_1_");
    assert_eq!(hash_of(view.svip("s", Format::Json)), "UP_1_");
    let overridden = Registration { status: Status::Down, ..sample.registration() };
    let down = view.update(&[put(&sample.key(), overridden)], 8, |_, _| {});
    assert_eq!(hash_of(down.vip("v", Format::Json)), "DOWN_1_");
    assert_eq!(hash_of(down.svip("s", Format::Json)), "DOWN_1_");
    assert_eq!(down.statuses().hashcode(), "DOWN_1_");
    let gone = down.update(
        &[Change::Removed { key: sample.key(), cause: Cause::Cancelled(Origin::Client) }],
        9,
        |_, _| {},
    );
    assert_eq!(hash_of(gone.vip("v", Format::Json)), "");
    assert_eq!(gone.statuses().hashcode(), "");
}
