//! What the leader tells of the cluster, or who was asked if it cannot be reached.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::Context;
use hyper::Method;
use serde::Deserialize;
use serde_json::Value;

use super::eureka_servers::{self, EurekaServer};
use crate::cli::admin_client::AdminClient;
use crate::cli::table::table;
use crate::raft::NodeId;

/// A cluster's status, and the JSON that it was read from.
pub struct Asked {
    pub status: ClusterStatus,
    pub raw: Value,
}

/// The part of `/api/cluster` that is shown.
#[derive(Debug, Clone, Deserialize)]
pub struct ClusterStatus {
    pub node_id: NodeId,
    pub leader_id: Option<NodeId>,
    pub term: u64,
    pub last_log_index: u64,
    pub voters: BTreeSet<NodeId>,
    pub learners: BTreeSet<NodeId>,
    pub nodes: BTreeMap<NodeId, NodeStatus>,
    pub instances: usize,
    pub failing: Vec<String>,
    #[serde(default)]
    pub eureka_peers: Vec<EurekaServer>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct NodeStatus {
    pub peer_addr: String,
    pub http_addr: Option<String>,
    /// Only the leader knows.
    pub matched_index: Option<u64>,
    pub answers: Option<bool>,
    pub answered_ms_ago: Option<u64>,
}

impl Asked {
    /// # Errors
    /// When no node answers, or not as one does.
    pub async fn of(client: &AdminClient) -> anyhow::Result<Self> {
        let asked = Self::one(client).await?;
        let leader = asked.status.leader_id.filter(|leader| *leader != asked.status.node_id);
        let Some(http_addr) = leader.and_then(|leader| asked.status.nodes.get(&leader)?.http_addr.clone())
        else {
            return Ok(asked);
        };
        // Its address may mean nothing from here.
        Ok(Self::one(&client.at(&http_addr)).await.unwrap_or(asked))
    }

    async fn one(client: &AdminClient) -> anyhow::Result<Self> {
        let raw = client.ask(Method::GET, "/api/cluster", None).await?.good()?;
        let status = serde_json::from_value(raw.clone())
            .context("the answer is not that of a node of rs-registry; check the URL")?;
        Ok(Self { status, raw })
    }
}

impl ClusterStatus {
    pub fn leads(&self) -> bool {
        self.leader_id == Some(self.node_id)
    }

    pub fn lag(&self, node: &NodeStatus) -> Option<u64> {
        node.matched_index.map(|matched| self.last_log_index.saturating_sub(matched))
    }

    /// In one line.
    pub fn summary(&self) -> String {
        let leader = match self.leader_id {
            Some(leader) => format!("node {leader} leads in term {}", self.term),
            None => "no leader is known".to_owned(),
        };
        let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        format!(
            "{leader}; {} (quorum {}), {}; {}",
            count(self.voters.len(), "voter"),
            self.voters.len() / 2 + 1,
            count(self.learners.len(), "learner"),
            count(self.instances, "instance")
        )
    }

    fn role(&self, id: NodeId) -> &'static str {
        match self.leader_id {
            Some(leader) if leader == id => "leader",
            _ if self.voters.contains(&id) => "voter",
            _ => "learner",
        }
    }
}

impl fmt::Display for ClusterStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.summary())?;
        let unknown = || "-".to_owned();
        let mut lines =
            vec![["node", "role", "peer address", "HTTP address", "lag", "answered"].map(str::to_owned)];
        lines.extend(self.nodes.iter().map(|(id, node)| {
            [
                id.to_string(),
                self.role(*id).to_owned(),
                node.peer_addr.clone(),
                node.http_addr.clone().unwrap_or_else(unknown),
                self.lag(node).map_or_else(unknown, |lag| lag.to_string()),
                node.answered_ms_ago.map_or_else(unknown, |ago| format!("{ago} ms ago")),
            ]
        }));
        f.write_str(&table(&lines, "  "))?;
        if !self.eureka_peers.is_empty() {
            write!(f, "\n{}", eureka_servers::lines(&self.eureka_peers))?;
        }
        if !self.leads() {
            let servers = if self.eureka_peers.is_empty() { "" } else { ", and how Eureka servers are" };
            write!(
                f,
                "\nnode {} tells this, which does not lead: only the leader knows how far each node is{servers}",
                self.node_id
            )?;
        }
        for failing in &self.failing {
            write!(f, "\nnode {}: {failing}", self.node_id)?;
        }
        Ok(())
    }
}
