//! A backup of a cluster that goes on, and new clusters made of it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::harness::{
    Cluster, Directory, Document, Node, NodeSpec, Program, Request, applications, done, failed, free_addr,
    until,
};

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Has its lease for long: none may end while a test goes on.
fn document(app: &str, id: &str) -> Document {
    Document::new(app, id).lease_secs(600)
}

/// Again if it was not decided in time, as a client does.
fn register(addr: SocketAddr, app: &str, id: &str) {
    until(&format!("{app} {id} is registered"), || match document(app, id).register().expect(addr).status {
        204 => Ok(()),
        status => Err(format!("{status}")),
    });
}

/// A cluster restored from a file, of nodes with these ids.
struct Restored {
    nodes: Vec<Node>,
    _dir: Directory,
}

impl Restored {
    fn from(file: &Path, ids: &[u64]) -> Self {
        let dir = Directory::temporary();
        let addrs: Vec<_> = ids.iter().map(|id| (*id, free_addr(), free_addr())).collect();
        let initial: Vec<String> = addrs.iter().map(|(id, _, peer)| format!("{id}={peer}")).collect();
        let initial_cluster = initial.join(",");
        let spec = |(id, http, peer): (u64, SocketAddr, SocketAddr)| NodeSpec {
            id,
            http,
            peer,
            data_dir: dir.path().join(format!("node-{id}")),
            log_file: dir.path().join(format!("node-{id}.log")),
            initial_cluster: initial_cluster.clone(),
            extra_flags: vec!["--cluster-name".to_owned(), "restored".to_owned()],
            environment: Vec::new(),
            wrapper: Vec::new(),
            program: Program::Built,
            credentials: Default::default(),
        };
        let specs: Vec<NodeSpec> = addrs.into_iter().map(spec).collect();
        for spec in &specs {
            let told = done(&arguments(file, spec, "restored"));
            assert!(told.contains(&format!("{} voters", ids.len())), "{told}");
        }
        let mut nodes: Vec<Node> = specs.into_iter().map(Node::spawn).collect();
        nodes.iter_mut().for_each(Node::wait_ready);
        Self { nodes, _dir: dir }
    }

    fn leader(&self) -> usize {
        until("a restored node leads", || {
            let leads = |node: &Node| node.view().is_ok_and(|view| view.leads());
            self.nodes.iter().position(leads).ok_or_else(|| "none".to_owned())
        })
    }
}

fn arguments(file: &Path, spec: &NodeSpec, cluster: &str) -> Vec<String> {
    let id = spec.id.to_string();
    let (dir, initial) = (text(&spec.data_dir), spec.initial_cluster.as_str());
    let named = [
        ("--in", text(file)),
        ("--data-dir", dir),
        ("--node-id", id.as_str()),
        ("--initial-cluster", initial),
    ];
    let named = named.into_iter().chain([("--cluster-name", cluster)]);
    let named = named.flat_map(|(name, value)| [name.to_owned(), value.to_owned()]);
    std::iter::once("restore".to_owned()).chain(named).collect()
}

fn overrides(addr: SocketAddr) -> serde_json::Value {
    Request::get("/serverinfo/statusoverrides").expect(addr).value()
}

/// What was acknowledged before the backup began, at the nodes in turn, is in it, and writes go on meanwhile.
#[test]
fn what_was_acknowledged_is_in_the_backup_and_in_every_cluster_made_of_it() {
    let mut cluster = Cluster::start_with(3, &["--snapshot-entries", "100"]);
    let addrs = cluster.addrs();
    for number in 0..30 {
        register(addrs[number % 3], "BEFORE", &format!("i-{number}"));
    }
    let out_of_service = format!("{}/status?value=OUT_OF_SERVICE", document("BEFORE", "i-7").path());
    until("an override", || match Request::put(&out_of_service).expect(addrs[1]).status {
        200 => Ok(()),
        status => Err(format!("{status}")),
    });
    let follower = cluster.follower();
    let url = format!("http://{}", addrs[follower]);
    let file = cluster.scratch("backup");

    let (stop, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (acknowledged, told, after) = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            // So many that it never ends before it is told to, and ends if nobody is left to tell it.
            for number in 0..5000 {
                if stop.load(Ordering::Acquire) {
                    break;
                }
                register(addrs[number % 3], "MEANWHILE", &format!("i-{number}"));
                written.store(number + 1, Ordering::Release);
            }
        });
        until("some were written", || {
            (written.load(Ordering::Acquire) > 5).then_some(()).ok_or("few".into())
        });
        let acknowledged = written.load(Ordering::Acquire);
        let told = done(&["backup", "--out", text(&file), "--urls", &url]);
        let after = written.load(Ordering::Acquire);
        until("it goes on", || {
            (written.load(Ordering::Acquire) > after + 5).then_some(()).ok_or("few".into())
        });
        stop.store(true, Ordering::Release);
        writer.join().expect("a writer that was always served");
        (acknowledged, told, after)
    });
    assert!(told.contains("cluster \"rs-registry\"") && told.contains("sha256"), "{told}");
    assert_eq!(done(&["backup", "verify", text(&file)]), told);
    assert!(failed(&["backup", "--out", text(&file), "--urls", &url]).contains("--force"));
    let before = applications(addrs[0])["BEFORE"].clone();
    let set = overrides(addrs[0]);
    let old_index = cluster.settled()[0].last_log_index.expect("an index");
    for node in &mut cluster.nodes {
        node.kill();
    }

    for ids in [&[11, 12, 13][..], &[5]] {
        let mut restored = Restored::from(&file, ids);
        for node in &restored.nodes {
            let shown = applications(node.spec.http);
            assert_eq!(shown["BEFORE"], before);
            let meanwhile = &shown["MEANWHILE"];
            assert!((0..acknowledged).all(|number| meanwhile.contains_key(&format!("i-{number}"))));
            assert!(meanwhile.len() <= after + 1, "{} of {after}", meanwhile.len());
            assert_eq!(overrides(node.spec.http), set);
            // However long the old cluster went on: none of its answers has the ETag of another one's of the new.
            let index: u64 = applied(node.spec.http);
            assert!(index > old_index + 1_000_000_000, "{index} after {old_index}");
        }
        assert_it_goes_on(&mut restored);
    }
    assert_refusals(&cluster, &file);
}

fn applied(addr: SocketAddr) -> u64 {
    let response = Request::get("/eureka/apps").accept_json().expect(addr);
    response.header("x-registry-index").and_then(|index| index.parse().ok()).expect("an index")
}

/// Writes and renews, also after the leader's death, and keeps all that through a restart.
fn assert_it_goes_on(restored: &mut Restored) {
    let size = restored.nodes.len();
    let leader = restored.leader();
    let addr = restored.nodes[leader].spec.http;
    until("a renewal", || match document("BEFORE", "i-0").renew().expect(addr).status {
        200 => Ok(()),
        503 => Err("not decided".to_owned()),
        status => panic!("a renewal of what was restored: {status}"),
    });
    register(restored.nodes[0].spec.http, "AFTER", "first");
    restored.nodes[leader].kill();
    if size > 1 {
        let other = restored.nodes[(leader + 1) % size].spec.http;
        until("a write after the leader's death", || {
            match document("AFTER", "second").register().send(other) {
                Ok(response) if response.status == 204 => Ok(()),
                answer => Err(format!("{answer:?}")),
            }
        });
    }
    restored.nodes[leader].start();
    restored.nodes[leader].wait_ready();
    for node in &restored.nodes {
        let read = Request::get("/eureka/apps?consistency=linearizable");
        until("a quorum", || match read.expect(node.spec.http).status {
            200 => Ok(()),
            status => Err(format!("{status}")),
        });
        assert_eq!(applications(node.spec.http)["AFTER"].len(), size.min(2));
    }
    until("all hold the same", || {
        let views: Result<Vec<_>, _> = restored.nodes.iter().map(Node::view).collect();
        let views = views?;
        let same = views.iter().all(|view| view.state_hash == views[0].state_hash);
        same.then_some(()).ok_or_else(|| format!("{views:?}"))
    });
}

/// Each with its reason, and without a directory that a node could be started with.
fn assert_refusals(cluster: &Cluster, file: &Path) {
    let mut spec = cluster.nodes[0].spec.clone();
    let fresh = cluster.scratch("refused");
    spec.data_dir.clone_from(&fresh);
    let whole = fs::read(file).expect("the backup");
    let damaged = cluster.scratch("damaged");
    for length in [0, 9, 60, whole.len() / 2, whole.len() - 1] {
        fs::write(&damaged, &whole[..length]).expect("to write");
        failed(&arguments(&damaged, &spec, "restored"));
    }
    let mut flipped = whole.clone();
    flipped[whole.len() / 3] ^= 1;
    fs::write(&damaged, flipped).expect("to write");
    assert!(failed(&arguments(&damaged, &spec, "restored")).contains("is damaged"));
    assert!(failed(&arguments(file, &spec, "rs-registry")).contains("--same-name"));
    assert!(failed(&arguments(file, &spec, "a name")).contains("--cluster-name"));
    spec.id = 9;
    assert!(failed(&arguments(file, &spec, "restored")).contains("lacks node 9"));
    spec.id = 1;
    assert!(!fresh.exists());
    spec.data_dir.clone_from(&cluster.nodes[0].spec.data_dir);
    assert!(failed(&arguments(file, &spec, "restored")).contains("is that of node 1"));
}

#[test]
fn a_node_without_a_quorum_gives_what_it_has_only_when_asked_for_that() {
    let mut cluster = Cluster::start(3);
    let addr = cluster.addrs()[0];
    register(addr, "DEMO", "i-1");
    cluster.settled();
    cluster.nodes[1].kill();
    cluster.nodes[2].kill();
    let (file, url) = (cluster.scratch("backup"), format!("http://{addr}"));
    let take = ["backup", "--out", text(&file), "--urls", &url];
    assert!(failed(&take).contains("--consistency local"));
    assert!(!file.exists());
    let local: Vec<&str> = take.into_iter().chain(["--consistency", "local"]).collect();
    assert!(done(&local).contains(" 1 instances"));
    let restored = Restored::from(&file, &[1]);
    assert_eq!(applications(restored.nodes[0].spec.http)["DEMO"].len(), 1);
}
