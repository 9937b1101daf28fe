//! `bench`: load for any server that speaks Eureka's protocol, and what it makes of it.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, value_parser};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::bench::plan::{DocumentKind, Plan, Resource, Workload};
use crate::bench::report::Report;
use crate::bench::target::BaseUrl;
use crate::cli::complain;
use crate::cli::signals::StopSignals;

/// Loads any Eureka server or cluster, and reports how fast it answers
#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    workload: Workloads,
}

#[derive(Debug, Subcommand)]
enum Workloads {
    /// Registers the instances again and again
    Register(Common),
    /// Renews the instances again and again
    Renew(Common),
    /// Reads the registry, an application or an instance
    Fetch {
        #[command(flatten)]
        common: Common,
        /// What to read
        #[arg(long, value_enum, default_value = "apps")]
        resource: Resource,
        /// Do not ask for compressed answers
        #[arg(long)]
        no_gzip: bool,
    },
    /// Reads the recent changes
    Delta {
        #[command(flatten)]
        common: Common,
        /// Do not ask for compressed answers
        #[arg(long)]
        no_gzip: bool,
    },
    /// Registers new instances (500 a second, or --rate) and measures until every other server shows them
    Visible(Common),
    /// Plays --instances clients, each renewing and fetching the delta at Eureka's pace; --rate has no effect
    Paced {
        #[command(flatten)]
        common: Common,
        /// Between two renewals of a client
        #[arg(long, value_name = "N", default_value_t = 30, value_parser = value_parser!(u32).range(1..=86_400))]
        renew_secs: u32,
        /// Between two fetches of a client
        #[arg(long, value_name = "N", default_value_t = 30, value_parser = value_parser!(u32).range(1..=86_400))]
        fetch_secs: u32,
    },
}

#[derive(Debug, Args)]
struct Common {
    /// Base URLs up to and including /eureka (or /eureka/v2, …); connections are spread over them
    #[arg(long, value_name = "URL,…", value_delimiter = ',', required = true)]
    urls: Vec<BaseUrl>,

    /// Connections that requests are sent on, each one after the other; with paced so many to renew on and so many to
    /// fetch on
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..=10_000))]
    connections: u32,

    /// Measured time
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = value_parser!(u32).range(1..=86_400))]
    duration_secs: u32,

    /// Load before it that does not count
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(0..=3_600))]
    warm_up_secs: u32,

    /// Instances to work on; they are registered before
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    instances: u32,

    /// Instances in an application
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u32).range(1..=100_000))]
    instances_per_app: u32,

    /// What the applications' names begin with; two runs at a time need two of these
    #[arg(long, value_name = "NAME", default_value = "BENCH", value_parser = app_prefix)]
    app_prefix: String,

    /// What is registered
    #[arg(long, value_enum, default_value = "spring")]
    document: DocumentKind,

    /// Duration of the leases; longer than the run
    #[arg(long, value_name = "N", default_value_t = 3_600, value_parser = value_parser!(u32).range(1..=2_147_483))]
    lease_secs: u32,

    /// Requests a second over all connections, whatever the answers, each counted from when it was due; 0: as fast as
    /// answers come
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(0..=1_000_000))]
    rate: Option<u32>,

    /// Threads that send
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u16).range(1..=64))]
    threads: u16,

    /// Do not cancel what was registered
    #[arg(long)]
    keep: bool,

    /// Report as JSON
    #[arg(long)]
    json: bool,

    /// Exit with 0 even if requests failed
    #[arg(long)]
    allow_errors: bool,
}

const APP_PREFIX_MAX_BYTES: usize = 64;

/// Returns when the report is written and what was registered is cancelled. An error if requests failed, unless that is
/// allowed.
pub fn run(args: BenchArgs) -> anyhow::Result<()> {
    let (workload, common) = args.workload.split();
    let plan = common.plan(workload);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(usize::from(common.threads))
        .enable_all()
        .build()
        .context("cannot start the threads of bench")?;
    let report = runtime.block_on(measure(&plan))?;
    show(&report, common.json).context("cannot write the report to standard output")?;
    if report.cleanup.is_some_and(|cleanup| cleanup.left > 0) {
        bail!("not everything that was registered could be cancelled; it ends with its leases");
    }
    if report.errors > 0 && !common.allow_errors {
        bail!("{} requests failed; --allow-errors takes that for success", report.errors);
    }
    Ok(())
}

async fn measure(plan: &Plan) -> anyhow::Result<Report> {
    let signals = StopSignals::listen().context("cannot listen for signals")?;
    let (stop, stopped) = oneshot::channel();
    // A task of its own: the second signal must work whatever goes on. Dropped, it is aborted.
    let mut watcher = JoinSet::new();
    watcher.spawn(watch(signals, stop));
    let stopped = async {
        match stopped.await {
            Ok(signal) => signal,
            // The watcher is gone, and so is what it would tell.
            Err(_) => std::future::pending().await,
        }
    };
    Ok(crate::bench::run(plan, stopped).await?)
}

/// Tells of the first signal, and ends the process at the next.
async fn watch(mut signals: StopSignals, stop: oneshot::Sender<&'static str>) {
    let signal = signals.next().await;
    complain(&format!("{signal}: cancelling what was registered; once more leaves it to its leases"));
    let _ = stop.send(signal);
    let signal = signals.next().await;
    complain(&format!("{signal} while cancelling: exit at once"));
    std::process::exit(1);
}

fn show(report: &Report, json: bool) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut stdout, report)?;
        writeln!(stdout)?;
    } else {
        write!(stdout, "{report}")?;
    }
    stdout.flush()
}

impl Workloads {
    fn split(self) -> (Workload, Common) {
        match self {
            Self::Register(common) => (Workload::Register, common),
            Self::Renew(common) => (Workload::Renew, common),
            Self::Fetch { common, resource, no_gzip } => {
                (Workload::Fetch { resource, gzip: !no_gzip }, common)
            }
            Self::Delta { common, no_gzip } => (Workload::Delta { gzip: !no_gzip }, common),
            Self::Visible(common) => (Workload::Visible, common),
            Self::Paced { common, renew_secs, fetch_secs } => {
                let (renew, fetch) = (seconds(renew_secs), seconds(fetch_secs));
                (Workload::Paced { renew, fetch }, common)
            }
        }
    }
}

impl Common {
    fn plan(&self, workload: Workload) -> Plan {
        Plan {
            workload,
            urls: self.urls.clone(),
            connections: self.connections as usize,
            warm_up: seconds(self.warm_up_secs),
            duration: seconds(self.duration_secs),
            instances: self.instances as usize,
            instances_per_app: self.instances_per_app as usize,
            app_prefix: self.app_prefix.clone(),
            document: self.document,
            lease_secs: self.lease_secs,
            keep: self.keep,
            rate: workload.rate(self.rate),
        }
    }
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(u64::from(count))
}

/// In capitals, of characters that need no encoding in a path.
fn app_prefix(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.is_empty() || text.len() > APP_PREFIX_MAX_BYTES || !text.bytes().all(plain) {
        return Err(format!("1 to {APP_PREFIX_MAX_BYTES} of a-z A-Z 0-9 . _ - are allowed"));
    }
    Ok(text.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_applications_are_in_capitals() {
        assert_eq!(app_prefix("bench-2").as_deref(), Ok("BENCH-2"));
        for text in ["", "a b", "a/b", &"a".repeat(65)] {
            assert!(app_prefix(text).is_err(), "{text}");
        }
    }
}
