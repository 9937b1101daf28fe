//! `import`: the registry of running Eureka servers, taken over into a cluster.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, value_parser};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use super::signals::StopSignals;
use super::{complain, say};
use crate::http_client::{HttpClient, ServerUrl};
use crate::import::{Follower, Source, TakeOver, Writer};

/// Takes the registry of running Eureka servers over into a cluster, once or for as long as they run
///
/// It registers every instance that they list, with its status and its override. An instance that its own client, or a
/// server that replicates, keeps in this cluster is left as it is. It can be run again at any time. An instance has a
/// lease here like any other: it ends unless its client comes to this cluster, a Eureka server replicates to it, or
/// --follow goes on.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Service URLs of the Eureka servers, as clients have them: http://USER:PASSWORD@HOST:8761/eureka/; all of them are
    /// read, and what several list is taken as the newest of them has it
    #[arg(
        long,
        value_name = "URL,…",
        value_delimiter = ',',
        required = true,
        env = "RS_REGISTRY_FROM_URLS",
        hide_env_values = true
    )]
    from: Vec<ServerUrl>,

    /// PEM file of the authority of the Eureka servers' certificates; else those are taken that the system trusts
    #[arg(long, value_name = "FILE", env = "RS_REGISTRY_FROM_CA_FILE")]
    from_ca_file: Option<PathBuf>,

    /// URLs of nodes of this cluster, of which any will do: http://HOST:PORT, or https://USER:PASSWORD@HOST:PORT
    #[arg(
        long,
        value_name = "URL,…",
        value_delimiter = ',',
        env = "RS_REGISTRY_URLS",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8761"
    )]
    to: Vec<ServerUrl>,

    /// PEM file of the authority of the nodes' certificates; else those are taken that the system trusts
    #[arg(long, value_name = "FILE", env = "RS_REGISTRY_CA_FILE")]
    ca_file: Option<PathBuf>,

    /// Reads, and tells what would be written
    #[arg(long, conflicts_with = "follow")]
    dry_run: bool,

    /// Goes on until SIGTERM or Ctrl-C: what changes there changes here, and what they list is renewed here
    #[arg(long)]
    follow: bool,

    /// Between two looks at what changed
    #[arg(
        long,
        value_name = "N",
        default_value_t = 5,
        requires = "follow",
        value_parser = value_parser!(u32).range(1..=300)
    )]
    interval_secs: u32,
}

const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// For one batch, at all nodes together.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);

/// Where Eureka's servers and this cluster have what clients ask for.
const SERVICE_PATH: &str = "/eureka/";

/// How many of those that are skipped are named.
const MAX_NAMED: usize = 10;

/// # Errors
/// Why not everything that can be taken over is.
pub fn run(args: ImportArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context("cannot start the threads of import")?;
    let outcome = runtime.block_on(import(args));
    // What is still being read is nobody's concern.
    runtime.shutdown_background();
    outcome
}

async fn import(args: ImportArgs) -> anyhow::Result<()> {
    let mut signals = StopSignals::listen().context("cannot listen for signals")?;
    let (sources, mut writer) = ends(&args)?;
    let work = async {
        let mut taken = TakeOver::read(&sources).await?;
        match args.dry_run {
            true => look(&mut taken, &writer).await?,
            false => take_over(&mut taken, &mut writer).await?,
        }
        anyhow::Ok(taken)
    };
    let taken = tokio::select! {
        taken = work => taken?,
        signal = signals.next() => bail!("{signal} before the end; what is done stays, and it can be started again"),
    };
    match args.follow {
        true => {
            let interval = Duration::from_secs(u64::from(args.interval_secs));
            follow(Follower::new(sources, taken, writer, interval), signals).await
        }
        false if args.dry_run => Ok(()),
        false => end(&taken),
    }
}

/// What is read from, and what is written to.
fn ends(args: &ImportArgs) -> anyhow::Result<(Vec<Source>, Writer)> {
    let client = |ca_file: &Option<PathBuf>, urls: &[ServerUrl], flag: &str| {
        let client = HttpClient::new(ca_file.as_deref(), CONNECT_PATIENCE).context(flag.to_owned())?;
        client.prepare(urls).context(flag.to_owned())?;
        anyhow::Ok(client)
    };
    let service = |url: &ServerUrl| url.clone().or_path(SERVICE_PATH);
    if let Some(both) =
        args.from.iter().find(|from| args.to.iter().any(|to| to.authority() == from.authority()))
    {
        bail!("{both} is to be read from and written to; its leases would never end");
    }
    let reading = client(&args.from_ca_file, &args.from, "--from-ca-file")?;
    let writing = client(&args.ca_file, &args.to, "--ca-file")?;
    let sources = args.from.iter().map(|url| Source::new(reading.clone(), service(url))).collect();
    Ok((sources, Writer::new(writing, args.to.iter().map(service).collect(), WRITE_PATIENCE)))
}

/// Tells what there is, and what of it would be written.
async fn look(taken: &mut TakeOver, writer: &Writer) -> anyhow::Result<()> {
    say(&described(taken))?;
    taken.compare(writer).await?;
    let found = taken.found();
    say(&format!("{} to be registered, {found} there already\n", taken.instances - found))
}

async fn take_over(taken: &mut TakeOver, writer: &mut Writer) -> anyhow::Result<()> {
    taken.compare(writer).await?;
    let bar = bar(taken.instances);
    taken.write(writer, |done| bar.set_position(done as u64)).await?;
    bar.finish_and_clear();
    say(&format!("{}{}\n", described(taken), taken.tally))
}

async fn follow(mut follower: Follower, mut signals: StopSignals) -> anyhow::Result<()> {
    let signal = tokio::select! {
        never = follower.run(|event| complain(&event.to_string())) => match never {},
        signal = signals.next() => signal,
    };
    say(&format!("{signal}: since the take-over {}\n{LEASES}", follower.tally()))
}

/// Of a run that does not go on.
fn end(taken: &TakeOver) -> anyhow::Result<()> {
    say(LEASES)?;
    match taken.tally.failed {
        0 => Ok(()),
        failed => bail!("{failed} instances could not be written; run it again"),
    }
}

const LEASES: &str = "What was taken over ends with its lease, unless its client comes to this cluster, a Eureka server \
                      replicates to it, or import --follow is started again\n";

/// Of a take-over, line by line.
fn described(taken: &TakeOver) -> String {
    let mut lines = Vec::new();
    for source in &taken.sources {
        lines.push(match &source.read {
            Ok(count) => format!("{}: {count} instances", source.url),
            Err(error) => format!("not read: {error}"),
        });
    }
    lines.push(format!("{} instances of {} applications", taken.instances, taken.applications));
    let skipped = taken.skipped.count();
    if skipped > 0 {
        lines.push(format!("{skipped} skipped:"));
        let named = taken.skipped.reasons().take(MAX_NAMED);
        lines.extend(named.map(|(name, reason)| format!("  {name}: {reason}")));
    }
    if skipped > MAX_NAMED {
        lines.push(format!("  and {} more", skipped - MAX_NAMED));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

fn bar(instances: usize) -> ProgressBar {
    const DRAWS_PER_SECOND: u8 = 5;
    let style = ProgressStyle::with_template("importing [{bar:40}] {pos}/{len}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    // Nothing is drawn where there is no terminal.
    ProgressBar::with_draw_target(
        Some(instances as u64),
        ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND),
    )
    .with_style(style.progress_chars("=> "))
    .with_finish(ProgressFinish::AndClear)
}
