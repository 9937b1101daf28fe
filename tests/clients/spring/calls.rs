//! Applications that call another one by its name, through Spring Cloud LoadBalancer as it is set
//! up by default: it shares calls in turn between the instances that the Eureka client knows, and
//! asks that for them at most every 35 s.
//!
//! Beyond the lines that every client takes, the caller takes these:
//!
//! | line | answer |
//! | --- | --- |
//! | `call BY SERVICE COUNT` | how many of that many calls each instance has answered, and what the others failed with |
//! | `node` | the URL of the node that it last read the registry from, as a JSON string |

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;

use super::super::application::Application;
use super::super::harness::{Cluster, until};
use super::super::program::{DEFAULT_OF_BOOT_3, DEFAULT_OF_BOOT_4, Transport, java};

const SERVICE: &str = "stock";
const INSTANCES: [&str; 2] = ["127.0.0.1:stock:1", "127.0.0.1:stock:2"];
const CALLER: &str = "127.0.0.1:shop:1";

/// The HTTP clients that Spring Cloud puts its load balancer into.
const CALLERS: [&str; 2] = ["RestTemplate", "RestClient"];

const CALLS: u32 = 100;

/// Under the port that it listens at, which the system gives it.
const AT_OWN_PORT: &str = "-Deureka.instance.non-secure-port=0";

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn spring_boot_3_shares_calls_between_instances() {
    share_calls("boot-3", DEFAULT_OF_BOOT_3, Nodes::Stay);
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn spring_boot_3_shares_calls_while_its_node_is_dead() {
    share_calls("boot-3", DEFAULT_OF_BOOT_3, Nodes::Die);
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn spring_boot_4_shares_calls_between_instances() {
    share_calls("boot-4", DEFAULT_OF_BOOT_4, Nodes::Stay);
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn spring_boot_4_shares_calls_while_its_node_is_dead() {
    share_calls("boot-4", DEFAULT_OF_BOOT_4, Nodes::Die);
}

/// Two instances share all calls; when one leaves, the other gets them all. No call fails.
fn share_calls(line: &str, transport: Transport, nodes: Nodes) {
    let cluster = Cluster::start(3);
    let [leaving_id, staying_id] = INSTANCES;
    let leaving = start(&cluster, SERVICE, leaving_id, java(line, transport, &[AT_OWN_PORT]));
    let staying = start(&cluster, SERVICE, staying_id, java(line, transport, &[AT_OWN_PORT]));
    let caller = start(&cluster, "shop", CALLER, java(line, transport, &["-Dspring.profiles.active=caller"]));
    let mut run = Run { cluster, caller, nodes };

    run.until_seen(&[leaving_id, staying_id]);
    run.assert_shared(&[(leaving_id, CALLS / 2), (staying_id, CALLS / 2)]);

    leaving.stop();
    run.until_seen(&[staying_id]);
    run.until_turned_to(staying_id);
    run.assert_shared(&[(staying_id, CALLS)]);

    staying.stop();
    run.caller.stop();
}

fn start(cluster: &Cluster, name: &str, id: &str, mut command: Command) -> Application {
    let urls: Vec<String> = cluster.addrs().iter().map(|addr| format!("http://{addr}/eureka/")).collect();
    // The VIP address of a Spring application is its name.
    command.args([name, id, name, &urls.join(","), "{}"]);
    Application::start(&mut command, cluster.scratch(&format!("{}.log", id.replace(':', "-"))))
}

/// Whether the node that the caller reads from is killed right before calls.
#[derive(Clone, Copy, PartialEq)]
enum Nodes {
    Stay,
    Die,
}

/// What came of some calls.
#[derive(Debug, PartialEq, Deserialize)]
struct Calls {
    answers: BTreeMap<String, u32>,
    failures: Vec<String>,
}

struct Run {
    cluster: Cluster,
    caller: Application,
    nodes: Nodes,
}

impl Run {
    fn until_seen(&mut self, wanted: &[&str]) {
        until("the caller's client sees who is registered", || {
            let mut seen: Vec<String> = self.caller.ask("see", &[SERVICE])?;
            seen.sort();
            match seen == wanted {
                true => Ok(()),
                false => Err(format!("{seen:?} instead of {wanted:?}")),
            }
        });
    }

    /// Waits until the load balancer asks the client again.
    fn until_turned_to(&mut self, id: &str) {
        until("the load balancer has turned to those that are left", || {
            let calls = self.call(CALLERS[0], 2)?;
            match calls == answered(&[(id, 2)]) {
                true => Ok(()),
                false => Err(format!("{calls:?}")),
            }
        });
    }

    fn assert_shared(&mut self, wanted: &[(&str, u32)]) {
        let dead = (self.nodes == Nodes::Die).then(|| self.kill_node_of_caller());
        for by in CALLERS {
            let calls = self.call(by, CALLS).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(calls, answered(wanted), "calls by {by}");
        }
        if let Some(place) = dead {
            self.cluster.nodes[place].start();
            self.cluster.nodes[place].wait_ready();
        }
    }

    fn call(&mut self, by: &str, count: u32) -> Result<Calls, String> {
        self.caller.ask("call", &[by, SERVICE, &count.to_string()])
    }

    /// Its place in the cluster.
    fn kill_node_of_caller(&mut self) -> usize {
        let url: String = self.caller.ask("node", &[]).unwrap_or_else(|error| panic!("{error}"));
        let place = self.cluster.addrs().iter().position(|addr| url.contains(&addr.to_string()));
        let place = place.unwrap_or_else(|| panic!("no node is at {url}"));
        self.cluster.nodes[place].kill();
        place
    }
}

fn answered(counts: &[(&str, u32)]) -> Calls {
    let answers = counts.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect();
    Calls { answers, failures: Vec::new() }
}
