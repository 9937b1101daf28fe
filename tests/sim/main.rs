//! The whole cluster in one thread, on simulated time, network and disk: everything that happens follows
//! from a seed. `SEED=7` runs one seed and tells all of it, `SIM_SEEDS=1000` so many.

mod client;
mod committed;
mod disk;
mod faults;
mod host;
mod paused_runtime;
mod plant;
#[cfg(feature = "planted-bugs")]
mod planted;
mod rules;
mod wire;
mod world;

use std::time::Instant;

use plant::Plant;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

/// Without a wish, as many as a test run has patience for.
const SEEDS: u64 = 2;

#[test]
fn clusters_keep_their_promises() {
    if let Some(seed) = number("SEED") {
        let wanted = std::env::var("RUST_LOG").unwrap_or_else(|_| "error,rs_registry=info".to_owned());
        let wanted: Targets = wanted.parse().expect("a log filter");
        let lines = fmt::layer().without_time().with_ansi(false);
        registry().with(wanted).with(lines).init();
        let run = world::run(seed, Plant::Nothing);
        println!("{}", run.trace.join("\n"));
        assert_eq!(run.broken, Vec::<String>::new(), "seed {seed}");
        return;
    }
    let seeds = number("SIM_SEEDS").unwrap_or(SEEDS);
    let begin = Instant::now();
    let mut compared = 0;
    let failed: Vec<u64> = (1..=seeds).filter(|seed| fails(*seed, &mut compared)).collect();
    let simulated_s = (seeds * world::RUN_MS) as f64 / 1000.0;
    let per_minute = simulated_s / 60.0 / begin.elapsed().as_secs_f64();
    println!("simulation: {seeds} seeds, {simulated_s} simulated seconds, {per_minute:.2} hours a minute");
    println!("simulation: {compared} nodes compared their state with another's to the end");
    assert_eq!(failed, Vec::<u64>::new(), "seeds that failed; SEED=<one of them> tells what happened");
    assert!(compared > 0, "no node compared its state with another's");
}

#[test]
#[cfg_attr(not(tokio_unstable), ignore = "only as tests/sim/run.sh builds it")]
fn a_seed_is_the_same_run_again() {
    let seed = number("SEED").unwrap_or(1);
    let (first, second) = (world::run(seed, Plant::Nothing), world::run(seed, Plant::Nothing));
    let differ = first.trace.iter().zip(&second.trace).find(|(first, second)| first != second);
    assert_eq!(differ, None, "the first difference of two runs of seed {seed}");
    assert_eq!(first.trace.len(), second.trace.len());
}

fn fails(seed: u64, compared: &mut usize) -> bool {
    let run = world::run(seed, Plant::Nothing);
    *compared += run.compared;
    for broken in &run.broken {
        println!("seed {seed}: {broken}");
    }
    !run.broken.is_empty()
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}
