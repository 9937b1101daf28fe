//! Sources that are broken, or mean harm.

use serde_json::json;

use super::fake::{Fake, answer, instance, lists, registry};
use crate::harness::{Cluster, applications, done, failed};

#[test]
fn a_source_that_is_none_ends_in_a_line_that_says_so() {
    let source = Fake::start(|_| None);
    let whole = registry(&[instance("APP", "i", 90)]);
    let no_registry = "is no registry of a Eureka server";
    let cases: Vec<(Option<Vec<u8>>, &str)> = vec![
        (None, "broke off"),
        (answer(200, "", "\0\x01garbage"), no_registry),
        (answer(200, "", "<html>Gateway</html>"), no_registry),
        (answer(200, "", "{}"), "it has no applications"),
        (answer(200, "", r#"{"applications":{"application":7}}"#), no_registry),
        (answer(200, "", r#"{"applications":{"apps__hashcode":"UP_9_","application":[]}}"#), "lists none"),
        (answer(200, "", &whole[..whole.len() - 5]), no_registry),
        (answer(200, "content-length: 99999\r\n", &whole), "broke off"),
        (answer(200, "", "[".repeat(1_000_000)), "nested more than"),
        (answer(200, "content-encoding: gzip\r\n", &whole), "calls gzip what is not"),
        (answer(401, "", ""), "asks who you are"),
        (answer(403, "", ""), "refuses to be read"),
        (answer(404, "", ""), "give the service URL"),
        (answer(302, "location: /login\r\n", ""), "answers 302"),
        (answer(500, "", &whole), "answers 500"),
    ];
    for (bytes, expected) in cases {
        source.answer(move |_| bytes.clone());
        let told = failed(&["import", "--from", &source.url(), "--to", "http://127.0.0.1:1"]);
        assert!(told.contains(expected), "{told} instead of {expected}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn an_answer_without_end_is_given_up() {
    let source = Fake::start(|_| {
        let mut body = br#"{"applications":{"x":""#.to_vec();
        body.resize(300 * 1024 * 1024, b'x');
        answer(200, "", body)
    });
    let told = failed(&["import", "--from", &source.url(), "--to", "http://127.0.0.1:1"]);
    assert!(told.contains("answers with more than 268435456 bytes"), "{told}");
}

#[test]
fn what_is_not_fit_to_be_registered_is_skipped_and_named() {
    let here = Cluster::start(1);
    let mut instances = vec![instance("APP", "good", 90)];
    for (id, member, value) in [
        ("ports", "port", json!([1])),
        ("app", "app", json!(null)),
        ("host", "hostName", json!("")),
        ("address", "ipAddr", json!(null)),
        ("center", "dataCenterInfo", json!({"name": "Moon"})),
        ("dirty", "lastDirtyTimestamp", json!(i64::MAX)),
        ("long", "metadata", json!({"k": "x".repeat(70_000)})),
        ("nul", "instanceId", json!("a\u{0}b")),
        ("", "instanceId", json!("x".repeat(2_000))),
    ] {
        let mut broken = instance("APP", id, 90);
        broken[member] = value;
        instances.push(broken);
    }
    let source = Fake::listing(instances.clone());
    let to = format!("http://{}", here.addrs()[0]);
    let import = ["import", "--from", &source.url(), "--to", &to];
    let told = done(&import);
    assert!(told.contains("1 instances of 1 applications\n9 skipped:\n"), "{told}");
    for line in [
        "  APP(address): Missing ip address",
        "  APP(center): ",
        "  APP(dirty): lastDirtyTimestamp 9223372036854775807 is not in the years 1 to 9999",
        "  APP(host): Missing hostname",
        "  APP(long): its document takes 7",
        "  APP(ports): member \"port\" is not a text",
        "  APP(a?b): instance id contains a NUL character",
    ] {
        assert!(told.contains(&format!("\n{line}")), "{line:?} is not in {told}");
    }
    assert_eq!(applications(here.addrs()[0])["APP"].len(), 1);

    for number in 0..50 {
        let mut broken = instance("APP", &format!("i-{number}"), 90);
        broken["ipAddr"] = json!("");
        instances.push(broken);
    }
    source.answer(lists(instances));
    let told = done(&import);
    assert!(told.contains("59 skipped:\n") && told.contains("\n  and 49 more\n"), "{told}");
}

#[test]
fn a_node_that_is_none_ends_in_a_line_that_says_so() {
    let source = Fake::listing(vec![instance("APP", "i", 90)]);
    let list = vec![r#"{"statusCode":200}"#; 300].join(",");
    let cases: Vec<(Option<Vec<u8>>, &str)> = vec![
        (answer(200, "", "{}"), "is none to a batch"),
        (answer(200, "", format!(r#"{{"responseList":[{list}]}}"#)), "answers 300 of 1 items"),
        (answer(401, "", ""), "asks who you are"),
        (answer(403, "", ""), "need the role write"),
        (answer(404, "", ""), "is it a node of rs-registry?"),
        (answer(400, "", ""), "older than this program?"),
    ];
    for (bytes, expected) in cases {
        let here = Fake::start(move |asked| match asked.line.starts_with("GET ") {
            true => answer(200, "", registry(&[])),
            false => bytes.clone(),
        });
        let told = failed(&["import", "--from", &source.url(), "--to", &here.url()]);
        assert!(told.contains("0 of 1 instances are done; run it again"), "{told}");
        assert!(told.contains(expected), "{told} instead of {expected}");
    }
    let here = Fake::start(|asked| match asked.line.starts_with("GET ") {
        true => answer(200, "", registry(&[])),
        false => answer(200, "", r#"{"responseList":[{"statusCode":500}]}"#),
    });
    let told = failed(&["import", "--from", &source.url(), "--to", &here.url()]);
    assert!(told.contains("1 instances could not be written; run it again"), "{told}");
}
