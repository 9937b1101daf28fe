//! `cluster`: looks at the membership of a running cluster, and changes it.

mod eureka_servers;
mod health;
mod status;

use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use self::health::unhealthy;
use self::status::Asked;
use super::admin_client::AdminClient;
use super::nodes::NodesArgs;
use super::{complain, say};
use crate::config::HostPort;
use crate::raft::NodeId;

/// Looks at the nodes of a running cluster, adds and removes some, and hands leadership over
///
/// Any node can be asked: it passes changes on to the leader, which refuses what would cost the cluster its quorum.
#[derive(Debug, Args)]
pub struct ClusterArgs {
    #[command(flatten)]
    nodes: NodesArgs,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Shows the members, who leads, and how far each one is
    Status {
        /// As JSON, as the leader tells it
        #[arg(long)]
        json: bool,
    },
    /// Adds a node that was started with --join; it gets everything, serves reads and does not vote
    AddLearner {
        /// Its id and the address that other nodes reach it at
        #[arg(value_name = "ID=HOST:PORT", value_parser = new_member)]
        member: (NodeId, HostPort),
    },
    /// Makes a learner that has caught up a voter
    Promote {
        #[arg(value_name = "ID")]
        node_id: NodeId,
    },
    /// Takes a node out for good; its id must never be used again
    Remove {
        #[arg(value_name = "ID")]
        node_id: NodeId,
    },
    /// Has another voter lead
    TransferLeader {
        /// Which one; else the one that is furthest
        #[arg(value_name = "ID")]
        to: Option<NodeId>,
    },
    /// Waits until there is a leader and every member answers it and has caught up
    WaitHealthy {
        /// Gives up, with exit code 1
        #[arg(long, value_name = "SECS", default_value_t = 60)]
        timeout_secs: u64,
    },
}

const LOOK_INTERVAL: Duration = Duration::from_millis(250);

pub fn run(args: ClusterArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the client")?;
    runtime.block_on(act(&args.nodes.client()?, args.verb))
}

async fn act(client: &AdminClient, verb: Verb) -> anyhow::Result<()> {
    match verb {
        Verb::Status { json } => show(client, json).await,
        Verb::WaitHealthy { timeout_secs } => wait_healthy(client, Duration::from_secs(timeout_secs)).await,
        Verb::AddLearner { member: (node_id, peer_addr) } => {
            let body = json!({"node_id": node_id, "peer_addr": peer_addr.to_string()});
            change(client, Method::POST, "/api/cluster/members", Some(body)).await
        }
        Verb::Promote { node_id } => {
            let path = format!("/api/cluster/members/{node_id}/promote");
            change(client, Method::POST, &path, Some(json!({}))).await
        }
        Verb::Remove { node_id } => {
            change(client, Method::DELETE, &format!("/api/cluster/members/{node_id}"), None).await
        }
        Verb::TransferLeader { to } => {
            let body = to.map_or(json!({}), |to| json!({"to": to}));
            change(client, Method::POST, "/api/cluster/transfer-leader", Some(body)).await
        }
    }
}

async fn change(client: &AdminClient, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<()> {
    let answer = client.ask(method, path, body.as_ref()).await?.good()?;
    say(&format!("{}\n", answer["done"].as_str().unwrap_or("done")))
}

async fn show(client: &AdminClient, json: bool) -> anyhow::Result<()> {
    let asked = Asked::of(client).await?;
    say(&if json { format!("{:#}\n", asked.raw) } else { format!("{}\n", asked.status) })
}

async fn wait_healthy(client: &AdminClient, patience: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + patience;
    let mut told = String::new();
    loop {
        let look = tokio::time::timeout_at(deadline, Asked::of(client)).await;
        let reason = match look {
            Ok(Ok(Asked { status, .. })) => match unhealthy(&status) {
                None => return say(&format!("healthy: {}\n", status.summary())),
                Some(reason) => reason,
            },
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) if told.is_empty() => "no node answered".to_owned(),
            Err(_) => told.clone(),
        };
        if Instant::now() >= deadline {
            anyhow::bail!("not healthy after {} s: {reason}", patience.as_secs());
        }
        if reason != told {
            complain(&format!("waiting: {reason}"));
            told = reason;
        }
        sleep(LOOK_INTERVAL).await;
    }
}

fn new_member(text: &str) -> Result<(NodeId, HostPort), String> {
    let (id, addr) = text.split_once('=').ok_or("write ID=HOST:PORT")?;
    let id = id.trim().parse().map_err(|_| format!("{id:?} is no id of a node"))?;
    Ok((id, addr.parse().map_err(|error| format!("{error}"))?))
}
