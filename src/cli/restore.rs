//! `restore`: a data directory for one node of a new cluster, from a backup.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use super::backup::read;
use super::say;
use crate::config::{InitialCluster, check_cluster_name};
use crate::node::{self, Restoration};
use crate::storage::Backup;

/// Makes the data directory of one node of a new cluster, from a backup
///
/// Run it once for each node of the new cluster, with the same file, cluster name and initial cluster, and start the
/// nodes by serve with these settings. The new cluster may have any size, ids and addresses.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup
    #[arg(long = "in", value_name = "FILE")]
    file: PathBuf,

    /// The node's data directory, empty or not there yet
    #[arg(long, value_name = "DIR", env = "RS_REGISTRY_DATA_DIR")]
    data_dir: PathBuf,

    /// The node's id in the new cluster
    #[arg(long, value_name = "ID", env = "RS_REGISTRY_NODE_ID", value_parser = clap::value_parser!(u64).range(1..))]
    node_id: u64,

    /// Every node of the new cluster, this one included: ID=HOST:PORT,...
    #[arg(long, value_name = "ID=HOST:PORT,...", env = "RS_REGISTRY_INITIAL_CLUSTER")]
    initial_cluster: InitialCluster,

    /// Name of the new cluster, another than the old one's, so that no node of that is ever taken for one of this
    #[arg(
        long,
        value_name = "NAME",
        env = "RS_REGISTRY_CLUSTER_NAME",
        required_unless_present = "same_name"
    )]
    cluster_name: Option<String>,

    /// Keeps the old cluster's name; no node of the old cluster must ever run again
    #[arg(long)]
    same_name: bool,
}

/// # Errors
/// Why there is no such directory; the one that was named is as it was, or is refused by serve and taken by the next
/// restore.
pub fn run(args: RestoreArgs) -> anyhow::Result<()> {
    let cluster_given = args.cluster_name.as_deref().map_or(Ok(()), check_cluster_name);
    if let Err(problem) = cluster_given {
        bail!("--cluster-name: {problem}");
    }
    if !args.initial_cluster.contains_key(&args.node_id) {
        bail!(
            "--initial-cluster {} lacks node {}; add it with its address",
            args.initial_cluster,
            args.node_id
        );
    }
    let backup = read(&args.file)?;
    let cluster_name = name(&args, &backup)?;
    let members = args.initial_cluster.iter().map(|(id, addr)| (*id, addr.to_string())).collect();
    let restoration = Restoration { data_dir: args.data_dir, node_id: args.node_id, cluster_name, members };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the writer of the log")?;
    let begin = runtime.block_on(node::restore(&restoration, &backup))?;
    say(&format!(
        "{}: node {} of cluster {:?}, {} voters, {} instances, begins after log index {}\n\
         from {}, sha256 {}\n\
         restore every other node of {} from the same file, then start them all by serve, with --cluster-name {}\n",
        restoration.data_dir.display(),
        restoration.node_id,
        restoration.cluster_name,
        restoration.members.len(),
        backup.header.registrations,
        begin.index,
        args.file.display(),
        backup.sha256,
        args.initial_cluster,
        restoration.cluster_name,
    ))
}

fn name(args: &RestoreArgs, backup: &Backup) -> anyhow::Result<String> {
    let old = backup.head.cluster.as_str();
    match args.cluster_name.as_deref() {
        Some(new) if args.same_name && new != old => {
            bail!(
                "--same-name is given, but the backup is of {old:?} and --cluster-name is {new:?}; leave one out"
            )
        }
        Some(new) if !args.same_name && new == old => bail!(
            "the backup is of the cluster {old:?} itself, and a node of that could get among the new ones; give another \
             --cluster-name, or --same-name if none of them ever runs again"
        ),
        Some(new) => Ok(new.to_owned()),
        None => Ok(old.to_owned()),
    }
}
