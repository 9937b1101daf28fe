//! `get`, `put-status` and `delete`: looks at instances and changes them, by Eureka's own requests.

mod shown;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use hyper::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use self::shown::{instances, table};
use super::admin_client::AdminClient;
use super::nodes::NodesArgs;
use super::say;

/// Shows applications and instances, as they are at the first node that answers
#[derive(Debug, Args)]
pub struct GetArgs {
    #[command(flatten)]
    nodes: NodesArgs,

    /// Only this application
    app: Option<String>,

    /// Only this instance of it
    instance: Option<String>,

    /// As Eureka's JSON
    #[arg(long)]
    json: bool,
}

/// Sets a status that counts until it is removed, whatever the instance says of itself
#[derive(Debug, Args)]
pub struct PutStatusArgs {
    #[command(flatten)]
    nodes: NodesArgs,

    app: String,

    instance: String,

    /// The status, or remove, after which the instance's own counts again
    #[arg(value_enum)]
    status: NewStatus,
}

/// Cancels an instance's lease; a client that still renews it registers it again
#[derive(Debug, Args)]
pub struct DeleteArgs {
    #[command(flatten)]
    nodes: NodesArgs,

    app: String,

    instance: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum NewStatus {
    Up,
    Down,
    Starting,
    OutOfService,
    Unknown,
    Remove,
}

impl NewStatus {
    fn wire(self) -> Option<&'static str> {
        match self {
            NewStatus::Up => Some("UP"),
            NewStatus::Down => Some("DOWN"),
            NewStatus::Starting => Some("STARTING"),
            NewStatus::OutOfService => Some("OUT_OF_SERVICE"),
            NewStatus::Unknown => Some("UNKNOWN"),
            NewStatus::Remove => None,
        }
    }
}

/// # Errors
/// When no node answers, or not with what is asked for.
pub fn get(args: GetArgs) -> anyhow::Result<()> {
    let path = match (&args.app, &args.instance) {
        (None, _) => "/eureka/apps".to_owned(),
        (Some(app), None) => format!("/eureka/apps/{}", segment(app)),
        (Some(app), Some(instance)) => path_of(app, instance),
    };
    let client = args.nodes.client()?;
    let found = ask(&client, Method::GET, &path)?;
    say(&if args.json { format!("{found:#}\n") } else { table(&instances(&found)) })
}

/// # Errors
/// When no node takes it.
pub fn put_status(args: PutStatusArgs) -> anyhow::Result<()> {
    let path = format!("{}/status", path_of(&args.app, &args.instance));
    let client = args.nodes.client()?;
    match args.status.wire() {
        Some(status) => {
            ask(&client, Method::PUT, &format!("{path}?value={status}"))?;
            say(&format!("{} of {} is {status} until that is removed\n", args.instance, args.app))
        }
        None => {
            ask(&client, Method::DELETE, &path)?;
            say(&format!("the status of {} of {} is what it says itself\n", args.instance, args.app))
        }
    }
}

/// # Errors
/// When no node takes it.
pub fn delete(args: DeleteArgs) -> anyhow::Result<()> {
    ask(&args.nodes.client()?, Method::DELETE, &path_of(&args.app, &args.instance))?;
    say(&format!("{} of {} is cancelled\n", args.instance, args.app))
}

fn ask(client: &AdminClient, method: Method, path: &str) -> anyhow::Result<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the client")?;
    let answer = runtime.block_on(client.ask(method, path, None))?;
    if answer.status == StatusCode::NOT_FOUND {
        bail!("there is no such application or instance");
    }
    answer.good()
}

fn path_of(app: &str, instance: &str) -> String {
    format!("/eureka/apps/{}/{}", segment(app), segment(instance))
}

/// A name as one segment of a path, whatever is in it.
fn segment(name: &str) -> impl std::fmt::Display {
    const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(name, NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_segment_each() {
        assert_eq!(path_of("A/B", "host:a b;c%"), "/eureka/apps/A%2FB/host%3Aa%20b%3Bc%25");
        assert_eq!(segment("orders-1.x_y~z").to_string(), "orders-1.x_y~z");
    }
}
