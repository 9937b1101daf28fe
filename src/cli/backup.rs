//! `backup`: the state of a running cluster in a file, and whether such a file is whole.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use tempfile::NamedTempFile;

use super::nodes::NodesArgs;
use super::say;
use crate::storage::{Backup, read_backup, sync_dir};

/// Writes everything a running cluster has into a file, of which restore makes a new cluster
///
/// Any node can be asked, and goes on serving. The file has everything that was acknowledged before. It has what the
/// registry has: keep it where only those can read it who may read that.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct BackupArgs {
    #[command(flatten)]
    nodes: NodesArgs,

    /// The file to write; it is there when it is whole, and not before
    #[arg(long, value_name = "FILE", required = true)]
    out: Option<PathBuf>,

    /// Replaces a file that is there
    #[arg(long)]
    force: bool,

    /// Whether it must have everything that was acknowledged, or, local, what a node has; that needs no quorum
    #[arg(long, value_enum, default_value = "linearizable")]
    consistency: Consistency,

    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Consistency {
    Linearizable,
    Local,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Reads all of a backup, and tells what is in it and whether it is whole
    Verify {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// The end of the year 9999, after which such times cannot be written.
const LAST_TIME_MS: u64 = 253_402_300_799_999;

/// # Errors
/// Why there is no backup, or that a file is none.
pub fn run(args: BackupArgs) -> anyhow::Result<()> {
    match (&args.verb, &args.out) {
        (Some(Verb::Verify { file }), _) => say(&described(file, &read(file)?)),
        (None, Some(out)) => take(&args, out),
        (None, None) => bail!("give --out FILE"),
    }
}

/// The backup in a file, all of it verified.
///
/// # Errors
/// If it cannot be read, or is not a whole backup.
pub(super) fn read(file: &Path) -> anyhow::Result<Backup> {
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    read_backup(&opened).with_context(|| format!("{}", file.display()))
}

fn take(args: &BackupArgs, out: &Path) -> anyhow::Result<()> {
    let taken = || format!("{} is there already; --force replaces it", out.display());
    if !args.force && out.try_exists().with_context(|| format!("cannot look for {}", out.display()))? {
        bail!(taken());
    }
    let dir = out.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Readable for its owner alone.
    let writing = NamedTempFile::with_prefix_in(".backup-", dir)
        .with_context(|| format!("cannot write into {}", dir.display()))?;
    let client = args.nodes.client()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the client")?;
    let bar = bar();
    let path = match args.consistency {
        Consistency::Linearizable => "/api/backup",
        Consistency::Local => "/api/backup?consistency=local",
    };
    let download = client.download(path, writing.as_file(), |bytes| bar.set_position(bytes));
    let from = runtime.block_on(download)?;
    bar.finish_and_clear();
    writing.as_file().sync_all().with_context(|| format!("cannot write into {}", dir.display()))?;
    let backup = read_backup(writing.as_file()).with_context(|| format!("what {from} sent"))?;
    let persisted = match args.force {
        true => writing.persist(out),
        false => writing.persist_noclobber(out),
    };
    persisted.map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => anyhow::anyhow!(taken()),
        _ => anyhow::Error::new(error.error).context(format!("cannot write {}", out.display())),
    })?;
    sync_dir(dir).with_context(|| format!("cannot write into {}", dir.display()))?;
    let limits = match args.consistency {
        Consistency::Linearizable => String::new(),
        Consistency::Local => format!("what {from} had; others may have acknowledged more\n"),
    };
    say(&format!("{}{limits}", described(out, &backup)))
}

fn bar() -> ProgressBar {
    const DRAWS_PER_SECOND: u8 = 5;
    let style = ProgressStyle::with_template("{spinner} {bytes} at {bytes_per_sec}");
    // How long it gets is known at its end.
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        .with_finish(ProgressFinish::AndClear)
}

fn described(file: &Path, backup: &Backup) -> String {
    let Backup { head, header, bytes, sha256, .. } = backup;
    let applied = header.applied.unwrap_or_default();
    format!(
        "{}: cluster {:?}, log index {}, term {}, {} instances, {bytes} bytes, taken at {} by node {} (version {})\n\
         sha256 {sha256}\n",
        file.display(),
        head.cluster,
        applied.index,
        applied.term,
        header.registrations,
        time(head.taken_ms),
        head.node_id,
        head.program_version,
    )
}

/// To the second; a clock may have been anywhere.
fn time(epoch_ms: i64) -> String {
    let since_epoch = Duration::from_millis(u64::try_from(epoch_ms).unwrap_or(0).min(LAST_TIME_MS));
    httpdate::fmt_http_date(UNIX_EPOCH + since_epoch)
}
