//! What a registry of more instances costs: three nodes of rs-registry with 1,000 to 300,000 of them, 100 to an
//! application.
//!
//! `cargo bench --bench growth` measures each size in turn, three times, and writes a table of the medians to standard
//! output and to `target/growth`, with a plot. Data is there too.
//!
//! - `GROWTH_SIZES`: how many instances; `1000,10000,100000,300000`.
//! - `GROWTH_ROUNDS`: how often; 3.
//! - `GROWTH_SECS`: measured time of a load; 5.
//! - `NODE_BINARY`: the program that nodes run, as for `compare`.

#[path = "../common/mod.rs"]
mod common;

mod growth;
mod plot;
mod reads;
mod size;
mod table;

use std::process::ExitCode;

use anyhow::{Context, ensure};

use self::common::{Machine, Output, is_bench, list, number};
use self::growth::Growth;
use self::size::Size;

const SIZES: [u32; 4] = [1_000, 10_000, 100_000, 300_000];

fn main() -> ExitCode {
    if !is_bench() {
        eprintln!("growth measures only when it is called by cargo bench");
        return ExitCode::SUCCESS;
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("growth: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> anyhow::Result<()> {
    let (rounds, secs) = (number("GROWTH_ROUNDS", 3)?, number("GROWTH_SECS", 5)?);
    let mut sizes = list("GROWTH_SIZES")?.unwrap_or_else(|| SIZES.to_vec());
    ensure!(!sizes.is_empty() && !sizes.contains(&0), "GROWTH_SIZES must have numbers from 1 on");
    sizes.sort_unstable();
    let output = Output::new("growth")?;
    let machine = Machine::look(output.path())?;
    let mut measured = vec![Vec::new(); sizes.len()];
    for round in 1..=rounds {
        for (&instances, measured) in sizes.iter().zip(&mut measured) {
            eprintln!("round {round} of {rounds}: {instances} instances");
            let size = Size::measure(instances, secs, &output);
            measured.push(size.with_context(|| format!("{instances} instances"))?);
        }
    }
    let sizes = measured.iter().filter_map(|rounds| Size::median(rounds)).collect();
    let growth = Growth { rounds, secs, machine, sizes };
    let table = table::markdown(&growth);
    print!("{table}");
    output.write("growth.md", &table)?;
    output.write("growth.svg", plot::svg(&growth.sizes).context("the plot")?)?;
    output.write("growth.json", serde_json::to_vec(&growth)?)?;
    eprintln!("written to {}", output.path().display());
    Ok(())
}
