//! No power cut loses what was acknowledged, or leaves what cannot be opened.
//!
//! A process is traced by strace. From the trace the disk is built anew as it was at any moment, and
//! from that what a power cut may have left of it then: without what was not synced, with all of it, with
//! the beginning, or with any of its sectors. What is opened on it must be all that was acknowledged, and
//! nothing that never was.

#[path = "../harness/mod.rs"]
mod harness;

mod disk;
mod log;
mod node;
mod outage;
mod script;
mod syscall;
mod trace;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use log::Recording;

/// Without a wish, how much a test run has patience for.
const SEEDS: u64 = 1;
const NODE_PLACES: u64 = 40;
const THREADS: usize = 2;

#[test]
fn the_log_holds_what_was_acknowledged_wherever_the_power_is_cut() {
    if let Err(reason) = trace::try_out() {
        return println!("power cut: log: skipped, {reason}");
    }
    let seeds = number("POWER_CUT_SEEDS").unwrap_or(SEEDS);
    let (mut cut, states) = (0, AtomicUsize::new(0));
    for seed in 1..=seeds {
        let recording = Recording::make(seed);
        let places = trace::places(&recording.deeds);
        let failed = at_each(&places, |place| recording.cut_at(place, &states));
        assert_eq!(failed, Vec::<String>::new());
        cut += places.len();
    }
    println!("power cut: log: {seeds} seeds, {cut} places, {} states opened", states.into_inner());
}

#[test]
fn a_node_has_what_it_acknowledged_wherever_the_power_is_cut() {
    if let Err(reason) = trace::try_out() {
        return println!("power cut: node: skipped, {reason}");
    }
    let recording = node::Recording::make();
    let all = trace::places(&recording.deeds);
    let count = number("POWER_CUT_NODE_PLACES").unwrap_or(NODE_PLACES);
    let mut rng = StdRng::seed_from_u64(number("POWER_CUT_SEED").unwrap_or(1));
    let places: Vec<usize> = all.sample(&mut rng, count as usize).copied().collect();
    let failed = at_each(&places, |place| recording.cut_at(place));
    assert_eq!(failed, Vec::<String>::new());
    println!("power cut: node: started after {} cuts, of {} places", places.len(), all.len());
}

/// What the work of a process that does not sync leaves is not taken for sound.
#[test]
fn a_log_that_is_not_synced_is_found_out() {
    if let Err(reason) = trace::try_out() {
        return println!("power cut: flaws: skipped, {reason}");
    }
    type Flaw = fn(&mut Recording);
    let flaws: [(&str, Flaw); 3] = [
        ("files are not synced", |recording| recording.forget_syncs(is_file)),
        ("directories are not synced", |recording| recording.forget_syncs(|path| !is_file(path))),
        ("what is read is not synced", |recording| recording.forget_syncs_at_the_start(is_file)),
    ];
    let whole = Recording::make(1);
    for (flaw, plant) in flaws {
        let mut recording = whole.clone();
        plant(&mut recording);
        let places = trace::places(&recording.deeds);
        let found = places.iter().find_map(|place| recording.cut_at(*place, &AtomicUsize::new(0)).err());
        println!("power cut: {flaw}: {found:?}");
        assert!(found.is_some(), "{flaw}, and nothing is found");
    }
}

fn is_file(path: &Path) -> bool {
    path.extension().is_some()
}

/// What is wrong at any of the places.
fn at_each(places: &[usize], cut_at: impl Fn(usize) -> Result<(), String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failed = Vec::new();
        while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
            failed.extend(cut_at(*place).err());
        }
        failed
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    })
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}
