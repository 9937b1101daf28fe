//! The wall clock of a node is set while it runs, by libfaketime: an hour ahead, an hour back.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::harness::{Document, NodeSpec, Request, until};
use super::skip::print_skipped;
use super::trial::{NODES, Trial};

const LIBRARIES: &str = "/usr/lib";
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";
const HOUR_MS: i64 = 60 * 60 * 1000;
/// What a shown time may differ by from what it is to be; every jump is far longer.
const TOLERANCE_MS: i64 = 10 * 60 * 1000;
/// Between two registrations whose times are compared.
const MOMENT: Duration = Duration::from_millis(1500);

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_leader_s_clock_jumps_back_and_ahead() {
    let name = "wall clock of the leader, 1 h back and 1 h ahead";
    let Some((mut trial, clocks)) = start(name) else { return };
    trial.fault(|trial| {
        let leader = trial.cluster.leader();
        clocks.set(leader, -1);
        assert_stands_still(trial);
    });
    trial.fault(|trial| {
        let leader = trial.cluster.leader();
        clocks.set(leader, 1);
        assert_ahead(trial, 1);
    });
    trial.fault(|trial| {
        let leader = trial.cluster.leader();
        clocks.set(leader, 0);
        assert_stands_still(trial);
    });
    trial.finish();
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn a_follower_s_clock_jumps_before_it_leads() {
    let name = "wall clock of a follower, which then leads";
    let Some((mut trial, clocks)) = start(name) else { return };
    // The first leader to come is ahead, and the next behind the log that it takes over.
    for hours in [1, -1] {
        trial.fault(|trial| {
            let leader = trial.cluster.leader();
            (0..trial.cluster.nodes.len())
                .filter(|place| *place != leader)
                .for_each(|place| clocks.set(place, hours));
            trial.cluster.nodes[leader].kill();
            trial.until_another_leads(leader);
            match hours {
                1 => assert_ahead(trial, hours),
                _ => assert_stands_still(trial),
            }
            trial.cluster.nodes[leader].start();
            trial.cluster.nodes[leader].wait_ready();
        });
    }
    trial.finish();
}

/// The clocks of all nodes, each in a file that its node looks at whenever it asks for the time.
struct Clocks {
    // Removed with the files.
    dir: tempfile::TempDir,
}

impl Clocks {
    fn file(dir: &Path, place: usize) -> PathBuf {
        dir.join(format!("clock-{place}"))
    }

    /// Sets the clock of the node at this place to the true time and so many hours.
    fn set(&self, place: usize, hours: i64) {
        // Renamed into place: a file that is half written would be no time at all.
        let next = self.dir.path().join("next");
        fs::write(&next, format!("{hours:+}h\n")).expect("a temporary file");
        fs::rename(next, Self::file(self.dir.path(), place)).expect("a temporary file");
    }
}

fn start(name: &str) -> Option<(Trial, Clocks)> {
    let Some(library) = library() else {
        print_skipped(name, &format!("there is no {LIBRARIES}/*/{LIBRARY}"));
        return None;
    };
    let clocks = Clocks { dir: tempfile::tempdir().expect("a temporary directory") };
    (0..NODES as usize).for_each(|place| clocks.set(place, 0));
    let prepare = |specs: &mut [NodeSpec]| {
        for (place, spec) in specs.iter_mut().enumerate() {
            let clock = Clocks::file(clocks.dir.path(), place);
            let variables = [
                ("LD_PRELOAD", library.display().to_string()),
                ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
                ("FAKETIME_NO_CACHE", "1".to_owned()),
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
                ("NO_FAKE_STAT", "1".to_owned()),
            ];
            spec.environment.extend(variables.map(|(name, value)| (name.to_owned(), value)));
        }
    };
    Some((Trial::start_prepared(name, NODES, prepare), clocks))
}

fn library() -> Option<PathBuf> {
    let triplets = fs::read_dir(LIBRARIES).ok()?;
    let candidates = triplets.filter_map(|triplet| Some(triplet.ok()?.path().join(LIBRARY)));
    candidates.into_iter().find(|candidate| candidate.exists())
}

/// The leader's clock is this many hours ahead, as clients see.
fn assert_ahead(trial: &mut Trial, hours: i64) {
    let ahead_ms = registered_ms(trial) - true_ms();
    let wanted_ms = hours * HOUR_MS;
    assert!((ahead_ms - wanted_ms).abs() < TOLERANCE_MS, "ahead by {ahead_ms} ms instead of {wanted_ms} ms");
}

/// The leader's clock is behind the log: times that clients see wait for it.
fn assert_stands_still(trial: &mut Trial) {
    let before_ms = registered_ms(trial);
    thread::sleep(MOMENT);
    let after_ms = registered_ms(trial);
    let passed_ms = after_ms - before_ms;
    assert!((0..MOMENT.as_millis() as i64).contains(&passed_ms), "went on by {passed_ms} ms");
}

/// The time that an instance which is registered now is shown with.
fn registered_ms(trial: &mut Trial) -> i64 {
    let document = Document::new("CLOCK", "i-1");
    let addrs = trial.cluster.addrs();
    until("an instance is registered and read", || {
        for addr in &addrs {
            let registered = document.register().send(*addr).is_ok_and(|answer| answer.status == 204);
            if !registered {
                continue;
            }
            let shown = Request::get(&document.path()).accept_json().expect(*addr).value();
            assert_eq!(document.cancel().expect(*addr).status, 200);
            return Ok(shown["instance"]["leaseInfo"]["registrationTimestamp"].as_i64().expect("a time"));
        }
        Err("no node registers it".to_owned())
    })
}

fn true_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_millis() as i64
}
