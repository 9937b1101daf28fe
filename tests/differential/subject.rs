//! A cluster of three nodes, all of whose instances go at the end of each sequence.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::harness::{Cluster, Request, Response};
use super::line::Line;
use super::text::encode;

pub struct Subject {
    cluster: Cluster,
    lines: Vec<Line>,
    node: usize,
    left_over: HashSet<Entry>,
}

/// What tells one change of an instance from all others: application, id, hostName, and when.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Entry([String; 4]);

/// It is the protocol that is compared: on a busy machine no answer is to be a 503 for an election.
const PATIENT: [&str; 4] = [
    "--election-timeout-min-ms=5000",
    "--election-timeout-max-ms=8000",
    "--write-timeout-ms=15000",
    "--heartbeat-interval-ms=200",
];

impl Subject {
    pub fn start() -> Self {
        let cluster = Cluster::start_with(3, &PATIENT);
        let lines = cluster.addrs().into_iter().map(Line::new).collect();
        Self { cluster, lines, node: 0, left_over: HashSet::new() }
    }

    pub fn cluster(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    /// Cancels what is there and turns to a node, modulo their number.
    pub fn begin(&mut self, node: usize) {
        self.node = node % self.lines.len();
        self.line().hang_up();
        let list = self.read("/eureka/apps?consistency=linearizable");
        for instance in instances(&list) {
            let (app, id) = (encode(&text(instance, "/app")), encode(&id_of(instance)));
            let response = self.line().ask(&Request::delete(&format!("/eureka/apps/{app}/{id}")));
            assert_eq!(response.status, 200, "{instance}: {response:?}");
        }
        let delta = self.read("/eureka/apps/delta");
        self.left_over = instances(&delta).map(Entry::of).collect();
    }

    /// The connection to the node of this sequence.
    pub fn line(&mut self) -> &mut Line {
        &mut self.lines[self.node]
    }

    /// Takes the changes of the sequences before out of a delta.
    pub fn without_left_overs(&self, mut delta: Value, in_xml: bool) -> Value {
        let listed = delta.pointer_mut("/applications/application").and_then(Value::as_array_mut);
        if let Some(applications) = listed {
            for application in applications.iter_mut() {
                if let Some(instances) = application["instance"].as_array_mut() {
                    instances.retain(|instance| !self.left_over.contains(&Entry::of(instance)));
                }
            }
            applications.retain(|application| application["instance"] != json!([]));
            // As in XML, where a list of nothing is not there; in JSON it was there and empty before.
            if applications.is_empty() && !self.left_over.is_empty() && in_xml {
                delta["applications"].as_object_mut().map(|members| members.remove("application"));
            }
        }
        delta
    }

    fn read(&mut self, path: &str) -> Value {
        let response: Response = self.line().ask(&Request::get(path).accept_json());
        assert_eq!(response.status, 200, "{path}: {response:?}");
        response.value()
    }
}

impl Entry {
    fn of(instance: &Value) -> Self {
        // In XML, that is, where some characters are others.
        let text = |instance, path| text(instance, path).replace(['\u{1}', '\u{ffff}'], "\u{fffd}");
        let at = instance["lastUpdatedTimestamp"].as_i64().map(|millis| millis.to_string());
        Self([
            text(instance, "/app"),
            text(instance, "/instanceId"),
            text(instance, "/hostName"),
            at.unwrap_or_else(|| text(instance, "/lastUpdatedTimestamp")),
        ])
    }
}

fn instances(document: &Value) -> impl Iterator<Item = &Value> {
    let applications = document["applications"]["application"].as_array().into_iter().flatten();
    applications.flat_map(|application| application["instance"].as_array().into_iter().flatten())
}

fn text(instance: &Value, path: &str) -> String {
    instance.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The id that an instance is kept under.
fn id_of(instance: &Value) -> String {
    let names = ["/instanceId", "/dataCenterInfo/metadata/instance-id", "/hostName"];
    let said = names.into_iter().map(|name| text(instance, name));
    said.into_iter()
        .find(|id| !id.is_empty())
        .unwrap_or_else(|| panic!("an instance without any name: {instance}"))
}
