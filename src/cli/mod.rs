//! The command line: one file a subcommand.

mod admin_client;
mod bench;
mod cluster;
mod dev;
mod hash;
mod serve;
mod signals;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    Bench(bench::BenchArgs),
    Hash(hash::HashArgs),
}

/// Runs what the command line asks for. The exit code is 0 when it was done, 1 when it could not be, and 2 for a
/// command line that cannot be read.
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().subcommand {
        Subcommands::Serve(args) => serve::run(args),
        Subcommands::Dev(args) => dev::run(args),
        Subcommands::Cluster(args) => cluster::run(args),
        Subcommands::Bench(args) => bench::run(args),
        Subcommands::Hash(args) => hash::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&one_line(&error));
            ExitCode::FAILURE
        }
    }
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
    use anyhow::anyhow;
    use clap::CommandFactory;

    use super::*;

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
