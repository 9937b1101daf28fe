//! What a response means: equal for two responses that no client can tell apart, whatever the
//! order of lists and keys, the layout of XML and the time of day.
//!
//! A meaning is a tree. Applications stand under their names and instances under their ids, so
//! that a place in it has a path, such as `body/applications/application/DEMO/instance/i-1/status`.

use std::time::{SystemTime, UNIX_EPOCH};

use roxmltree::{Document, Node};
use serde_json::{Map, Value, json};

/// Stands for a reading of the server's clock.
pub const CLOCK: &str = "<clock>";
/// Stands for a time that had not come yet when the response was sent.
pub const LATER: &str = "<later>";
/// Stands for the delta's version, which counts what only the server knows.
pub const VERSION: &str = "<version>";

const CLOCK_NAMES: [&str; 6] = [
    "registrationTimestamp",
    "lastRenewalTimestamp",
    "evictionTimestamp",
    "serviceUpTimestamp",
    "lastUpdatedTimestamp",
    "lastDirtyTimestamp",
];
/// A reading is recent when it is at most this much older than the request.
const RECENT_MS: i64 = 600_000;
/// What is more than this past the request lies in the future.
const SOON_MS: i64 = 15_000;

/// The parts of a response that are compared.
pub struct Parts<'a> {
    pub status: u16,
    pub content_type: Option<&'a str>,
    pub content_encoding: Option<&'a str>,
    /// After content decoding.
    pub body: &'a [u8],
}

/// When and what was asked.
pub struct Asked<'a> {
    pub path: &'a str,
    pub at_ms: i64,
}

pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock past 1970");
    i64::try_from(since.as_millis()).expect("a clock before the year 292,000,000")
}

/// The meaning of a response to what was asked.
pub fn of(parts: &Parts<'_>, asked: &Asked<'_>) -> Value {
    of_pruned(parts, asked, |tree| tree)
}

/// [`of`] after a body's tree was cut, whose lists are still lists and whose times are as sent.
pub fn of_pruned(parts: &Parts<'_>, asked: &Asked<'_>, prune: impl FnOnce(Value) -> Value) -> Value {
    let media_type = parts.content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    let mut body = pruned_body(parts.status, &media_type, parts.body, prune);
    mask(&mut body, "", asked);
    json!({
        "status": parts.status,
        "type": media_type,
        "coding": parts.content_encoding.unwrap_or_default(),
        "body": body,
    })
}

/// A body's tree by its type; text where it is not of that type, or where only text is promised.
pub fn body(status: u16, media_type: &str, bytes: &[u8]) -> Value {
    pruned_body(status, media_type, bytes, |tree| tree)
}

fn pruned_body(status: u16, media_type: &str, bytes: &[u8], prune: impl FnOnce(Value) -> Value) -> Value {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let tree = match media_type {
        _ if status == 400 => None,
        "application/json" => serde_json::from_slice(bytes).ok(),
        "application/xml" => parse_xml(&text),
        _ => None,
    };
    match tree {
        Some(tree) => by_name(prune(tree)),
        None => Value::String(text),
    }
}

/// Puts the members of `application` and `instance` lists under their names. What is listed twice
/// stays a list, which equals no recorded tree.
fn by_name(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let keyed = members.into_iter().map(|(key, member)| {
                let member = by_name(member);
                let member = match key.as_str() {
                    "application" => keyed_by(member, &["/name"]),
                    "instance" => keyed_by(member, &INSTANCE_IDS),
                    _ => member,
                };
                (key, member)
            });
            Value::Object(keyed.collect())
        }
        Value::Array(members) => Value::Array(members.into_iter().map(by_name).collect()),
        other => other,
    }
}

/// Where an instance has the id that it is kept under.
const INSTANCE_IDS: [&str; 3] = ["/instanceId", "/dataCenterInfo/metadata/instance-id", "/hostName"];

fn keyed_by(list: Value, names: &[&str]) -> Value {
    let Value::Array(members) = &list else { return list };
    let mut keyed = Map::new();
    for member in members {
        let text = |name: &&str| member.pointer(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let name = names.iter().find_map(text);
        match name {
            Some(name) if !keyed.contains_key(name) => keyed.insert(name.to_owned(), member.clone()),
            _ => return list,
        };
    }
    Value::Object(keyed)
}

fn mask(value: &mut Value, name: &str, asked: &Asked<'_>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                // Metadata is the client's own, whatever its names.
                if name != "metadata" {
                    mask(member, name, asked);
                }
            }
        }
        Value::Array(members) => members.iter_mut().for_each(|member| mask(member, "", asked)),
        leaf if CLOCK_NAMES.contains(&name) => mask_time(leaf, asked.at_ms),
        leaf if name == "versions__delta" && asked.path.contains("/apps/delta") => mask_version(leaf),
        _ => {}
    }
}

/// Masks a time and keeps whether it was a number or text.
fn mask_time(leaf: &mut Value, asked_at_ms: i64) {
    let (millis, quote) = match &*leaf {
        Value::Number(number) => (number.as_i64(), "number "),
        Value::String(text) => (text.parse().ok(), ""),
        _ => (None, ""),
    };
    let Some(millis) = millis else { return };
    if millis > asked_at_ms + SOON_MS {
        *leaf = Value::String(format!("{quote}{LATER}"));
    } else if millis > asked_at_ms - RECENT_MS {
        *leaf = Value::String(format!("{quote}{CLOCK}"));
    }
}

fn mask_version(leaf: &mut Value) {
    if leaf.as_str().and_then(|text| text.parse::<u64>().ok()).is_some_and(|version| version > 0) {
        *leaf = Value::String(VERSION.to_owned());
    }
}

/// One line for each place at which two meanings differ.
pub fn differences(wanted: &Value, answered: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    collect_differences("", wanted, answered, &mut lines);
    lines
}

fn collect_differences(path: &str, wanted: &Value, answered: &Value, lines: &mut Vec<String>) {
    match (wanted, answered) {
        (Value::Object(left), Value::Object(right)) => {
            let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
            for name in names {
                let at = format!("{path}/{name}");
                match (left.get(name), right.get(name)) {
                    (Some(wanted), Some(answered)) => collect_differences(&at, wanted, answered, lines),
                    (Some(wanted), None) => lines.push(format!("  {at}: {wanted} is missing")),
                    (None, answered) => {
                        lines.push(format!("  {at}: {} is too much", answered.unwrap_or(&Value::Null)))
                    }
                }
            }
        }
        _ if wanted == answered => {}
        _ => lines.push(format!("  {path}: wanted {wanted}, answered {answered}")),
    }
}

/// The tree of a well-formed document.
fn parse_xml(text: &str) -> Option<Value> {
    let document = Document::parse(text).ok()?;
    let root = document.root_element();
    Some(json!({ root.tag_name().name(): element(root) }))
}

/// An element's tree: text where it has neither attributes nor children.
fn element(node: Node<'_, '_>) -> Value {
    let mut members: Map<String, Value> = node
        .attributes()
        .map(|attribute| (format!("@{}", attribute.name()), attribute.value().into()))
        .collect();
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        match members.get_mut(name) {
            Some(Value::Array(list)) => list.push(element(child)),
            Some(first) => *first = json!([first.take(), element(child)]),
            None if is_listed(node, name) => {
                members.insert(name.to_owned(), json!([element(child)]));
            }
            None => {
                members.insert(name.to_owned(), element(child));
            }
        }
    }
    let text = || node.children().filter_map(|child| child.text()).collect::<String>();
    if members.is_empty() {
        return Value::String(text());
    }
    if !node.has_children() || node.children().any(|child| child.is_element()) {
        return Value::Object(members);
    }
    members.insert("$".to_owned(), Value::String(text()));
    Value::Object(members)
}

/// Whether this child is a member of a list even when it is the only one.
fn is_listed(parent: Node<'_, '_>, child: &str) -> bool {
    matches!((parent.tag_name().name(), child), ("applications", "application") | ("application", "instance"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(content_type: &str, body: &str) -> Value {
        let parts = Parts {
            status: 200,
            content_type: Some(content_type),
            content_encoding: None,
            body: body.as_bytes(),
        };
        of(&parts, &Asked { path: "/eureka/apps", at_ms: 1_795_347_391_000 })
    }

    #[test]
    fn order_and_layout_mean_nothing() {
        let one = r#"{"application":{"name":"A","instance":[{"instanceId":"x"},{"instanceId":"y"}]}}"#;
        let two = r#"{"application":{"instance":[{"instanceId":"y"}, {"instanceId":"x"}],"name":"A"}}"#;
        assert_eq!(meaning("application/json", one), meaning("application/json;charset=UTF-8", two));
        let one = "<application><name>A</name><instance><hostName>h</hostName></instance></application>";
        let two =
            "<application>\n  <instance>\n <hostName>h</hostName></instance>\n<name>A</name>\n</application>";
        assert_eq!(meaning("application/xml", one), meaning("application/xml", two));
    }

    #[test]
    fn an_instance_listed_twice_differs_from_one_listed_once() {
        let once = r#"{"instance":[{"instanceId":"x"}]}"#;
        let twice = r#"{"instance":[{"instanceId":"x"},{"instanceId":"x"}]}"#;
        assert_ne!(meaning("application/json", once), meaning("application/json", twice));
    }

    #[test]
    fn only_readings_of_the_clock_are_masked() {
        let at = |field: &str| meaning("application/json", &format!("{{{field}}}"))["body"].clone();
        assert_eq!(at(r#""evictionTimestamp":0"#), json!({"evictionTimestamp": 0}));
        assert_eq!(
            at(r#""lastDirtyTimestamp":"1700000000000""#),
            json!({"lastDirtyTimestamp": "1700000000000"})
        );
        assert_eq!(at(r#""lastDirtyTimestamp":"1795347390999""#), json!({"lastDirtyTimestamp": CLOCK}));
        assert_eq!(
            at(r#""registrationTimestamp":1795347390999"#),
            json!({"registrationTimestamp": "number <clock>"})
        );
        assert_eq!(
            at(r#""lastRenewalTimestamp":1795347481000"#),
            json!({"lastRenewalTimestamp": "number <later>"})
        );
    }

    #[test]
    fn text_and_types_are_kept() {
        assert_ne!(meaning("application/json", r#"{"n":5}"#), meaning("application/json", r#"{"n":"5"}"#));
        assert_ne!(meaning("application/xml", "<a>x </a>"), meaning("application/xml", "<a>x</a>"));
        assert_eq!(meaning("application/xml", "<a>&lt;&#xe9;</a>")["body"], json!({"a": "<é"}));
        assert_eq!(
            meaning("application/xml", r#"<p enabled="true">80</p>"#)["body"],
            json!({"p": {"@enabled": "true", "$": "80"}})
        );
        assert_eq!(meaning("application/xml", "<a/>"), meaning("application/xml", "<a></a>"));
    }

    #[test]
    fn what_is_not_well_formed_stays_text() {
        for text in ["<a><>7</></a>", "<a>", "<a></b>", "<a/><b/>", "hello"] {
            assert_eq!(meaning("application/xml", text)["body"], Value::String(text.to_owned()));
        }
    }
}
