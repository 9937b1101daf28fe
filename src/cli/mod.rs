//! The command line: one file a subcommand.

mod admin_client;
mod backup;
mod bench;
mod cluster;
mod config;
mod dev;
mod download;
mod hash;
mod health;
mod import;
mod instances;
mod manual;
mod nodes;
mod restore;
mod serve;
mod signals;
mod table;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand};

use crate::format::Formats;

/// A replicated service registry that speaks Eureka's REST protocol
#[derive(Debug, Parser)]
#[command(name = "rs-registry", version)]
struct Cli {
    #[command(subcommand)]
    subcommand: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    Serve(serve::ServeArgs),
    Dev(dev::DevArgs),
    Cluster(cluster::ClusterArgs),
    Backup(backup::BackupArgs),
    Restore(restore::RestoreArgs),
    Import(import::ImportArgs),
    Health(health::HealthArgs),
    Get(instances::GetArgs),
    PutStatus(instances::PutStatusArgs),
    Delete(instances::DeleteArgs),
    Config(config::ConfigArgs),
    Hash(hash::HashArgs),
    Bench(bench::BenchArgs),
    Completions(manual::CompletionsArgs),
    Man(manual::ManArgs),
}

/// Runs what the command line asks for. The exit code is 0 when it was done, 1 when it could not be, and 2 for a
/// command line that cannot be read.
pub fn run() -> ExitCode {
    run_with(std::env::args_os(), Formats::THIS)
}

/// The same for a given command line, whose first word is the program, as a program that reads these formats.
pub fn run_with(words: impl IntoIterator<Item = OsString>, formats: Formats) -> ExitCode {
    let outcome = match Cli::parse_from(words).subcommand {
        Subcommands::Serve(args) => serve::run(args, formats),
        Subcommands::Dev(args) => dev::run(args),
        Subcommands::Cluster(args) => cluster::run(args),
        Subcommands::Backup(args) => backup::run(args),
        Subcommands::Restore(args) => restore::run(args),
        Subcommands::Import(args) => import::run(args),
        Subcommands::Health(args) => health::run(args),
        Subcommands::Get(args) => instances::get(args),
        Subcommands::PutStatus(args) => instances::put_status(args),
        Subcommands::Delete(args) => instances::delete(args),
        Subcommands::Config(args) => config::run(args),
        Subcommands::Hash(args) => hash::run(args),
        Subcommands::Bench(args) => bench::run(args),
        Subcommands::Completions(args) => manual::completions(args, Cli::command()),
        Subcommands::Man(args) => manual::man(args, Cli::command()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// Writes to standard output, which may be closed before its end.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")
}

/// Writes one line to standard error; one that is closed is no reason to panic.
fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "rs-registry: {line}");
}

/// An error and its causes in one line; a cause that is already in the message above it is not said again.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let text = cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            line = text;
        } else if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_takes_no_flag_for_granted() {
        for arguments in [&["rs-registry", "serve"][..], &["rs-registry", "serve", "--config", "node.toml"]] {
            assert!(Cli::try_parse_from(arguments).is_ok(), "{arguments:?}");
        }
        assert!(Cli::try_parse_from(["rs-registry", "serve", "--node-id", "one"]).is_err());
        assert!(Cli::try_parse_from(["rs-registry", "serve", "--nod-id", "1"]).is_err());
    }

    #[test]
    fn dev_keeps_its_state_or_not() {
        assert!(Cli::try_parse_from(["rs-registry", "dev"]).is_ok());
        assert!(Cli::try_parse_from(["rs-registry", "dev", "--ephemeral"]).is_ok());
        assert!(Cli::try_parse_from(["rs-registry", "dev", "--ephemeral", "--data-dir", "d"]).is_err());
        assert!(Cli::try_parse_from(["rs-registry", "dev", "--nodes", "0"]).is_err());
    }

    #[test]
    fn an_error_and_its_causes_are_one_line() {
        let error = anyhow!("in use").context("cannot bind: in use").context("cannot\n  start");
        assert_eq!(one_line(&error), "cannot start: cannot bind: in use");
    }
}
