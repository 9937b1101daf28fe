//! Bodies: where there must be none, how requests may carry theirs, and that a write is seen by the
//! next read.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::framing::{chunked, gzip};
use super::harness::{Cluster, Document, Request};

const UNKNOWN: [(&str, &str); 9] = [
    ("GET", "/eureka/apps/NOPE"),
    ("GET", "/eureka/apps/NOPE/i-1"),
    ("GET", "/eureka/instances/i-1"),
    ("PUT", "/eureka/apps/NOPE/i-1?status=UP&lastDirtyTimestamp=1700000000000"),
    ("PUT", "/eureka/apps/NOPE/i-1/status?value=DOWN"),
    ("PUT", "/eureka/apps/NOPE/i-1/metadata?k=v"),
    ("DELETE", "/eureka/apps/NOPE/i-1"),
    ("DELETE", "/eureka/apps/NOPE/i-1/status"),
    ("GET", "/eureka/nothing/here"),
];

#[test]
fn what_is_not_found_has_no_body() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    for (method, path) in UNKNOWN {
        for accept in ["application/json", "application/xml", "*/*"] {
            let response = Request::new(method, path).header("Accept", accept).expect(addr);
            assert_eq!(response.status, 404, "{method} {path}");
            assert!(response.body.is_empty(), "{method} {path} with {accept}: {response:?}");
            assert_eq!(response.header("content-type"), None, "{method} {path} with {accept}");
            assert_eq!(response.header("content-encoding"), None, "{method} {path} with {accept}");
        }
    }
}

#[test]
fn a_type_that_is_not_taken_is_told_before_one_that_is_not_sent() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let (good, bad) = ("application/json", "text/plain");
    for path in ["/eureka/apps/BODIES", "/eureka/peerreplication/batch/"] {
        for (sent, accepted, status) in [(bad, bad, 415), (bad, good, 415), (good, bad, 406)] {
            let request = Request::post(path).header("Content-Type", sent).header("Accept", accepted);
            assert_eq!(request.body("{}").expect(addr).status, status, "{path}: {sent} for {accepted}");
        }
        let untyped = |accepted| Request::post(path).header("Accept", accepted).body("{}");
        assert_eq!(untyped(bad).expect(addr).status, 406, "{path}: no type for {bad}");
        assert_eq!(untyped(good).expect(addr).status, 415, "{path}: no type for {good}");
    }
}

#[test]
fn writes_are_answered_without_a_body_and_the_connection_goes_on() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let document = Document::new("BODIES", "i-1");
    let writes = [
        ("204", document.register()),
        ("200", document.renew()),
        ("200", document.renew().json("{}")),
        (
            "200",
            Request::put(&format!("{}/status?value=DOWN", document.path())).header("Accept-Encoding", "gzip"),
        ),
        ("200", Request::put(&format!("{}/metadata?k=v", document.path()))),
        ("200", Request::delete(&format!("{}/status", document.path()))),
        ("404", document.renew().accept_json()),
        ("200", document.cancel().header("Accept", "text/html, image/gif, image/jpeg, */*; q=0.2")),
        ("404", document.cancel()),
    ];
    for (status, request) in writes {
        assert_eq!(head_before_next(&request, addr), status, "{request:?}");
    }
}

/// Sends a request and another on the same connection; the second answer must begin where the
/// first one's head ends. Returns the first answer's status.
fn head_before_next(request: &Request, addr: SocketAddr) -> String {
    let mut bytes = request.bytes(addr);
    bytes.extend(Request::get("/livez").header("Connection", "close").bytes(addr));
    let mut stream = TcpStream::connect(addr).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(15))).expect("a time-out");
    stream.write_all(&bytes).expect("two requests written");
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers).expect("two answers read");
    let answers = String::from_utf8(answers).expect("answers in UTF-8");
    let (first, rest) = answers.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {answers:?}"));
    assert!(rest.starts_with("HTTP/1.1 200"), "a body after {first:?}: {rest:?}");
    first.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn a_request_may_be_compressed_chunked_or_both() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let post =
        |document: &Document| Request::post(&document.app_path()).header("Content-Type", "application/json");
    let document = Document::new("FRAMES", "gzip");
    let request = post(&document).header("Content-Encoding", "gzip").body(gzip(document.json().as_bytes()));
    assert_registers(&document, &request, addr);

    let document = Document::new("FRAMES", "chunks");
    let request =
        post(&document).header("Transfer-Encoding", "chunked").body(chunked(document.json().as_bytes(), 1));
    assert_registers(&document, &request, addr);

    let document = Document::new("FRAMES", "both");
    let both = chunked(&gzip(document.json().as_bytes()), 1);
    let request =
        post(&document).header("Content-Encoding", "gzip").header("Transfer-Encoding", "chunked").body(both);
    assert_registers(&document, &request, addr);

    let document = Document::new("FRAMES", "continue");
    let request = post(&document).header("Expect", "100-continue").body(document.json());
    assert_registers(&document, &request, addr);
}

fn assert_registers(document: &Document, request: &Request, addr: SocketAddr) {
    let response = request.expect(addr);
    assert_eq!(response.status, 204, "{}: {response:?}", document.id);
    assert_eq!(document.read().expect(addr).value()["instance"]["instanceId"], document.id.as_str());
}

#[test]
fn both_prefixes_are_the_same_registry() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let document = Document::new("PREFIX", "i-1");
    let v2 = |path: &str| path.replacen("/eureka", "/eureka/v2", 1);
    let register = Request::post(&v2(&document.app_path())).json(document.json());
    assert_eq!(register.expect(addr).status, 204);
    for path in [
        "/eureka/apps",
        "/eureka/apps/",
        "/eureka/apps/delta",
        "/eureka/apps/PREFIX",
        "/eureka/apps/PREFIX/i-1",
    ] {
        let one = Request::get(path).accept_json().expect(addr);
        let two = Request::get(&v2(path)).accept_json().expect(addr);
        assert_eq!((one.status, two.status), (200, 200), "{path}");
        assert_eq!(one.value(), two.value(), "{path}");
    }
}

#[test]
fn a_write_is_seen_by_the_next_read() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    for round in 0..100 {
        let document = Document::new("READS", &format!("i-{round}"));
        let shown = |path: &str| Request::get(path).accept_json().expect(addr).text();
        assert_eq!(document.register().expect(addr).status, 204);
        for path in ["/eureka/apps", "/eureka/apps/delta", "/eureka/apps/READS"] {
            assert!(shown(path).contains(&format!("\"{}\"", document.id)), "{path} in round {round}");
        }
        let down = Request::put(&format!("{}/status?value=DOWN", document.path()));
        assert_eq!(down.expect(addr).status, 200);
        let apps = Request::get("/eureka/apps").accept_json().expect(addr).value();
        assert_eq!(apps["applications"]["apps__hashcode"], "DOWN_1_", "round {round}");
        assert_eq!(document.cancel().expect(addr).status, 200);
        assert!(!shown("/eureka/apps").contains(&document.id), "round {round}");
        assert_eq!(document.read().expect(addr).status, 404, "round {round}");
    }
}
