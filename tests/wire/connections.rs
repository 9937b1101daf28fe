//! What a connection carries beside one request and its answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::framing::{chunked, gzip};
use super::harness::{Cluster, Document, Request, exchange};

/// Well beyond any answer; only one that never comes takes longer.
const LIMIT: Duration = Duration::from_secs(20);
const NEXT: &[u8] = b"GET /livez HTTP/1.1\r\nHost: n\r\nConnection: close\r\n\r\n";

#[test]
fn an_answer_does_not_wait_for_the_rest_of_the_next_request() {
    let cluster = Cluster::start(1);
    let mut stream = connected(cluster.addrs()[0]);
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: n\r\n\r\nGET /liv").expect("a request and a piece");
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok\n") {
        let mut piece = [0; 256];
        let read = stream.read(&mut piece).expect("the first answer");
        assert!(read > 0, "closed instead of answered: {:?}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..read]);
    }
    stream.write_all(&NEXT[8..]).expect("the rest");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("the second answer");
    assert!(rest.starts_with("HTTP/1.1 200"), "{rest}");
}

#[test]
fn a_head_that_is_refused_is_answered() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let many: String = (0..500).map(|number| format!("h{number}: v\r\n")).collect();
    let heads = [
        ("many headers", format!("GET /livez HTTP/1.1\r\n{many}\r\n"), 431),
        ("a long header", format!("GET /livez HTTP/1.1\r\nh: {}\r\n\r\n", "v".repeat(300_000)), 431),
        ("a long path", format!("GET /{} HTTP/1.1\r\n\r\n", "v".repeat(70_000)), 414),
        ("two lengths", two_lengths(), 400),
        ("no HTTP", "HELO example.org\r\n\r\n".to_owned(), 400),
    ];
    for (what, head, status) in heads {
        let response = exchange(addr, head.as_bytes(), "GET", LIMIT);
        let response = response.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(response.status, status, "{what}");
        assert!(response.body.is_empty(), "{what}: {response:?}");
    }
}

fn two_lengths() -> String {
    "POST /eureka/apps/A HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}".to_owned()
}

#[test]
fn who_sends_on_after_a_refusal_still_reads_it() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let length = 8 << 20;
    let body = vec![b' '; length];
    let head = |framing: &str| {
        format!("POST /eureka/apps/A HTTP/1.1\r\nContent-Type: application/json\r\n{framing}\r\n\r\n")
    };
    let framed = [
        (head(&format!("Content-Length: {length}")), body.clone()),
        (head("Transfer-Encoding: chunked"), chunked(&body, 64 << 10)),
    ];
    for (head, body) in framed {
        let mut stream = connected(addr);
        stream.write_all(head.as_bytes()).expect("a head");
        // The whole body, although the answer is there early: no reset may have taken it.
        stream.write_all(&body).expect("a body that is taken to its end");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the answer, and no reset");
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
}

#[test]
fn a_connection_goes_on_after_errors() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let post = || Request::post("/eureka/apps/ERRORS");
    let refused = [
        (404, Request::get("/eureka/apps/ERRORS")),
        (404, Request::new("HEAD", "/eureka/apps/ERRORS")),
        (400, post().json("{")),
        (415, post().header("Content-Type", "text/plain").body("some text")),
        (406, Request::get("/eureka/apps").header("Accept", "image/png")),
        (405, Request::new("PATCH", "/eureka/apps").body("some text")),
        (405, Request::post("/livez").body("some text")),
        (304, Request::get("/eureka/apps").header("If-None-Match", "*")),
        (304, Request::get("/eureka/apps").header("If-None-Match", "*").header("Accept-Encoding", "gzip")),
        (304, Request::new("HEAD", "/eureka/apps").header("If-None-Match", "*")),
    ];
    for (status, request) in refused {
        let mut stream = connected(addr);
        let bytes = [request.bytes(addr), NEXT.to_vec()].concat();
        stream.write_all(&bytes).expect("two requests");
        let mut answers = String::new();
        stream.read_to_string(&mut answers).expect("two answers");
        assert!(answers.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answers}");
        assert!(answers.contains("HTTP/1.1 200 OK\r\n"), "{request:?}: {answers}");
    }
}

#[test]
fn what_is_not_modified_has_neither_body_nor_another_length() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    for method in ["GET", "HEAD"] {
        let read = |tag: &str| Request::new(method, "/eureka/apps").header("If-None-Match", tag).expect(addr);
        let known = read("\"another\"");
        assert_eq!(known.status, 200, "{method}");
        let tag = known.header("etag").expect("a tag");
        let answer = read(tag);
        assert_eq!((answer.status, answer.header("etag")), (304, Some(tag)), "{method}");
        assert_eq!(answer.header("content-length"), None, "{method}");
    }
}

#[test]
fn a_method_that_is_not_there_is_told_which_are() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    for (method, path, allowed) in [
        ("POST", "/eureka/apps", "GET"),
        ("DELETE", "/eureka/apps/A", "POST"),
        ("POST", "/eureka/apps/A/i-1", "PUT"),
        ("GET", "/eureka/apps/A/i-1/status", "PUT"),
        ("PUT", "/eureka/peerreplication/batch/", "POST"),
        ("DELETE", "/api/cluster", "GET"),
    ] {
        let response = Request::new(method, path).expect(addr);
        assert_eq!(response.status, 405, "{method} {path}");
        let allow = response.header("allow").unwrap_or_default();
        assert!(allow.split(',').any(|one| one.trim() == allowed), "{method} {path}: {allow}");
        assert!(!allow.split(',').any(|one| one.trim() == method), "{method} {path}: {allow}");
    }
}

#[test]
fn names_of_encodings_have_no_case_and_gzip_has_two() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let send = |encoding: &str, body: Vec<u8>| {
        let document = Document::new("ENCODED", encoding);
        let post = Request::post(&document.app_path()).header("Content-Type", "application/json");
        post.header("Content-Encoding", encoding).body(body).expect(addr).status
    };
    let json = |encoding: &str| Document::new("ENCODED", encoding).json().into_bytes();
    for plain in ["identity", "Identity"] {
        assert_eq!(send(plain, json(plain)), 204, "{plain}");
    }
    for packed in ["gzip", "GZIP", "x-gzip"] {
        assert_eq!(send(packed, gzip(&json(packed))), 204, "{packed}");
    }
    for unknown in ["deflate", "br", "gzip, gzip"] {
        assert_eq!(send(unknown, json(unknown)), 415, "{unknown}");
    }
}

fn connected(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).expect("a time-out");
    stream.set_write_timeout(Some(LIMIT)).expect("a time-out");
    stream
}
