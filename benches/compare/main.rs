//! rs-registry beside a bare axum, etcd and Spring Cloud's Eureka server: all measured in one run, in turn, three times.
//!
//! `cargo bench --bench compare` builds what it compares with (it needs Go for etcd, JDK 17 and Maven for the Eureka
//! server), and writes the medians and ratios to standard output and to `target/compare`, with a plot. What cannot be
//! built or fails is named in a line; the rest is measured, and the exit code is 1. Data is in `target/compare` too.
//!
//! - `COMPARE_SECS`: measured time of a load; 4. `COMPARE_WARM_UP_SECS`: load before it; 2.
//! - `COMPARE_PACED_WARM_UP_SECS`: the same for clients at Eureka's pace; 6, until the state that registering made is
//!   stored. For three minutes deltas have all that was registered; 185 shows what remains after that.
//! - `COMPARE_ROUNDS`: how often all is measured; 3.
//! - `COMPARE_ONLY`: some of `renew,register,alone,visible,fetch,memory,start,paced`.
//! - `COMPARE_SERVERS`: some of `ours,axum,etcd,spring,spring-peers`. The axum needs ours for its reads.
//! - `NODE_BINARY`: the program that nodes of ours run, by its absolute path, such as what `deploy/build.sh` makes;
//!   else what cargo builds with the bench. The load always comes from the latter.

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod bare_axum;
mod best;
mod etcd;
mod measure;
mod ours;
mod plot;
mod replay;
mod results;
mod settings;
mod spring;
mod start_clock;
mod table;

use std::process::ExitCode;

use anyhow::Context;

use self::bare_axum::BareAxum;
use self::common::{Machine, Output, is_bench};
use self::etcd::Etcd;
use self::measure::Server;
use self::results::Results;
use self::settings::Settings;
use self::spring::Spring;

fn main() -> ExitCode {
    let outcome = match replay::asked_for() {
        Some(replay) => replay.serve().map(|()| true),
        None if is_bench() => compare(),
        None => {
            eprintln!("compare measures only when it is called by cargo bench");
            Ok(true)
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("compare: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all was measured.
fn compare() -> anyhow::Result<bool> {
    let settings = Settings::read()?;
    let output = Output::new("compare")?;
    // Before anything runs: its load average is of those others who are there.
    let machine = Machine::look(output.path())?;
    let mut results = Results::default();
    let mut axum = BareAxum::new(&output)?;
    let etcd = settings.server(Server::Etcd).then(|| Etcd::build(&output));
    let mut etcd = etcd.and_then(|built| results.keep("etcd", built));
    let wants_spring = settings.server(Server::Spring) || settings.server(Server::SpringPeers);
    let spring = wants_spring.then(|| Spring::build(&output));
    let spring = spring.and_then(|built| results.keep("Spring Eureka", built));
    for round in 1..=settings.rounds {
        for server in Server::ALL.into_iter().filter(|server| settings.server(*server)) {
            eprintln!("round {round} of {}: {}", settings.rounds, server.title());
            let mut round = results.round(server, &settings);
            match server {
                Server::Ours => {
                    let axum = settings.server(Server::Axum).then_some(&mut axum);
                    ours::round(&mut round, &output, axum);
                }
                Server::Axum => axum.round(&mut round),
                Server::Etcd => etcd.iter_mut().for_each(|etcd| etcd.round(&mut round)),
                Server::Spring => spring.iter().for_each(|spring| spring.round(&mut round, 1)),
                Server::SpringPeers => spring.iter().for_each(|spring| spring.round(&mut round, 3)),
            }
        }
    }
    results.notes.extend(axum.remarks());
    results.notes.extend(etcd.and_then(|etcd| etcd.remarks()));
    report(&settings, &output, &machine, &results)?;
    Ok(results.problems.is_empty())
}

fn report(settings: &Settings, output: &Output, machine: &Machine, results: &Results) -> anyhow::Result<()> {
    let table = table::markdown(settings, machine, results);
    print!("{table}");
    output.write("compare.md", &table)?;
    output.write("compare.svg", plot::svg(results).context("the plot")?)?;
    output.write("compare.json", results.json(settings, machine).to_string())?;
    eprintln!("written to {}", output.path().display());
    Ok(())
}
