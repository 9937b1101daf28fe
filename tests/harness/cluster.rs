//! Several nodes that know each other.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use super::deadline::until;
use super::directory::Directory;
use super::http::Credentials;
use super::node::{ClusterView, Node, NodeSpec, Program};
use super::ports::free_addr;

pub struct Cluster {
    pub nodes: Vec<Node>,
    // Dropped after the nodes, which write below it.
    dir: Directory,
}

impl Cluster {
    /// Starts a cluster of this many nodes and waits until each is ready.
    pub fn start(size: u64) -> Self {
        Self::start_with(size, &[])
    }

    /// [`Cluster::start`] with more flags, the same for each node.
    pub fn start_with(size: u64, extra_flags: &[&str]) -> Self {
        let flags: Vec<String> = extra_flags.iter().map(|flag| (*flag).to_owned()).collect();
        Self::start_prepared(size, |specs| specs.iter_mut().for_each(|spec| spec.extra_flags = flags.clone()))
    }

    /// [`Cluster::start`] with what the nodes are started with changed before.
    pub fn start_prepared(size: u64, prepare: impl FnOnce(&mut [NodeSpec])) -> Self {
        Self::start_in(Directory::temporary(), size, prepare)
    }

    /// [`Cluster::start_prepared`] with logs and data in this directory.
    pub fn start_in(dir: Directory, size: u64, prepare: impl FnOnce(&mut [NodeSpec])) -> Self {
        let mut cluster = Self::founded_in(dir, size, prepare);
        cluster.start_nodes();
        cluster
    }

    /// A cluster whose nodes have their addresses but do not run yet, with logs and data in this
    /// directory.
    pub fn founded_in(dir: Directory, size: u64, prepare: impl FnOnce(&mut [NodeSpec])) -> Self {
        let mut specs = specs(dir.path(), size);
        prepare(&mut specs);
        Self { nodes: specs.into_iter().map(Node::new).collect(), dir }
    }

    /// Starts all nodes, none of which runs, and waits until each is ready.
    pub fn start_nodes(&mut self) {
        self.nodes.iter_mut().for_each(Node::start);
        self.nodes.iter_mut().for_each(Node::wait_ready);
    }

    /// The addresses of all nodes' HTTP, running or not, in order of id.
    pub fn addrs(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.spec.http).collect()
    }

    /// A file or directory of this name beside the nodes' own, which goes with them.
    pub fn scratch(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// Waits until one running node leads and all others follow it; returns its place in `nodes`.
    pub fn leader(&mut self) -> usize {
        until("one leader that all running nodes follow", || {
            let views = self.running_views()?;
            let leader = views.iter().find(|(_, view)| view.leads());
            let (place, leader) = leader.ok_or_else(|| format!("no leader in {views:?}"))?;
            match views.iter().find(|(_, view)| view.leader_id != Some(leader.node_id)) {
                Some((_, view)) => Err(format!("{view:?} does not follow {}", leader.node_id)),
                None => Ok(*place),
            }
        })
    }

    /// The place in `nodes` of a running node that does not lead.
    pub fn follower(&mut self) -> usize {
        let leader = self.leader();
        let place = (0..self.nodes.len()).find(|place| *place != leader && self.nodes[*place].is_running());
        place.unwrap_or_else(|| panic!("no follower is running"))
    }

    /// Waits until all running nodes have applied all that is in the leader's log; returns what
    /// each then says. No write may be under way.
    pub fn settled(&mut self) -> Vec<ClusterView> {
        until("all running nodes have applied the same log", || {
            let views: Vec<ClusterView> = self.running_views()?.into_iter().map(|(_, view)| view).collect();
            let last = views.iter().map(|view| view.last_log_index).max().flatten();
            match views.iter().all(|view| view.applied_index == last) {
                true => Ok(views),
                false => Err(format!("{views:?}")),
            }
        })
    }

    /// [`Cluster::settled`], and that equal logs made equal states.
    pub fn assert_states_equal(&mut self) {
        let views = self.settled();
        for view in &views {
            assert_eq!(view.state_hash, views[0].state_hash, "states differ: {views:?}");
        }
    }

    fn running_views(&mut self) -> Result<Vec<(usize, ClusterView)>, String> {
        let mut views = Vec::new();
        for (place, node) in self.nodes.iter_mut().enumerate() {
            if node.is_running() {
                views.push((place, node.view()?));
            }
        }
        Ok(views)
    }
}

/// Specs for nodes `1..=size`, each with a directory of its own below `dir`.
fn specs(dir: &Path, size: u64) -> Vec<NodeSpec> {
    let addrs: Vec<(u64, SocketAddr, SocketAddr)> =
        (1..=size).map(|id| (id, free_addr(), free_addr())).collect();
    let initial_cluster: Vec<String> = addrs.iter().map(|(id, _, peer)| format!("{id}={peer}")).collect();
    let initial_cluster = initial_cluster.join(",");
    let spec = |(id, http, peer): (u64, SocketAddr, SocketAddr)| {
        let data_dir = dir.join(format!("node-{id}"));
        fs::create_dir(&data_dir).unwrap_or_else(|error| panic!("{}: {error}", data_dir.display()));
        NodeSpec {
            id,
            http,
            peer,
            data_dir,
            log_file: dir.join(format!("node-{id}.log")),
            initial_cluster: initial_cluster.clone(),
            extra_flags: Vec::new(),
            environment: Vec::new(),
            wrapper: Vec::new(),
            program: Program::Built,
            credentials: Credentials::default(),
        }
    };
    addrs.into_iter().map(spec).collect()
}
