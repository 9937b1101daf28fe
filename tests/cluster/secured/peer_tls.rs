//! TLS between nodes: who shows no certificate of their authority is not let in.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use super::certificates::{Files, trusting};
use crate::harness::{Cluster, Connection, Document, Node, NodeSpec, free_addr, until};
use crate::samples::Authority;

const LIMIT: Duration = Duration::from_secs(10);

/// The flags of a node that shows peers a certificate of one authority and takes those of the one in `ca_file`.
fn flags(authority: &Authority, ca_file: &Path, dir: &Path, name: &str) -> Vec<String> {
    let files = Files::issued(authority, dir, name);
    let mut flags = files.flags("--peer-tls-cert-file", "--peer-tls-key-file");
    flags.extend(["--peer-tls-ca-file".to_owned(), ca_file.display().to_string()]);
    flags
}

fn ca_file(authority: &Authority, dir: &Path, name: &str) -> PathBuf {
    let file = dir.join(name);
    fs::write(&file, authority.pem()).expect("a written authority");
    file
}

/// Three nodes whose certificates are of this authority.
fn cluster(authority: &Authority, dir: &Path) -> Cluster {
    let ca_file = ca_file(authority, dir, "ca.pem");
    Cluster::start_prepared(3, |specs| {
        for spec in specs {
            spec.extra_flags = flags(authority, &ca_file, dir, &format!("node-{}", spec.id));
        }
    })
}

#[test]
fn nodes_with_certificates_form_a_cluster_also_after_they_are_renewed() {
    let (authority, dir) = (Authority::new(), tempfile::tempdir().expect("a directory"));
    let mut cluster = cluster(&authority, dir.path());
    let document = Document::new("MTLS", "i-1");
    for addr in cluster.addrs() {
        assert_eq!(document.register().expect(addr).status, 204);
    }
    cluster.assert_states_equal();

    for spec in cluster.nodes.iter().map(|node| &node.spec) {
        Files::issued(&authority, dir.path(), &format!("node-{}", spec.id));
    }
    until("every node has read its new certificate", || {
        match cluster.nodes.iter().all(|node| node.log().contains("certificates for peers read again")) {
            true => Ok(()),
            false => Err("not yet".to_owned()),
        }
    });
    // Makes all connections anew.
    cluster.nodes[0].restart();
    cluster.leader();
    assert_eq!(document.renew().expect(cluster.addrs()[0]).status, 200);
    cluster.assert_states_equal();
}

#[test]
fn peers_without_a_certificate_of_the_authority_are_refused() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let dir = tempfile::tempdir().expect("a directory");
    let cluster = cluster(&authority, dir.path());
    let spec = &cluster.nodes[0].spec;
    assert_closed(&mut Connection::open(spec.peer, LIMIT).expect("a connection"), "in clear");
    assert_refused(spec, &trusting(&authority), "without a certificate");
    let foreign = Files::issued(&stranger, dir.path(), "foreign");
    assert_refused(spec, &foreign.shown_to(&authority), "with one of another authority");

    // What is refused must be for the certificate: with the right one the same is let in.
    let own = Files::issued(&authority, dir.path(), "own");
    let mut connection = Connection::open_tls(spec.peer, LIMIT, &own.shown_to(&authority)).expect("TLS");
    connection.send(PREFACE).expect("a connection");
    assert!(connection.read(&mut [0]).is_ok_and(|read| read == 1), "a peer gets no answer");
}

#[test]
fn a_node_of_another_authority_cannot_join_and_one_without_tls_cannot_either() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let dir = tempfile::tempdir().expect("a directory");
    let mut cluster = cluster(&authority, dir.path());
    let term = cluster.settled()[0].term;
    cluster.nodes[2].kill();
    let real = cluster.nodes[2].spec.clone();
    let foreign_ca = ca_file(&authority, dir.path(), "foreign-ca.pem");
    for extra_flags in [flags(&stranger, &foreign_ca, dir.path(), "stranger"), Vec::new()] {
        let spec =
            NodeSpec { http: free_addr(), extra_flags, log_file: cluster.scratch("log"), ..real.clone() };
        let before = refusals(&cluster);
        let mut intruder = Node::spawn(spec);
        until("the others refuse the node", || match (intruder.view(), refusals(&cluster) - before) {
            (Ok(_), refused) if refused > 2 => Ok(()),
            told => Err(format!("{told:?}")),
        });
        assert_eq!(intruder.view().expect("a view").leader_id, None);
        intruder.kill();
    }
    assert_eq!(cluster.settled()[0].term, term, "an election was made");
}

/// How often the first two nodes have told that they refused a connection.
fn refusals(cluster: &Cluster) -> usize {
    let told = |node: &Node| node.log().matches("a connection to the peer port is refused").count();
    cluster.nodes[..2].iter().map(told).sum()
}

/// What a peer begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// In TLS 1.3 a client learns with its first read that its certificate is not taken.
fn assert_refused(spec: &NodeSpec, tls: &Arc<ClientConfig>, how: &str) {
    if let Ok(mut connection) = Connection::open_tls(spec.peer, LIMIT, tls) {
        assert_closed(&mut connection, how);
    }
}

fn assert_closed(connection: &mut Connection, how: &str) {
    let sent = connection.send(PREFACE);
    let read = sent.and_then(|()| connection.read_to_end(&mut Vec::new()));
    let timed_out = |error: &std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
    assert!(!read.as_ref().is_err_and(timed_out), "a peer {how} is kept");
    if let Ok(read) = read {
        // An alert, which is all that one in clear can read of it.
        assert!(read <= 7, "a peer {how} was answered {read} bytes");
    }
}
