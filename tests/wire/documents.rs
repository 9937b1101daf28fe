//! Hostile documents: refused as unreadable, quickly, and nothing of them is stored.

use super::harness::{Cluster, Document, Request, applications};

const UNREADABLE_XML: &str = "<error><message>cannot parse request body</message></error>";
const UNREADABLE_JSON: &str = r#"{"error": "cannot parse request body"}"#;

#[test]
fn xml_that_tries_to_make_the_parser_work_is_refused() {
    let good = Document::new("HOSTILE", "i-1").xml();
    let with_doctype = |doctype: &str, id: &str| format!("{doctype}{}", good.replace("i-1", id));
    let bodies = [
        ("a DTD", with_doctype("<!DOCTYPE instance>", "i-1")),
        ("an entity", with_doctype(r#"<!DOCTYPE instance [<!ENTITY e "i-1">]>"#, "&e;")),
        ("an entity bomb", with_doctype(&entity_bomb(), "&e9;")),
        ("a file", with_doctype(r#"<!DOCTYPE i [<!ENTITY e SYSTEM "file:///etc/hostname">]>"#, "&e;")),
        ("an undeclared entity", good.replace("i-1", "&nope;")),
        ("1,000 levels", nested_xml(&good, 1_000)),
        ("50,000 levels", nested_xml(&good, 50_000)),
        ("a document without an end", good[..good.len() - 4].to_owned()),
        ("crossed elements", good.replace("</app>", "</apps>")),
        ("bytes after the document", format!("{good}<instance/>")),
    ];
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    for (what, body) in bodies {
        let response = Request::post("/eureka/apps/HOSTILE").xml(body).expect(addr);
        assert_eq!(response.status, 400, "{what}: {response:?}");
        assert_eq!(response.text(), UNREADABLE_XML, "{what}");
    }
    assert_eq!(applications(addr).len(), 0);
}

#[test]
fn json_that_tries_to_make_the_parser_work_is_refused() {
    let deep = |open: &str, close: &str, levels: usize| {
        let value = format!("{}1{}", open.repeat(levels), close.repeat(levels));
        Document::new("HOSTILE", "i-1").json().replace(r#""UP""#, &value)
    };
    let bodies = [
        ("1,000 lists in a list", deep("[", "]", 1_000)),
        ("100,000 lists in a list", deep("[", "]", 100_000)),
        ("1,000 objects in an object", deep(r#"{"a":"#, "}", 1_000)),
        ("lists without an end", "[".repeat(100_000)),
        ("half a surrogate pair", Document::new("HOSTILE", "i-1").json().replace("i-1", "\\ud800")),
        ("a lone quote", "\"".to_owned()),
    ];
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    for (what, body) in bodies {
        let response = Request::post("/eureka/apps/HOSTILE").json(body).expect(addr);
        assert_eq!(response.status, 400, "{what}: {response:?}");
        assert_eq!(response.text(), UNREADABLE_JSON, "{what}");
    }
    assert_eq!(applications(addr).len(), 0);
}

/// Ten entities, each ten times the one before: ten billion characters.
fn entity_bomb() -> String {
    let mut doctype = String::from(r#"<!DOCTYPE instance [<!ENTITY e0 "lol">"#);
    for level in 1..10 {
        let inner = format!("&e{};", level - 1).repeat(10);
        doctype.push_str(&format!("<!ENTITY e{level} \"{inner}\">"));
    }
    doctype + "]>"
}

/// The good document with an unknown element of this depth, which would be ignored if it were flat.
fn nested_xml(good: &str, levels: usize) -> String {
    let nested = format!("{}{}</instance>", "<x>".repeat(levels), "</x>".repeat(levels));
    good.replace("</instance>", &nested)
}
