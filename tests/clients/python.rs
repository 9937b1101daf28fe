//! py_eureka_client.

use std::process::Command;

use super::harness::Cluster;
use super::needed;
use super::process::Process;
use super::scenario::{Client, live_through_failover};

struct PythonClient(Process);

impl Client for PythonClient {
    fn see(&mut self, app: &str) -> Vec<String> {
        self.0.say(&format!("see {app}"));
        let answer = self.0.hear();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    fn stop(mut self) {
        self.0.say("stop");
        assert_eq!(self.0.hear(), "stopped");
    }
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn py_eureka_client_lives_through_failover() {
    let python = needed("EUREKA_TEST_PYTHON");
    live_through_failover(&|cluster: &Cluster, app: &str, id: &str, urls: &str| {
        let mut command = Command::new(&python);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/python/client.py");
        command.args([script, app, id, urls]);
        let mut process = Process::start(&mut command, cluster.scratch(&format!("{id}.log")));
        assert_eq!(process.hear(), "ready");
        PythonClient(process)
    });
}
