//! A node whose state is not what the log makes of it is found by its peers' hashes, and stops.

use rs_registry::format::Formats;
use rs_registry::registry::{AppName, InstanceId, Key, Origin, Registry, Status};
use rs_registry::storage::{SnapshotDir, StateStore};

use super::harness::{Cluster, Document, Request, until};

/// At least as many entries as lie between two comparisons.
const WRITES: usize = 256;

#[test]
fn a_node_that_deviates_stops_and_is_rebuilt_from_its_log() {
    a_node_that_deviates_stops_and_is_rebuilt(&[]);
}

#[test]
fn a_node_that_deviates_stops_and_is_rebuilt_from_the_snapshot_of_another() {
    a_node_that_deviates_stops_and_is_rebuilt(&[
        "--snapshot-entries",
        "200",
        "--snapshot-keep-entries",
        "20",
    ]);
}

fn a_node_that_deviates_stops_and_is_rebuilt(flags: &[&str]) {
    let mut cluster = Cluster::start_with(3, flags);
    let deviant = cluster.follower();
    write(&mut cluster, WRITES);
    cluster.assert_states_equal();
    until("all nodes have compared their states", || {
        let seen: Vec<_> = cluster.addrs().into_iter().map(compared).collect();
        let same = seen.iter().all(|(index, differing)| *index >= 256 && *differing == 0);
        same.then_some(()).ok_or_else(|| format!("{seen:?}"))
    });
    cluster.nodes[deviant].terminate();
    make_deviate(&cluster.nodes[deviant].spec.data_dir);
    cluster.nodes[deviant].start();
    cluster.nodes[deviant].wait_ready();
    write(&mut cluster, WRITES);

    let status = until("the node that deviates stops", || {
        cluster.nodes[deviant].exited().ok_or_else(|| "it runs".to_owned())
    });
    assert_eq!(status.code(), Some(1));
    let log = cluster.nodes[deviant].log();
    let last = log.lines().last().unwrap_or_default();
    assert!(last.contains("is not what the log makes of it: at log index"), "{last}");
    cluster.nodes[deviant].kill();
    write(&mut cluster, 1);

    cluster.nodes[deviant].start();
    cluster.nodes[deviant].wait_ready();
    cluster.assert_states_equal();
    let before = compared(cluster.addrs()[deviant]).0;
    write(&mut cluster, WRITES);
    until("it is compared again, and the same", || match compared(cluster.addrs()[deviant]) {
        (index, differing) if index > before && differing == 0 => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert!(cluster.nodes.iter_mut().all(|node| node.is_running()));
}

/// Each write is an entry of its own. On a busy machine another node may come to lead meanwhile.
fn write(cluster: &mut Cluster, writes: usize) {
    let leader = cluster.leader();
    let addr = cluster.addrs()[leader];
    for number in 0..writes {
        let document = Document::new("DEVIATION", &format!("i-{}", number % 20));
        until("a write is acknowledged", || match document.register().expect(addr).status {
            204 => Ok(()),
            status => Err(format!("write {number}: {status}")),
        });
    }
}

/// Up to where a node has compared its state, and with how many nodes it differs.
fn compared(addr: std::net::SocketAddr) -> (u64, usize) {
    let view = Request::get("/api/cluster").expect(addr).value();
    let index = view["state_compared_index"].as_u64().unwrap_or_else(|| panic!("no index: {view}"));
    (index, view["state_differs_at"].as_object().map_or(0, |differing| differing.len()))
}

/// Has the stored state of a node that does not run be one that could be, but is not the log's.
fn make_deviate(data_dir: &std::path::Path) {
    let store = until("the state can be opened", || {
        StateStore::open(&data_dir.join("state"), Formats::THIS).map_err(|error| error.to_string())
    });
    let (mut header, snapshot) = store.load().expect("a state").expect("a stored state");
    let mut registry = Registry::from_snapshot(snapshot).expect("a whole state");
    let key =
        Key::new(AppName::parse("DEVIATION").expect("a name"), InstanceId::parse("i-7").expect("an id"));
    registry.set_status(&key, Status::OutOfService, None, Origin::Client, &mut Vec::new());
    header.sequence = registry.sequence();
    header.state_hash = registry.state_hash().value();
    header.delta_entries = registry.delta().entries().len() as u64;
    store.replace(&header, &registry.snapshot()).expect("a stored state");
    store.sync().expect("a synced state");
    // The newer of the two is taken up.
    let snapshots = SnapshotDir::open(&data_dir.join("snapshot"), Formats::THIS).expect("snapshots");
    snapshots.write(&header, &registry.snapshot()).expect("a snapshot");
}
