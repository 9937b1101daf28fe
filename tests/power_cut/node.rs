//! A node as it is run: clients write to it while it is traced, and after a power cut it is started on
//! what is left.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::disk::Disk;
use super::harness::{
    Cluster, Connection, Document, Node, NodeSpec, Program, Request, applications, free_addr,
};
use super::outage::{self, EACH_KEPT};
use super::trace::{self, Deed, Kind};

const CLIENTS: u64 = 4;
const WRITES: usize = 60;
const INSTANCES: u64 = 4;
const ANSWER_LIMIT: Duration = Duration::from_secs(15);
/// So that snapshots and the stored state are written all the time.
const FLAGS: [&str; 6] =
    ["--snapshot-entries", "100", "--snapshot-keep-entries", "10", "--state-flush-interval-ms", "50"];

/// What a client's instances look like: by id, the registration and the status.
type Shown = BTreeMap<String, (String, String)>;

pub struct Recording {
    pub deeds: Vec<Deed>,
    clients: Vec<Client>,
    spec: NodeSpec,
    root: PathBuf,
}

struct Client {
    app: String,
    addr: SocketAddr,
    /// Before the first write, and after each.
    shown: Vec<Shown>,
}

impl Recording {
    pub fn make() -> Self {
        let traces = tempfile::tempdir().expect("a directory");
        let trace = traces.path().join("trace");
        let mut cluster = Cluster::start_prepared(1, |specs| {
            specs[0].data_dir = specs[0].data_dir.canonicalize().expect("a directory");
            specs[0].extra_flags = FLAGS.map(str::to_owned).to_vec();
            specs[0].wrapper = trace::strace(&trace);
        });
        let http = cluster.addrs()[0];
        let clients = thread::scope(|scope| {
            let clients: Vec<_> =
                (0..CLIENTS).map(|number| scope.spawn(move || work(http, number))).collect();
            clients.into_iter().map(|client| client.join().expect("a client")).collect()
        });
        let spec = cluster.nodes[0].spec.clone();
        assert!(cluster.nodes[0].terminate().success());
        Self { deeds: trace::read(&[trace]), clients, root: spec.data_dir.clone(), spec }
    }

    /// Cuts the power at a place, and starts the node again.
    ///
    /// # Errors
    /// What it lacks then.
    pub fn cut_at(&self, place: usize) -> Result<(), String> {
        let mut rng = StdRng::seed_from_u64(place as u64);
        let kept = EACH_KEPT[rng.random_range(0..EACH_KEPT.len())];
        let dir = tempfile::tempdir_in(outage::scratch()).expect("a directory");
        outage::leave(&Disk::at(&self.deeds, place), kept, &mut rng, &self.root, &dir.path().join("data"));
        let node = self.start(dir.path());
        // Waits until all that is in the log is applied.
        assert_eq!(Request::get("/eureka/apps?consistency=linearizable").expect(node.spec.http).status, 200);
        let shown = applications(node.spec.http);
        for client in &self.clients {
            let acknowledged = self.acknowledged(client, place);
            let instances = shown.get(&client.app).into_iter().flatten();
            let found: Shown = instances.map(|(id, instance)| (id.clone(), looks(instance))).collect();
            let next = (acknowledged + 1).min(WRITES);
            if ![acknowledged, next].iter().any(|writes| client.shown[*writes] == found) {
                let expected = &client.shown[acknowledged];
                return Err(format!(
                    "power cut at {place}, {kept:?} kept: after {acknowledged} writes {} has {found:?}, not {expected:?}",
                    client.app
                ));
            }
        }
        Ok(())
    }

    fn start(&self, dir: &Path) -> Node {
        let (http, peer) = (free_addr(), free_addr());
        let mut node = Node::spawn(NodeSpec {
            http,
            peer,
            data_dir: dir.join("data"),
            log_file: dir.join("log"),
            initial_cluster: format!("1={peer}"),
            wrapper: Vec::new(),
            program: Program::Built,
            ..self.spec.clone()
        });
        node.wait_ready();
        node
    }

    /// How many writes of the client had been answered: each was followed by a read.
    fn acknowledged(&self, client: &Client, place: usize) -> usize {
        let connection = format!("->{}]", client.addr);
        let begun = self.deeds.iter().filter(|deed| deed.begin < place);
        let answers = begun.filter(|deed| {
            matches!(&deed.kind, Kind::Tell { to, bytes } if to.ends_with(&connection) && bytes.starts_with(b"HTTP/1.1 "))
        });
        answers.count().div_ceil(2)
    }
}

/// Writes, and looks at what it wrote.
fn work(http: SocketAddr, number: u64) -> Client {
    let mut rng = StdRng::seed_from_u64(number);
    let app = format!("APP-{number}");
    let mut connection = Connection::open(http, ANSWER_LIMIT).expect("a connection");
    let mut ask = |request: Request| {
        connection.send(&request.bytes(http)).expect("a connection");
        connection.receive(request.method()).expect("an answer")
    };
    let mut shown = vec![Shown::new()];
    for write in 0..WRITES {
        let id = format!("i-{}", rng.random_range(0..INSTANCES));
        let is_there = shown[write].contains_key(&id);
        let document =
            Document::new(&app, &id).lease_secs(3600).set("metadata", json!({"write": write.to_string()}));
        let answer = ask(match rng.random_range(0..4) {
            0 if is_there => document.cancel(),
            1 if is_there => Request::put(&format!("{}/status?value=OUT_OF_SERVICE", document.path())),
            2 if is_there => document.renew(),
            _ => document.register(),
        });
        assert!(matches!(answer.status, 200 | 204), "{answer:?}");
        shown.push(instances(&ask(Request::get(&document.app_path()).accept_json())));
    }
    Client { app, addr: connection.local_addr().expect("a connection"), shown }
}

fn instances(response: &super::harness::Response) -> Shown {
    if response.status == 404 {
        return Shown::new();
    }
    let body = response.value();
    let instances = body["application"]["instance"].as_array().expect("a list");
    let id = |instance: &serde_json::Value| instance["instanceId"].as_str().expect("an id").to_owned();
    instances.iter().map(|instance| (id(instance), looks(instance))).collect()
}

fn looks(instance: &serde_json::Value) -> (String, String) {
    let text = |pointer| {
        instance.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    (text("/metadata/write"), text("/status"))
}
