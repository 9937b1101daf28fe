//! Breaks nodes and mends them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::history::History;
use super::plan::{Fault, Injection};
use crate::harness::Cluster;
use crate::network::Network;

pub struct Nemesis {
    file: File,
    pub injected: BTreeMap<Fault, usize>,
}

impl Nemesis {
    /// Writes a line of JSON for each fault to a file of this name.
    pub fn create(path: &Path) -> Self {
        let file = File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { file, injected: BTreeMap::new() }
    }

    /// Waits, breaks, waits and mends; afterwards all nodes run and can reach each other.
    pub fn inject(
        &mut self,
        injection: Injection,
        cluster: &mut Cluster,
        network: Option<&Network>,
        history: &History,
    ) {
        let Injection { calm, fault, hold } = injection;
        sleep(calm);
        let places = places(fault, cluster);
        let nodes: Vec<u64> = places.iter().map(|place| cluster.nodes[*place].spec.id).collect();
        self.note(history.now(), json!({"fault": fault, "nodes": nodes, "hold_ms": hold.as_millis() as u64}));
        let leader = places[0];
        match fault {
            Fault::KillLeader | Fault::KillFollower | Fault::KillTwo | Fault::KillAll => {
                kill(cluster, &places, hold);
            }
            Fault::PauseLeader | Fault::PauseFollower | Fault::PauseTwo => pause(cluster, &places, hold),
            Fault::RestartLeader | Fault::RestartFollower | Fault::RestartAll => restart(cluster, &places),
            Fault::CutWhatLeaderSends => cut(network, &links(cluster, |from, _| from == leader), hold),
            Fault::CutWhatLeaderGets => cut(network, &links(cluster, |_, to| to == leader), hold),
            Fault::CutOffLeader | Fault::CutOffFollower | Fault::CutOffAll => {
                cut(
                    network,
                    &links(cluster, |from, to| places.contains(&from) || places.contains(&to)),
                    hold,
                );
            }
        }
        *self.injected.entry(fault).or_default() += 1;
        self.note(history.now(), json!({"mended": fault}));
    }

    fn note(&mut self, at: Duration, mut what: serde_json::Value) {
        what["at_us"] = json!(u64::try_from(at.as_micros()).unwrap_or(u64::MAX));
        writeln!(self.file, "{what}").expect("a file that can be written");
    }
}

/// Whom a fault is for, the leader first where it is among them.
fn places(fault: Fault, cluster: &mut Cluster) -> Vec<usize> {
    let (leader, follower) = (cluster.leader(), cluster.follower());
    let all = [leader].into_iter().chain((0..cluster.nodes.len()).filter(|place| *place != leader));
    match fault {
        Fault::KillLeader
        | Fault::PauseLeader
        | Fault::CutOffLeader
        | Fault::CutWhatLeaderSends
        | Fault::CutWhatLeaderGets
        | Fault::RestartLeader => vec![leader],
        Fault::KillFollower | Fault::PauseFollower | Fault::CutOffFollower | Fault::RestartFollower => {
            vec![follower]
        }
        Fault::KillTwo | Fault::PauseTwo => vec![leader, follower],
        Fault::KillAll | Fault::CutOffAll | Fault::RestartAll => all.collect(),
    }
}

fn kill(cluster: &mut Cluster, places: &[usize], hold: Duration) {
    places.iter().for_each(|place| cluster.nodes[*place].kill());
    sleep(hold);
    places.iter().for_each(|place| cluster.nodes[*place].start());
    places.iter().for_each(|place| cluster.nodes[*place].wait_ready());
}

fn pause(cluster: &Cluster, places: &[usize], hold: Duration) {
    places.iter().for_each(|place| cluster.nodes[*place].pause());
    sleep(hold);
    places.iter().for_each(|place| cluster.nodes[*place].resume());
}

fn restart(cluster: &mut Cluster, places: &[usize]) {
    for place in places {
        let node = &mut cluster.nodes[*place];
        let status = node.terminate();
        assert_eq!(status.code(), Some(0), "node {} on SIGTERM: {status}", node.spec.id);
        node.start();
        node.wait_ready();
    }
}

/// The ways between nodes that are wanted, each from one place to another.
fn links(cluster: &Cluster, wanted: impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let places = 0..cluster.nodes.len();
    let ways = places.clone().flat_map(|from| places.clone().map(move |to| (from, to)));
    ways.filter(|(from, to)| from != to && wanted(*from, *to)).collect()
}

fn cut(network: Option<&Network>, links: &[(usize, usize)], hold: Duration) {
    let network = network.expect("a fault that is only wanted with a network");
    links.iter().for_each(|(from, to)| network.cut(*from, *to));
    sleep(hold);
    links.iter().for_each(|(from, to)| network.heal(*from, *to));
}
