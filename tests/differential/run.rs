//! A run: so many sequences, the failing one shrunk, and what it all came to.

use std::env;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Instant;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::differences::{RULES, Rule};
use super::play::{Failure, Players, Tally};
use super::sequence::{Sequence, sequences};

/// Enough for each listed difference to turn up many times.
const DEFAULT_SEQUENCES: u64 = 600;

/// Most sequences played to make a failing one smaller.
const MAX_SHRINKS: usize = 2_000;

#[test]
#[ignore = "needs a Eureka server: tests/differential/run.sh"]
fn random_sequences_are_answered_alike() {
    let sequences = setting("EUREKA_TEST_SEQUENCES").unwrap_or(DEFAULT_SEQUENCES);
    let first_seed = setting("EUREKA_TEST_SEED").unwrap_or_else(rand::random);
    let mut players = Players::start();
    let mut tally = Tally::default();
    let start = Instant::now();
    for seed in (0..sequences).map(|number| first_seed.wrapping_add(number)) {
        let mut tree = tree(seed);
        if let Err(failure) = players.play(&tree.current(), &mut tally) {
            let failure = shrink(&mut players, &mut tree, failure);
            panic!("the servers differ: EUREKA_TEST_SEED={seed} EUREKA_TEST_SEQUENCES=1, {failure}");
        }
    }
    players.assert_states_equal();
    // Not by println!, whose output is hidden for a test that passes.
    let took = start.elapsed().as_secs();
    writeln!(io::stdout(), "differential: seed {first_seed}, {took} s, {}", summary(&tally))
        .expect("a stdout");
    if sequences >= DEFAULT_SEQUENCES {
        let stale: Vec<&str> = unused(&tally);
        assert!(stale.is_empty(), "listed differences that no step has (stale difference): {stale:#?}");
    }
}

fn setting(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}

fn tree(seed: u64) -> impl ValueTree<Value = Sequence> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    sequences().new_tree(&mut runner).unwrap_or_else(|reason| panic!("no sequence of seed {seed}: {reason}"))
}

/// The failure of the smallest sequence below this one that fails too.
fn shrink(
    players: &mut Players,
    tree: &mut impl ValueTree<Value = Sequence>,
    mut failure: Failure,
) -> Failure {
    let mut uncounted = Tally::default();
    let mut fails = true;
    for _ in 0..MAX_SHRINKS {
        if !(if fails { tree.simplify() } else { tree.complicate() }) {
            break;
        }
        match players.play(&tree.current(), &mut uncounted) {
            Ok(()) => fails = false,
            Err(smaller) => (failure, fails) = (smaller, true),
        }
    }
    failure
}

fn summary(tally: &Tally) -> String {
    let Tally { sequences, steps, equal, uses } = tally;
    let mut text = format!(
        "{sequences} sequences, {steps} steps compared, {equal} equal, {} with listed differences:",
        steps - equal
    );
    for (Rule { reason, .. }, uses) in RULES.iter().zip(uses) {
        write!(text, "\n{uses:>8} {reason}").expect("a String takes every write");
    }
    text
}

fn unused(tally: &Tally) -> Vec<&'static str> {
    let unused = RULES.iter().zip(&tally.uses).filter(|(_, uses)| **uses == 0);
    unused.map(|(rule, _)| rule.reason).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Action;

    const SEEDS: u64 = 300;

    fn requests(seed: u64) -> Vec<Vec<u8>> {
        let steps = tree(seed).current().steps();
        steps.iter().map(|step| step.request().bytes(([0, 0, 0, 0], 0).into())).collect()
    }

    #[test]
    fn a_seed_makes_the_same_sequence_again() {
        for seed in 0..SEEDS {
            assert_eq!(requests(seed), requests(seed), "{seed}");
        }
        assert_ne!(requests(1), requests(2));
    }

    #[test]
    fn what_is_not_played_is_not_drawn() {
        for step in (0..SEEDS).flat_map(|seed| tree(seed).current().steps()) {
            let request = step.request();
            let writes_there = matches!(request.method(), "PUT" | "DELETE");
            assert!(!writes_there || step.target.fits_a_path(), "{request:?}");
            let sets_status = matches!(step.action, Action::SetStatus { .. } | Action::RemoveStatus { .. });
            assert!(!sets_status || step.target.may_be_overridden(), "{request:?}");
            let text = String::from_utf8_lossy(&request.bytes(([0, 0, 0, 0], 0).into())).to_lowercase();
            let overridden = text.contains("overriddenstatus") && step.target.id() == "shared";
            assert!(!overridden || matches!(step.action, Action::Batch { .. }), "{request:?}");
        }
    }
}
