//! What a service manager such as systemd is told of a node.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use super::harness::Cluster;

const PATIENCE: Duration = Duration::from_secs(60);

struct Manager(UnixDatagram);

impl Manager {
    /// Reads what it is told until one line is this.
    fn is_told(&self, wanted: &str) {
        let mut told = Vec::new();
        while !told.iter().any(|line: &String| line.starts_with(wanted)) {
            let mut message = [0; 1024];
            let length =
                self.0.recv(&mut message).unwrap_or_else(|error| panic!("{wanted}: {error}, after {told:?}"));
            told.extend(String::from_utf8_lossy(&message[..length]).lines().map(str::to_owned));
        }
    }
}

#[test]
fn a_manager_is_told_that_a_node_serves_what_it_is_that_it_runs_and_that_it_stops() {
    let mut cluster = Cluster::start(2);
    let path = cluster.scratch("notify");
    let manager = Manager(UnixDatagram::bind(&path).expect("a socket"));
    manager.0.set_read_timeout(Some(PATIENCE)).expect("a bound to waiting");
    for node in &mut cluster.nodes {
        node.kill();
    }
    let supervised = [("NOTIFY_SOCKET", path.display().to_string()), ("WATCHDOG_USEC", "400000".to_owned())];
    cluster.nodes[0].spec.environment =
        supervised.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();

    // Without a quorum, for whoever starts a node waits for this before starting the next.
    cluster.nodes[0].start();
    manager.is_told("READY=1");
    manager.is_told("WATCHDOG=1");
    cluster.nodes[1].start();
    cluster.nodes[0].wait_ready();
    let standing = if cluster.leader() == 0 { "STATUS=leads in term" } else { "STATUS=follower of node 2" };
    manager.is_told(standing);
    assert_eq!(cluster.nodes[0].terminate().code(), Some(0));
    manager.is_told("STOPPING=1");
}
