use serde_json::{Value, json};

use super::*;
use crate::eureka::{RequestFormat, decode_document};
use crate::registry::{Key, Origin, Registry};

/// As clients register them.
fn view() -> View {
    let mut registry = Registry::default();
    for (app, id, zone, status) in [
        ("ORDERS", "o-1", "eu-1", "UP"),
        ("ORDERS", "o-2", "eu-2", "DOWN"),
        ("BILLING", "b-1", "eu-1", "UP"),
        ("BILLING", "b-2", "", "UP"),
    ] {
        let document = json!({"instance": {
            "instanceId": id, "hostName": format!("{id}.Example.org"), "app": app, "ipAddr": "10.0.0.1",
            "status": status, "metadata": {"zone": zone},
            "dataCenterInfo": {
                "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn",
            },
        }});
        let read = decode_document(RequestFormat::Json, document.to_string().as_bytes());
        let accepted = read.unwrap().into_registration(app).unwrap();
        let key = Key::new(AppName::parse(app).unwrap(), InstanceId::parse(id).unwrap());
        registry.register(key, accepted.instance.into(), None, Origin::Client, &mut Vec::new());
    }
    View::of(&registry, 7)
}

fn listed(query: &str) -> Value {
    let parameters = form_urlencoded::parse(query.as_bytes()).into_owned();
    let query = Query::parse(parameters).unwrap();
    serde_json::to_value(listing(&view(), &query, 99)).unwrap()
}

fn ids(query: &str) -> Vec<String> {
    let listed = listed(query);
    let rows = listed["instances"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn instances_are_searched_filtered_sorted_and_paged() {
    for (query, expected) in [
        ("", &["b-1", "b-2", "o-1", "o-2"][..]),
        ("q=ord", &["o-1", "o-2"]),
        ("q=EXAMPLE+b-2", &["b-2"]),
        ("q=nothing", &[]),
        ("app=orders", &["o-1", "o-2"]),
        ("status=DOWN", &["o-2"]),
        ("zone=eu-1", &["b-1", "o-1"]),
        ("zone=", &["b-2"]),
        ("sort=zone", &["b-2", "b-1", "o-1", "o-2"]),
        ("sort=application&order=desc", &["o-1", "o-2", "b-1", "b-2"]),
        ("sort=host&order=desc&offset=1&limit=2", &["o-1", "b-2"]),
        ("sort=status&limit=1", &["o-2"]),
        ("offset=4", &[]),
    ] {
        assert_eq!(ids(query), expected, "{query}");
    }
}

#[test]
fn a_list_tells_what_there_is_beside_it() {
    let listed = listed("q=o-&limit=1");
    assert_eq!(
        (&listed["total"], &listed["matched"], &listed["view_index"]),
        (&json!(4), &json!(2), &json!(7))
    );
    assert_eq!(listed["zones"], json!([["eu-1", 2], ["eu-2", 1]]));
    assert_eq!(listed["applications"], json!({"ORDERS": {"instances": 2, "up": 1}}));
    assert_eq!((&listed["statuses"]["UP"], &listed["statuses"]["DOWN"]), (&json!(3), &json!(1)));
}

#[test]
fn parameters_that_mean_nothing_are_refused() {
    for query in
        ["limit=0", "limit=201", "limit=x", "offset=-1", "sort=colour", "order=up", "status=up", "page=2"]
    {
        let parameters = form_urlencoded::parse(query.as_bytes()).into_owned();
        assert!(Query::parse(parameters).is_err(), "{query}");
    }
    let long = [("q".to_owned(), "x".repeat(MAX_TEXT_BYTES + 1))];
    assert!(Query::parse(long).is_err());
}

#[test]
fn zones_are_counted_up_to_a_bound() {
    let mut zones = BTreeMap::new();
    for zone in 0..MAX_ZONES * 2 {
        count(&mut zones, &zone.to_string());
    }
    count(&mut zones, "0");
    assert_eq!((zones.len(), zones["0"]), (MAX_ZONES, 2));
}
