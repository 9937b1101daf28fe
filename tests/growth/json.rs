//! Registrations and batches in JSON.

use rs_registry::eureka::{RequestFormat, decode_batch, decode_document};

use super::{MOST_BODY_BYTES, Shape, filled};

/// Opens an instance that has all it needs; a member may follow.
const OPEN: &str = r#"{"instance":{"app":"a","hostName":"h","ipAddr":"i","dataCenterInfo":{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"}"#;
const CLOSE: &str = "}}";

pub fn shapes() -> Vec<Shape> {
    [documents(), broken(), batches()].into_iter().flatten().collect()
}

fn document(name: &'static str, input: fn(usize) -> Vec<u8>) -> Shape {
    let read = |input: &[u8]| {
        let Ok(document) = decode_document(RequestFormat::Json, input) else { return false };
        document.into_registration("a").is_ok()
    };
    Shape { name, most: MOST_BODY_BYTES, input, read, taken: true }
}

fn documents() -> Vec<Shape> {
    vec![
        document("JSON: unknown members", |n| filled(n, OPEN, |i| format!(",\"k{i}\":1"), CLOSE)),
        document("JSON: unknown empty objects", |n| filled(n, OPEN, |_| ",\"k\":{}".to_owned(), CLOSE)),
        document("JSON: a text repeated", |n| filled(n, OPEN, |_| ",\"vipAddress\":\"v\"".to_owned(), CLOSE)),
        document("JSON: ports repeated", |n| filled(n, OPEN, |_| ",\"port\":{\"$\":1}".to_owned(), CLOSE)),
        document("JSON: leases repeated", |n| {
            filled(n, OPEN, |_| ",\"leaseInfo\":{\"durationInSecs\":1}".to_owned(), CLOSE)
        }),
        document("JSON: data centers repeated", |n| {
            let class = "com.netflix.appinfo.AmazonInfo";
            let one =
                |i| format!(",\"dataCenterInfo\":{{\"@class\":\"{class}\",\"metadata\":{{\"k{i}\":\"\"}}}}");
            filled(n, OPEN, one, CLOSE)
        }),
        document("JSON: metadata repeated", |n| {
            filled(n, OPEN, |_| ",\"metadata\":{\"k\":\"v\"}".to_owned(), CLOSE)
        }),
        document("JSON: metadata of many names", |n| metadata(n, |i| format!(",\"{i:x}\":1"))),
        document("JSON: metadata of one name", |n| metadata(n, |i| format!(",\"k\":{}", i % 10))),
        document("JSON: metadata of one escaped name", |n| metadata(n, |_| ",\"\\u006b\":0".to_owned())),
        document("JSON: metadata of @class", |n| metadata(n, |_| ",\"@class\":\"\"".to_owned())),
        document("JSON: metadata of names of codes", |n| {
            metadata(n, |i| format!(",\"{i}{}\":1", "_ ".repeat(120)))
        }),
        document("JSON: metadata nested", |n| {
            filled(n, &format!("{OPEN},\"metadata\":{{\"k\":["), |_| "[{\"a\":[]}],".to_owned(), "[]]}}}")
        }),
        document("JSON: nested and wide", |n| {
            filled(n, OPEN, |_| format!(",\"k\":{}{}", "[".repeat(29), "]".repeat(29)), CLOSE)
        }),
        document("JSON: a long text", |n| text(n, "x")),
        document("JSON: a text of escapes", |n| text(n, "\\u0061")),
        document("JSON: a text of pairs of surrogates", |n| text(n, "\\ud83d\\ude00")),
        document("JSON: a text of backslashes", |n| text(n, "\\\\")),
        document("JSON: a text of brackets", |n| text(n, "[{")),
        document("JSON: a text of capitals that grow", |n| {
            filled(n, &format!("{OPEN},\"appGroupName\":\""), |_| "ΐ".to_owned(), "\"}}")
        }),
        document("JSON: space", |n| filled(n, OPEN, |_| " \n".to_owned(), CLOSE)),
        document("JSON: what follows", |n| filled(n, &format!("{OPEN}{CLOSE}"), |_| "{".to_owned(), "")),
        document("JSON: a long number", |n| number(n, "", "9", "")),
        document("JSON: a long fraction", |n| number(n, "0.", "0", "1")),
        document("JSON: a long exponent", |n| number(n, "1e", "9", "")),
        document("JSON: an id among the metadata", |n| {
            filled(
                n,
                &format!("{OPEN},\"metadata\":{{\"instanceId\":\"x\""),
                |i| format!(",\"{i}\":0"),
                "}}}",
            )
        }),
    ]
}

fn broken() -> Vec<Shape> {
    let shape = |name, input| Shape { taken: false, ..document(name, input) };
    vec![
        shape("JSON: brackets", |n| vec![b'['; n]),
        shape("JSON: braces", |n| filled(n, "", |_| "{\"a\":".to_owned(), "")),
        shape("JSON: braces at last", |n| filled(n, OPEN, |_| ",\"k\":{}".to_owned(), "")),
        shape("JSON: an open text", |n| filled(n, OPEN, |_| "x".to_owned(), "")),
        shape("JSON: an open escape", |n| filled(n, &format!("{OPEN},\""), |_| "\\\\".to_owned(), "\\")),
        shape("JSON: a bad escape at the end", |n| {
            filled(n, &format!("{OPEN},\""), |_| "x".to_owned(), "\\x\":1}}")
        }),
        shape("JSON: a bad value at the end", |n| {
            filled(n, OPEN, |i| format!(",\"k{i}\":1"), ",\"port\":[]}}")
        }),
        shape("JSON: commas", |n| filled(n, OPEN, |_| ",".to_owned(), CLOSE)),
        shape("JSON: quotes", |n| vec![b'"'; n]),
        shape("JSON: minus signs", |n| filled(n, &format!("{OPEN},\"port\":"), |_| "-".to_owned(), CLOSE)),
        shape("JSON: a metadata name of codes", |n| {
            filled(n, &format!("{OPEN},\"metadata\":{{\""), |_| "_ ".to_owned(), "\":1}}}")
        }),
        shape("JSON: a name of 1 MiB", |n| filled(n, r#"{"instance":{"app":""#, |_| "ß".to_owned(), "\"}}")),
    ]
}

fn batches() -> Vec<Shape> {
    let shape = |name, taken, input: fn(usize) -> Vec<u8>| {
        let read = |input: &[u8]| decode_batch(input).is_ok();
        Shape { name, most: MOST_BODY_BYTES, input, read, taken }
    };
    const INSTANCE: &str = r#"{"replicationList":[{"instanceInfo":{"app":"a""#;
    vec![
        shape("batch: items", true, |n| {
            list(
                n,
                r#"{"id":"a","appName":"b","action":"Heartbeat","status":"UP","overriddenStatus":"UNKNOWN","lastDirtyTimestamp":1700000000000}"#,
            )
        }),
        shape("batch: instances that fail", true, |n| {
            list(
                n,
                &format!("{{\"instanceInfo\":{{\"app\":\"a\",\"port\":[],\"x\":[{}1]}}}}", "{},".repeat(40)),
            )
        }),
        shape("batch: too many items", false, |n| list(n, "{}")),
        shape("batch: one instance over and over", true, |n| {
            filled(
                n,
                r#"{"replicationList":[{"id":"i""#,
                |_| r#","instanceInfo":{"app":"a"}"#.to_owned(),
                "}]}",
            )
        }),
        shape("batch: an instance of many members", true, |n| {
            filled(n, INSTANCE, |i| format!(",\"k{i}\":1"), "}}]}")
        }),
        shape("batch: lists over and over", true, |n| {
            filled(n, r#"{"replicationList":[]"#, |_| r#","replicationList":[{}]"#.to_owned(), "}")
        }),
        shape("batch: a bad last item", false, |n| {
            filled(
                n,
                r#"{"replicationList":[{}"#,
                |_| format!(",{{\"id\":\"{}\"}}", "x".repeat(200)),
                ",{\"id\":[]}]}",
            )
        }),
        shape("batch: a long status", true, |n| {
            filled(n, r#"{"replicationList":[{"status":""#, |_| "UP".to_owned(), "\"}]}")
        }),
    ]
}

/// A batch of as many of an item as there is room for, up to the most that are read.
fn list(length: usize, item: &str) -> Vec<u8> {
    filled(length, &format!("{{\"replicationList\":[{item}"), |_| format!(",{item}"), "]}")
}

fn metadata(length: usize, pair: fn(usize) -> String) -> Vec<u8> {
    filled(length, &format!("{OPEN},\"metadata\":{{\"first\":\"\""), pair, "}}}")
}

fn text(length: usize, piece: &str) -> Vec<u8> {
    filled(length, &format!("{OPEN},\"homePageUrl\":\""), |_| piece.to_owned(), "\"}}")
}

fn number(length: usize, before: &str, digit: &str, after: &str) -> Vec<u8> {
    filled(length, &format!("{OPEN},\"countryId\":{before}"), |_| digit.to_owned(), &format!("{after}}}}}"))
}
