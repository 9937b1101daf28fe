//! TLS at the port for clients.

use std::fs;
use std::time::Duration;

use super::certificates::{Files, trusting};
use crate::harness::{Cluster, Connection, Credentials, Document, Request, until};
use crate::samples::Authority;

const LIMIT: Duration = Duration::from_secs(10);

/// A node with TLS, whose certificate is of this authority, and the files of it.
fn node(authority: &Authority, dir: &tempfile::TempDir) -> (Cluster, Files) {
    let files = Files::issued(authority, dir.path(), "node");
    let credentials = Credentials { tls: Some(trusting(authority)), authorization: None };
    let cluster = Cluster::start_prepared(1, |specs| {
        specs[0].extra_flags = files.flags("--tls-cert-file", "--tls-key-file");
        specs[0].credentials = credentials;
    });
    (cluster, files)
}

#[test]
fn clients_are_served_by_tls_and_not_without() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().expect("a directory"));
    let (cluster, _files) = node(&authority, &dir);
    let spec = &cluster.nodes[0].spec;
    let document = Document::new("TLS", "i-1");
    assert_eq!(document.register().with(&spec.credentials).expect(spec.http).status, 204);
    assert_eq!(document.read().with(&spec.credentials).expect(spec.http).status, 200);
    assert!(document.read().send(spec.http).is_err(), "a request in clear is answered");
    let stranger = Credentials { tls: Some(trusting(&Authority::new())), authorization: None };
    assert!(document.read().with(&stranger).send(spec.http).is_err(), "a stranger's certificate is taken");
}

#[test]
fn a_new_certificate_is_taken_up_and_open_connections_go_on() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().expect("a directory"));
    let (cluster, files) = node(&authority, &dir);
    let spec = &cluster.nodes[0].spec;
    let before = spec.credentials.tls.as_ref().expect("TLS");
    let ready = Request::get("/readyz").bytes(spec.http);
    let mut open = Connection::open_tls(spec.http, LIMIT, before).expect("a connection");
    let mut ask = || {
        open.send(&ready).expect("a connection that is open");
        open.receive("GET").expect("an answer").status
    };
    assert_eq!(ask(), 200);

    fs::write(&files.cert, "half of a certifi").expect("a broken certificate");
    until("the node says that the new certificate is broken", || {
        match cluster.nodes[0].log().contains("stay as they were") {
            true => Ok(()),
            false => Err("it does not".to_owned()),
        }
    });
    Request::get("/readyz").with(&spec.credentials).expect(spec.http);

    let other = Authority::new();
    files.issue_again(&other);
    let after = Credentials { tls: Some(trusting(&other)), authorization: None };
    until("the new certificate is shown", || {
        Request::get("/readyz").with(&after).send(spec.http).map_err(|error| error.to_string())
    });
    assert!(Request::get("/readyz").with(&spec.credentials).send(spec.http).is_err(), "the old one is shown");
    assert_eq!(ask(), 200);
}

#[test]
fn a_client_that_does_not_speak_holds_nobody_up() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().expect("a directory"));
    let (cluster, _files) = node(&authority, &dir);
    let spec = &cluster.nodes[0].spec;
    let mut silent = Connection::open(spec.http, LIMIT).expect("a connection");
    silent.send(b"\x16").expect("the first byte of a handshake");
    assert_eq!(Request::get("/readyz").with(&spec.credentials).expect(spec.http).status, 200);
    let error = silent.receive("GET").expect_err("no answer");
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof, "it is not closed: {error}");
}
