//! Names of applications and instances: the odd ones come back exactly, the impossible ones are
//! refused.

use std::net::SocketAddr;

use serde_json::Value;

use super::harness::{Cluster, Document, Request, Response, applications};

/// What a name may look like, though few do.
const ODD: [&str; 16] = [
    "a b",
    " leading and trailing ",
    "żółw ☃ 𝄞",
    "a/b",
    "a%2Fb",
    "100%",
    "\"double\" and 'single'",
    "<script>alert(1)</script>",
    "a&amp;b",
    "a+b",
    "a;b=c",
    "a?b=c#d",
    "..",
    "~`!@$^*()|\\{}[]",
    "tab\tand\nline",
    "status",
];

#[test]
fn odd_instance_ids_come_back_exactly_from_json_and_xml() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    for id in ODD {
        let document = Document::new("ODD", id);
        live_through(&document, &document.register(), addr);
        live_through(&document, &Request::post(&document.app_path()).xml(document.xml()), addr);
    }
}

#[test]
fn odd_application_names_come_back_exactly_from_json_and_xml() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    for app in ODD {
        let document = Document::new(app, "i-1");
        live_through(&document, &document.register(), addr);
        live_through(&document, &Request::post(&document.app_path()).xml(document.xml()), addr);
    }
}

#[test]
fn a_name_has_at_most_1024_bytes() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let register = |app: &str, id: &str| Document::new(app, id).register().expect(addr).status;
    assert_eq!(register("NAMES", &"x".repeat(1024)), 204);
    assert_eq!(register("NAMES", &"ż".repeat(512)), 204);
    assert_eq!(register(&"A".repeat(1024), "i-1"), 204);
    let kept = applications(addr);
    assert_eq!(register("NAMES", &"x".repeat(1025)), 400);
    assert_eq!(register("NAMES", &"ż".repeat(513)), 400);
    assert_eq!(register(&"A".repeat(1025), "i-1"), 400);
    assert_eq!(applications(addr), kept);
}

#[test]
fn a_name_holds_no_nul() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let refused = [
        Document::new("NAMES", "a\0b").register(),
        Document::new("NA\0MES", "i-1").register(),
        Request::post("/eureka/apps/NAMES").xml(Document::new("NAMES", "a&#0;b").xml().replace("&amp;", "&")),
    ];
    for request in refused {
        assert_eq!(request.expect(addr).status, 400, "{request:?}");
    }
    for request in [Request::get("/eureka/apps/NAMES/a%00b"), Request::put("/eureka/apps/NA%00MES/a")] {
        let status = request.expect(addr).status;
        assert!(matches!(status, 400 | 404), "{request:?}: {status}");
    }
    assert_eq!(applications(addr).len(), 0);
}

#[test]
fn application_names_are_found_in_any_case_and_ids_only_in_their_own() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    assert_eq!(Document::new("Mixed-ż", "Id").register().expect(addr).status, 204);
    for (path, status) in [
        ("/eureka/apps/mixed-%C5%BC/Id", 200),
        ("/eureka/apps/MIXED-%C5%BB/Id", 200),
        ("/eureka/apps/MIXED-%C5%BB/id", 404),
        ("/eureka/v2/apps/Mixed-%C5%BC/Id", 200),
    ] {
        assert_eq!(Request::get(path).expect(addr).status, status, "{path}");
    }
}

/// Registers, finds, renews and cancels an instance, and leaves nothing of it.
fn live_through(document: &Document, register: &Request, addr: SocketAddr) {
    let context = format!("{} of {}", document.id, document.app);
    assert_eq!(register.expect(addr).status, 204, "register {context}");
    assert_found(document, addr);
    assert_eq!(document.renew().expect(addr).status, 200, "renew {context}");
    let down = Request::put(&format!("{}/status?value=DOWN", document.path()));
    assert_eq!(down.expect(addr).status, 200, "status of {context}");
    let metadata = Request::put(&format!("{}/metadata?k=v", document.path()));
    assert_eq!(metadata.expect(addr).status, 200, "metadata of {context}");
    let read = document.read().expect(addr).value();
    assert_eq!(read["instance"]["metadata"]["k"], "v", "{context}");
    assert_eq!(read["instance"]["status"], "DOWN", "{context}");
    assert_eq!(document.cancel().expect(addr).status, 200, "cancel {context}");
    assert_eq!(document.read().expect(addr).status, 404, "{context} is gone");
    assert_eq!(document.renew().expect(addr).status, 404, "{context} is gone");
}

fn assert_found(document: &Document, addr: SocketAddr) {
    let app = document.app.to_uppercase();
    let by_id = format!("/eureka/instances/{}", document.path().rsplit('/').next().unwrap_or_default());
    for path in [document.path(), by_id, document.app_path(), "/eureka/apps".to_owned()] {
        let json = Request::get(&path).accept_json().expect(addr);
        assert_eq!(names_in_json(&json), [(app.clone(), document.id.clone())], "{path} in JSON");
        let xml = Request::get(&path).accept_xml().expect(addr);
        assert_eq!(names_in_xml(&xml), [(app.clone(), document.id.clone())], "{path} in XML");
    }
}

/// The application and id of every instance in a body, wherever it stands.
fn names_in_json(response: &Response) -> Vec<(String, String)> {
    fn collect(value: &Value, found: &mut Vec<(String, String)>) {
        match value {
            Value::Object(members) => {
                if let (Some(app), Some(id)) = (members.get("app"), members.get("instanceId")) {
                    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                    found.push((text(app), text(id)));
                }
                members.values().for_each(|member| collect(member, found));
            }
            Value::Array(members) => members.iter().for_each(|member| collect(member, found)),
            _ => {}
        }
    }
    assert_eq!(response.status, 200, "{response:?}");
    let mut found = Vec::new();
    collect(&response.value(), &mut found);
    found
}

fn names_in_xml(response: &Response) -> Vec<(String, String)> {
    assert_eq!(response.status, 200, "{response:?}");
    let text = response.text();
    let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let instances = document.descendants().filter(|node| node.has_tag_name("instance"));
    let child = |node: roxmltree::Node<'_, '_>, name: &str| {
        let child = node.children().find(|child| child.has_tag_name(name));
        child.and_then(|child| child.text()).unwrap_or_default().to_owned()
    };
    instances.map(|node| (child(node, "app"), child(node, "instanceId"))).collect()
}
