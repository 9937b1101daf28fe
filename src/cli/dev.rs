//! `dev`: a cluster on this machine, each node a process of its own, to try things with.

mod board;
mod child;
mod directory;
mod output;
mod ports;
mod restart;
mod status;
mod table;

use std::path::PathBuf;

use anyhow::{Context, bail};
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::board::Board;
use self::child::{Ended, Keeper, Stop};
use self::directory::ClusterDir;
use self::output::Console;
use self::ports::NodePlan;
use self::status::StatusClient;
use crate::cli::signals::StopSignals;

/// Runs a cluster on this machine, each node a process of its own
#[derive(Debug, clap::Args)]
pub struct DevArgs {
    /// Number of nodes
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=9))]
    nodes: u16,

    /// HTTP port of node 1; the others have the ports after it
    #[arg(long, value_name = "PORT", default_value_t = 8761, value_parser = clap::value_parser!(u16).range(1..))]
    http_port: u16,

    /// Peer port of node 1; the others have the ports after it
    #[arg(long, value_name = "PORT", default_value_t = 9761, value_parser = clap::value_parser!(u16).range(1..))]
    peer_port: u16,

    /// Directory of the nodes' state, kept between runs
    #[arg(long, value_name = "DIR", default_value = "rs-registry-dev", conflicts_with = "ephemeral")]
    data_dir: PathBuf,

    /// Keep the state in a temporary directory that is removed at the end
    #[arg(long)]
    ephemeral: bool,
}

/// Returns when all nodes have stopped after a signal. Whatever can be known to be in the way is an error before the
/// first of them is started.
pub fn run(args: DevArgs) -> anyhow::Result<()> {
    let plans = ports::plan(args.nodes, args.http_port, args.peer_port)?;
    ports::check_free(&plans)?;
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let directory = match args.ephemeral {
        true => ClusterDir::ephemeral()?,
        false => ClusterDir::kept(&args.data_dir, args.nodes, args.peer_port)?,
    };
    let console = Console::new();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the threads of dev")?;
    console.say(&format!(
        "starting {} node{}, state {}; Ctrl-C stops",
        plans.len(),
        if plans.len() == 1 { "" } else { "s" },
        directory.describe()
    ));
    let outcome = runtime.block_on(supervise(program, plans, &directory, console));
    // Not hidden by what the nodes came to: a directory that stays behind should be known.
    directory.close().and(outcome)
}

async fn supervise(
    program: PathBuf,
    plans: Vec<NodePlan>,
    directory: &ClusterDir,
    console: Console,
) -> anyhow::Result<()> {
    let mut signals = StopSignals::listen().context("cannot listen for signals")?;
    let client = StatusClient::new().context("cannot ask the nodes how they are")?;
    let (stop, stopping) = watch::channel(Stop::No);
    let mut keepers = JoinSet::new();
    let mut pids = Vec::new();
    for plan in &plans {
        let (pid, pid_seen) = watch::channel(None);
        pids.push(pid_seen);
        let command = child::command(&program, plan, &plans, &directory.of_node(plan.id));
        keepers.spawn(Keeper::new(plan.id, command, console.clone(), pid, stopping.clone()).run());
    }
    let mut board = JoinSet::new();
    board.spawn(Board::new(plans, pids, client, console.clone()).run());

    let mut ended = Vec::new();
    loop {
        tokio::select! {
            signal = signals.next() => {
                board.abort_all();
                stop.send_modify(|stop| *stop = ask_to_stop(*stop, signal, &console));
            }
            joined = keepers.join_next() => match joined {
                Some(joined) => ended.push(joined.context("the keeper of a node failed")?),
                None => break,
            },
        }
    }
    if *stop.borrow() == Stop::No && ended.iter().all(|ended| *ended == Ended::GaveUp) {
        bail!("no node is left running");
    }
    console.say("all nodes have stopped");
    Ok(())
}

fn ask_to_stop(stop: Stop, signal: &str, console: &Console) -> Stop {
    if stop == Stop::No {
        console.say(&format!("{signal}: stopping the nodes; once more kills them"));
        Stop::Gracefully
    } else {
        console.say(&format!("{signal}: killing the nodes"));
        Stop::AtOnce
    }
}
