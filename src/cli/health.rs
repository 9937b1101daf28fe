//! `health`: whether a node is ready, as an exit code, for images that have no other program to ask with.

use anyhow::Context;
use clap::Args;
use hyper::Method;

use super::nodes::NodesArgs;
use super::say;

/// Tells whether a node is ready: exit code 0 if the first that answers is, else 1 with the reason
///
/// It asks for /readyz, which needs no credentials.
#[derive(Debug, Args)]
pub struct HealthArgs {
    #[command(flatten)]
    nodes: NodesArgs,
}

/// # Errors
/// Why none is ready.
pub fn run(args: HealthArgs) -> anyhow::Result<()> {
    let client = args.nodes.client()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the client")?;
    let answer = runtime.block_on(client.ask(Method::GET, "/readyz", None))?.good()?;
    say(answer.as_str().unwrap_or("ready\n"))
}
