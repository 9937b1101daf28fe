//! Plays every recorded step against a fresh node and compares what comes back by meaning.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::expected::Expected;
use super::golden::{self, GROUPS, Step};
use super::harness::{Cluster, Response, exchange};
use super::meaning::{self, Asked, Parts};

const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// A step with the meaning of what a node answered to it.
struct Played {
    step: Step,
    answered: Value,
}

#[test]
fn answers_as_recorded() {
    let groups: Vec<Vec<Step>> = GROUPS.into_iter().map(golden::load).collect();
    let mut expected = Expected::load(groups.iter().flatten());
    let played: Vec<Played> = thread::scope(|scope| {
        let threads: Vec<_> = groups.into_iter().map(|steps| scope.spawn(|| play(steps))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a group was played")).collect()
    });
    let (mut equal, mut listed, mut wrong) = (0, 0, Vec::new());
    for Played { step, answered } in &played {
        let (recorded, wanted) = expected.of(step);
        match (*answered == wanted, wanted == recorded) {
            (true, true) => equal += 1,
            (true, false) => listed += 1,
            (false, _) => wrong.push(report(step, answered, &wanted, &recorded)),
        }
    }
    // Not by println!, whose output is hidden for a test that passes.
    writeln!(
        io::stdout(),
        "wire replay: {} steps compared, {equal} equal, {listed} with listed differences, {} wrong",
        played.len(),
        wrong.len()
    )
    .expect("a stdout");
    let unused = expected.unused();
    assert!(unused.is_empty(), "listed differences that no step has (stale difference): {unused:#?}");
    assert!(wrong.is_empty(), "{} steps:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(played.len(), 581, "steps that were recorded");
}

fn play(steps: Vec<Step>) -> Vec<Played> {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let answer = |step: &Step| {
        let asked = Asked { path: &step.path, at_ms: meaning::now_ms() };
        let response = exchange(addr, &step.request_bytes(), &step.method, READ_TIMEOUT)
            .unwrap_or_else(|error| panic!("{} {}: {error}", step.number, step.name));
        meaning_of(&response, &asked)
    };
    steps.into_iter().map(|step| Played { answered: answer(&step), step }).collect()
}

fn meaning_of(response: &Response, asked: &Asked<'_>) -> Value {
    let body = response.decoded().unwrap_or_else(|error| panic!("{}: {error}", asked.path));
    let parts = Parts {
        status: response.status,
        content_type: response.header("content-type"),
        content_encoding: response.header("content-encoding"),
        body: &body,
    };
    meaning::of(&parts, asked)
}

fn report(step: &Step, answered: &Value, wanted: &Value, recorded: &Value) -> String {
    let stale = match answered == recorded {
        true => " (stale difference: this is what was recorded)",
        false => "",
    };
    let mut lines = vec![format!("{}-{} {} {}{stale}", step.number, step.name, step.method, step.path)];
    if !step.note.is_empty() {
        lines.push(format!("  note: {}", step.note));
    }
    lines.extend(meaning::differences(wanted, answered));
    lines.join("\n")
}

/// The comparison itself, against the recording played back by a server that would be equal.
mod comparison {
    use super::*;

    #[test]
    fn every_leaf_of_every_recorded_body_counts() {
        for step in GROUPS.into_iter().flat_map(golden::load) {
            let tree = |body: &[u8]| {
                let parts = Parts {
                    status: step.status,
                    content_type: step.response_header("content-type"),
                    content_encoding: None,
                    body,
                };
                meaning::of(&parts, &Asked { path: &step.path, at_ms: step.sent_at_ms })
            };
            let whole = tree(&step.body);
            assert_eq!(whole, tree(&step.body), "{}", step.number);
            if step.status == 200 && !step.body.is_empty() {
                let text = String::from_utf8_lossy(&step.body);
                for (from, to) in [("UP", "DOWN"), ("8080", "8081"), ("local", "lokal"), ("true", "false")] {
                    if text.contains(from) {
                        let changed = text.replacen(from, to, 1);
                        assert_ne!(whole, tree(changed.as_bytes()), "{}: {from} for {to}", step.number);
                    }
                }
                assert_ne!(whole, tree(&step.body[..step.body.len() - 1]), "{}: cut off", step.number);
            }
        }
    }
}
