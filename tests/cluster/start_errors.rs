//! A node that cannot start says why in one line and exits with 1.

use std::fs;
use std::net::TcpListener;
use std::process::Output;

use super::harness::{Cluster, NodeSpec, free_addr};

#[test]
fn the_http_port_is_in_use() {
    let (cluster, mut spec) = fresh();
    let taken = TcpListener::bind(free_addr()).expect("a free port");
    spec.http = taken.local_addr().expect("a bound port");
    assert_refuses(&spec, &spec.http.to_string());
    drop(cluster);
}

#[test]
fn the_peer_port_is_in_use() {
    let (cluster, mut spec) = fresh();
    let taken = TcpListener::bind(free_addr()).expect("a free port");
    spec.peer = taken.local_addr().expect("a bound port");
    spec.initial_cluster = format!("{}={}", spec.id, spec.peer);
    assert_refuses(&spec, &spec.peer.to_string());
    drop(cluster);
}

#[test]
fn the_data_directory_is_a_file() {
    let (cluster, mut spec) = fresh();
    spec.data_dir = cluster.scratch("a-file");
    fs::write(&spec.data_dir, "not a directory").expect("a file");
    assert_refuses(&spec, "a-file");
}

#[test]
fn the_data_directory_is_that_of_another_node() {
    let (mut cluster, mut spec) = fresh();
    spec.data_dir = cluster.nodes[0].spec.data_dir.clone();
    cluster.nodes[0].kill();
    spec.id = 7;
    spec.initial_cluster = format!("7={}", spec.peer);
    assert_refuses(&spec, &spec.data_dir.display().to_string());
    cluster.nodes[0].start();
    cluster.nodes[0].wait_ready();
}

#[test]
fn the_data_directory_is_in_use() {
    let (cluster, mut spec) = fresh();
    spec.data_dir = cluster.nodes[0].spec.data_dir.clone();
    assert_refuses(&spec, &spec.data_dir.display().to_string());
    assert_eq!(super::harness::Request::get("/readyz").expect(cluster.addrs()[0]).status, 200);
}

#[test]
fn the_cluster_lacks_the_node() {
    let (cluster, mut spec) = fresh();
    spec.initial_cluster = format!("8={}", spec.peer);
    assert_refuses(&spec, &spec.initial_cluster);
    drop(cluster);
}

/// A running node, and what another could be started with beside it.
fn fresh() -> (Cluster, NodeSpec) {
    let cluster = Cluster::start(1);
    let peer = free_addr();
    let spec = NodeSpec {
        http: free_addr(),
        peer,
        data_dir: cluster.scratch("fresh"),
        initial_cluster: format!("1={peer}"),
        // What is left on stderr is what is said whether anyone logs or not.
        extra_flags: vec!["--log-filter".to_owned(), "off".to_owned()],
        ..cluster.nodes[0].spec.clone()
    };
    (cluster, spec)
}

fn assert_refuses(spec: &NodeSpec, named: &str) {
    let output = run(spec);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{}: {errors}", output.status);
    let said: Vec<&str> = errors.lines().filter(|line| !line.trim().is_empty()).collect();
    assert_eq!(said.len(), 1, "one line is wanted on stderr: {said:#?}");
    assert!(said[0].contains(named), "{named} is not named in {}", said[0]);
}

/// Runs a server that is to end by itself; one that goes on is killed with the test's node.
fn run(spec: &NodeSpec) -> Output {
    let child =
        spec.command().stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn();
    let mut child = child.expect("the server's process");
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        super::harness::until("a server that cannot start ends", || {
            child.try_wait().expect("a child").ok_or_else(|| "it runs".to_owned())
        })
    }));
    if ended.is_err() {
        child.kill().expect("a running child");
    }
    let output = child.wait_with_output().expect("the child's output");
    assert!(ended.is_ok(), "the server goes on running: {}", String::from_utf8_lossy(&output.stderr));
    output
}
