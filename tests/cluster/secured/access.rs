//! Who may do what, and what is told of it.

use std::net::SocketAddr;

use serde_json::Value;

use super::people::{PASSWORD, basic, bearer, node, write_file};
use crate::harness::{Cluster, Credentials, Document, Node, Request, until};

fn status(request: Request, credentials: &Credentials, addr: SocketAddr) -> u16 {
    request.with(credentials).expect(addr).status
}

#[test]
fn each_may_do_what_their_role_says() {
    let dir = tempfile::tempdir().expect("a directory");
    let cluster = node(&dir.path().join("auth.toml"), &[]);
    let addr = cluster.addrs()[0];
    let document = Document::new("ROLES", "i-1");
    let (reader, writer) = (basic("reader", PASSWORD), basic("writer", PASSWORD));
    let token = bearer(&format!("ci.{PASSWORD}"));

    assert_eq!(status(document.register(), &reader, addr), 403);
    assert_eq!(status(document.register(), &writer, addr), 204);
    assert_eq!(status(document.read(), &reader, addr), 200);
    assert_eq!(status(document.renew(), &token, addr), 200);
    assert_eq!(status(document.renew(), &reader, addr), 403);
    assert_eq!(status(Request::get("/metrics"), &reader, addr), 200);
    assert_eq!(status(Request::post("/api/anything"), &writer, addr), 403);
    assert_ne!(status(Request::post("/api/anything"), &basic("admin", PASSWORD), addr), 403);
    assert_eq!(status(document.cancel(), &writer, addr), 200);
}

#[test]
fn who_is_not_known_gets_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let cluster = node(&dir.path().join("auth.toml"), &[]);
    let addr = cluster.addrs()[0];
    let apps = || Request::get("/eureka/apps");
    for credentials in [
        Credentials::default(),
        basic("reader", "wrong password"),
        basic("nobody", PASSWORD),
        basic("ci", PASSWORD),
        bearer(PASSWORD),
        bearer(&format!("reader.{PASSWORD}")),
    ] {
        let answer = apps().with(&credentials).expect(addr);
        assert_eq!(answer.status, 401, "{credentials:?}");
        assert!(answer.header("www-authenticate").is_some_and(|value| value.starts_with("Basic ")));
        assert!(answer.body.is_empty());
    }
    for open in ["/livez", "/readyz", "/actuator/health", "/actuator/health/readiness"] {
        assert_eq!(status(Request::get(open), &Credentials::default(), addr), 200, "{open}");
    }
    for closed in ["/metrics", "/api/cluster", "/actuator/info", "/serverinfo/statusoverrides", "/livez/"] {
        assert_eq!(status(Request::get(closed), &Credentials::default(), addr), 401, "{closed}");
    }
}

#[test]
fn a_file_that_changes_counts_at_once_for_all() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("auth.toml");
    let cluster = node(&file, &[]);
    let addr = cluster.addrs()[0];
    let (old, new) = (basic("reader", PASSWORD), basic("reader", "another password"));
    let apps = || Request::get("/eureka/apps");
    assert_eq!(status(apps(), &old, addr), 200);
    write_file(&file, "another password");
    until("the new password counts", || match status(apps(), &new, addr) {
        200 => Ok(()),
        other => Err(other.to_string()),
    });
    assert_eq!(status(apps(), &old, addr), 401, "the old password is still remembered");
}

#[test]
fn every_write_leaves_a_line_that_nobody_can_forge() {
    let dir = tempfile::tempdir().expect("a directory");
    let cluster = node(&dir.path().join("auth.toml"), &[]);
    let addr = cluster.addrs()[0];
    let document = Document::new("AUDIT", "i-1\n{\"who\":\"admin\"}");
    let writer = basic("writer", PASSWORD);
    assert_eq!(status(document.register(), &writer, addr), 204);
    assert_eq!(status(document.renew(), &writer, addr), 200);
    assert_eq!(status(document.cancel(), &bearer(&format!("ci.{PASSWORD}")), addr), 200);
    assert_eq!(status(document.cancel(), &writer, addr), 404);

    let told: Vec<Value> = audit_lines(&cluster.nodes[0]);
    let seen: Vec<_> = told
        .iter()
        .map(|line| (line["who"].as_str(), line["what"].as_str(), line["outcome"].as_str()))
        .collect();
    let wanted = [
        (Some("writer"), Some("register"), Some("done")),
        (Some("ci"), Some("cancel"), Some("done")),
        (Some("writer"), Some("cancel"), Some("not_found")),
    ];
    assert_eq!(seen, wanted, "renewals have no line");
    for line in &told {
        assert_eq!((&line["app"], &line["instance"]), (&"AUDIT".into(), &document.id.as_str().into()));
        assert!(line["from"].as_str().is_some_and(|from| from.starts_with("127.0.0.1:")), "{line}");
    }
    let indexes: Vec<u64> = told.iter().filter_map(|line| line["index"].as_u64()).collect();
    assert!(indexes.len() == 3 && indexes.is_sorted_by(|one, next| one < next), "{indexes:?}");
}

#[test]
fn renewals_have_a_line_if_that_is_wanted() {
    let cluster = Cluster::start_with(1, &["--audit", "all"]);
    let document = Document::new("AUDIT", "i-1");
    assert_eq!(document.register().expect(cluster.addrs()[0]).status, 204);
    assert_eq!(document.renew().expect(cluster.addrs()[0]).status, 200);
    let told = audit_lines(&cluster.nodes[0]);
    let seen: Vec<_> = told.iter().map(|line| (line["who"].as_str(), line["what"].as_str())).collect();
    assert_eq!(seen, [(Some("anonymous"), Some("register")), (Some("anonymous"), Some("renew"))]);
}

fn audit_lines(node: &Node) -> Vec<Value> {
    let log = node.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["target"] == "rs_registry::audit").collect()
}
