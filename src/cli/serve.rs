//! `serve`: one node, until a signal stops it.

use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::cli::complain;
use crate::cli::signals::StopSignals;
use crate::config::{Config, Flags};
use crate::format::Formats;
use crate::{logging, node};

/// Runs one node of a cluster
///
/// Each setting may also be given as an environment variable (RS_REGISTRY_NODE_ID for --node-id) or as a key of the
/// config file (node_id). Flags win over the environment, that over the file.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// TOML file of settings
    #[arg(long, value_name = "FILE", env = "RS_REGISTRY_CONFIG")]
    config: Option<PathBuf>,

    #[command(flatten)]
    settings: Flags,

    /// Stop when standard input ends, so that no node outlives the process that started it
    #[arg(long, hide = true)]
    stop_on_stdin_eof: bool,
}

/// How long threads that block, such as one in a DNS lookup, may hold up the exit of a node that has stopped.
const LINGER: Duration = Duration::from_secs(1);

/// Returns when the node has stopped gracefully, or why it could not start or go on.
pub fn run(args: ServeArgs, formats: Formats) -> anyhow::Result<()> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = Config { formats, ..Config::load(&args.settings, args.config.as_deref(), environment)? };
    logging::init(config.log_format, &config.log_filter)?;

    let mut runtime = match config.threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.worker_threads(config.threads).enable_all().build();
    let runtime = runtime.context("cannot start the threads of the node")?;
    let outcome = runtime.block_on(serve(config, args.stop_on_stdin_eof));
    runtime.shutdown_timeout(LINGER);
    outcome
}

async fn serve(config: Config, stop_on_stdin_eof: bool) -> anyhow::Result<()> {
    let signals = StopSignals::listen().context("cannot listen for signals")?;
    let (stdin_ended, stdin_end) = oneshot::channel();
    if stop_on_stdin_eof {
        tell_end_of_stdin(stdin_ended).context("cannot watch standard input")?;
    }
    let (stop, stopped) = oneshot::channel();
    // A task of its own: the second signal must work even while the node blocks its thread. Dropped, it is aborted.
    let mut watcher = JoinSet::new();
    watcher.spawn(watch(signals, stdin_end, stop));
    node::run(config, async {
        // An error would mean that the watcher is gone, and no one would stop the node then.
        let _ = stopped.await;
    })
    .await
}

/// Asks the node to stop at the first signal or the end of standard input, and ends the process at the next signal.
async fn watch(mut signals: StopSignals, stdin_end: oneshot::Receiver<()>, stop: oneshot::Sender<()>) {
    let cause = tokio::select! {
        signal = signals.next() => signal,
        Ok(()) = stdin_end => "end of standard input",
    };
    tracing::info!(cause, "stopping");
    let _ = stop.send(());
    let signal = signals.next().await;
    complain(&format!("{signal} while stopping: exit at once"));
    std::process::exit(1);
}

/// A thread, for a read of standard input cannot be cancelled and would hold up the end of a runtime.
fn tell_end_of_stdin(ended: oneshot::Sender<()>) -> io::Result<()> {
    let wait = move || {
        let mut buffer = [0; 256];
        let mut stdin = io::stdin().lock();
        loop {
            match stdin.read(&mut buffer) {
                Ok(read) if read > 0 => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => break,
            }
        }
        let _ = ended.send(());
    };
    std::thread::Builder::new().name("stdin".into()).spawn(wait).map(drop)
}
