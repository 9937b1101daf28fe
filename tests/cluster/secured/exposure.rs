//! Where a node does not listen unless it asks who is there.

use std::io::Read;
use std::process::Stdio;

use crate::harness::{Cluster, NodeSpec, free_addr, until};

#[test]
fn a_node_does_not_listen_beyond_loopback_unsecured() {
    let cluster = Cluster::start(1);
    let mut spec = NodeSpec {
        http: free_addr(),
        peer: free_addr(),
        data_dir: cluster.scratch("exposed"),
        ..cluster.nodes[0].spec.clone()
    };
    spec.initial_cluster = format!("1={}", spec.peer);
    spec.http.set_ip([0, 0, 0, 0].into());
    let said = refusal(&spec);
    assert!(said.contains("http_addr: 0.0.0.0:") && said.contains("auth_file"), "{said}");

    spec.http.set_ip([127, 0, 0, 1].into());
    spec.peer.set_ip([0, 0, 0, 0].into());
    spec.initial_cluster = format!("1={}", spec.peer);
    let said = refusal(&spec);
    assert!(said.contains("peer_addr: 0.0.0.0:") && said.contains("peer_tls_ca_file"), "{said}");
}

#[test]
fn a_node_listens_beyond_loopback_if_it_is_told_to() {
    let cluster = Cluster::start_prepared(1, |specs| {
        specs[0].http.set_ip([0, 0, 0, 0].into());
        specs[0].environment = vec![("RS_REGISTRY_INSECURE".to_owned(), "true".to_owned())];
    });
    assert!(cluster.nodes[0].log().contains("as insecure says"), "no warning");
}

/// What a node says that ends by itself.
fn refusal(spec: &NodeSpec) -> String {
    let child = spec.command().stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("the server's process");
    let ended = until("the server ends", || match child.try_wait().expect("a child") {
        Some(status) => Ok(status),
        None => Err("it runs".to_owned()),
    });
    assert_eq!(ended.code(), Some(1), "{ended}");
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("its last words");
    said
}
