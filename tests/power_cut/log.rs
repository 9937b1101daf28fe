//! The Raft log by itself: a process works on it and is traced, and at each place of the trace the power
//! is cut.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use openraft::alias::OneshotReceiverOf;
use openraft::storage::{IOFlushed, RaftLogReader, RaftLogStorage};
use openraft::type_config::TypeConfigExt;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rs_registry::format::Formats;
use rs_registry::metrics::Metrics;
use rs_registry::raft::{LogStore, TypeConfig};
use tokio::runtime::{Builder, Runtime};

use super::disk::Disk;
use super::outage::{self, EACH_KEPT};
use super::script::{Contents, Script, Step};
use super::trace::{self, Deed, Kind, OpenFile};

/// Small, so that there are many.
const FILE_BYTES: usize = 32 << 10;
const STEPS: usize = 250;
/// The process that works on the log ends so often without a word.
const LIVES: usize = 3;
/// Long enough for the last step to be written.
const WRITTEN: Duration = Duration::from_millis(300);
/// How many steps may be under way at once.
const AHEAD: usize = 4;

/// What the process of a seed did.
#[derive(Clone)]
pub struct Recording {
    seed: u64,
    pub deeds: Vec<Deed>,
    script: Script,
    root: PathBuf,
}

/// What the traced process said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// After so many steps the log was as it found it, and it goes on from there.
    Found(usize),
    Begins(usize),
    /// All steps up to this one are acknowledged.
    Done(usize),
}

impl Recording {
    pub fn make(seed: u64) -> Self {
        loop {
            let recording = Self::record(seed);
            // Whether a write was made that was under way when its process ended, no trace tells.
            if recording
                .deeds
                .iter()
                .all(|deed| deed.end.is_some() || !matches!(deed.kind, Kind::Write { .. }))
            {
                return recording;
            }
        }
    }

    fn record(seed: u64) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        // As the process names it.
        let root = dir.path().canonicalize().expect("a directory").join("log");
        let traces: Vec<PathBuf> = (0..LIVES).map(|life| dir.path().join(format!("trace-{life}"))).collect();
        for (life, trace) in traces.iter().enumerate() {
            let words = trace::strace(trace);
            let test = std::env::current_exe().expect("this test");
            let worked = Command::new(&words[0])
                .args(&words[1..])
                .arg(test)
                .args(["--exact", "log::works_on_a_log", "--ignored", "--nocapture"])
                .envs([("POWER_CUT_LOG", root.as_os_str())])
                .envs([("POWER_CUT_SEED", seed.to_string()), ("POWER_CUT_LIFE", life.to_string())])
                .output()
                .expect("strace");
            let said = String::from_utf8_lossy(&worked.stdout);
            assert!(said.contains("says ends"), "life {life} of seed {seed} ended early: {said}");
        }
        let deeds = trace::read(&traces);
        Self { seed, deeds, script: Script::new(seed, STEPS), root }
    }

    /// Has it be as if the process had never synced certain files and directories.
    pub fn forget_syncs(&mut self, forgotten: impl Fn(&Path) -> bool) {
        let paths = self.paths();
        self.deeds.retain(|deed| match &deed.kind {
            Kind::Sync { file } => !paths.get(file).is_some_and(|path| forgotten(path)),
            _ => true,
        });
    }

    /// Has it be as if a process had acted on what it found in certain files before that was synced.
    pub fn forget_syncs_at_the_start(&mut self, forgotten: impl Fn(&Path) -> bool) {
        let paths = self.paths();
        let mut deeds: Vec<Deed> = self.deeds.drain(..).rev().collect();
        let mut at_the_start = false;
        deeds.retain(|deed| match &deed.kind {
            Kind::Tell { bytes, .. } => {
                let said = String::from_utf8_lossy(bytes).lines().filter_map(said).next_back();
                at_the_start = said.map_or(at_the_start, |said| matches!(said, Said::Found(_)));
                true
            }
            Kind::Sync { file } => !(at_the_start && paths.get(file).is_some_and(|path| forgotten(path))),
            _ => true,
        });
        deeds.reverse();
        self.deeds = deeds;
    }

    fn paths(&self) -> HashMap<OpenFile, PathBuf> {
        let opened = self.deeds.iter().filter_map(|deed| match &deed.kind {
            Kind::Open { file, path, .. } => Some((*file, path.clone())),
            _ => None,
        });
        opened.collect()
    }

    /// Cuts the power at a place, in each way.
    ///
    /// # Errors
    /// What the log lacks then.
    pub fn cut_at(&self, place: usize, opened: &AtomicUsize) -> Result<(), String> {
        let disk = Disk::at(&self.deeds, place);
        let (least, most) = self.promised(place);
        for kept in EACH_KEPT {
            let mut rng = StdRng::seed_from_u64(self.seed ^ (place as u64) << 8 ^ kept as u64);
            let told = |what: &str| {
                format!(
                    "seed {}, power cut at {place}, {kept:?} kept; steps {least} to {most}: {what}",
                    self.seed
                )
            };
            let dir = tempfile::tempdir_in(outage::scratch()).expect("a directory");
            outage::leave(&disk, kept, &mut rng, &self.root, dir.path());
            let mut log = LogStore::open(dir.path(), FILE_BYTES, Formats::THIS, &Metrics::default())
                .map_err(|error| told(&error.to_string()))?;
            let found = runtime().block_on(contents(&mut log));
            let Some(step) = self.step_of(&found, least, most) else {
                return Err(told(&format!("found {}", brief(&found))));
            };
            drop(log);
            self.goes_on(dir.path(), step, &found).map_err(|error| told(&error))?;
            opened.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// After which step the log may be as it was found.
    fn step_of(&self, found: &Contents, least: usize, most: usize) -> Option<usize> {
        let Script { steps, contents } = &self.script;
        (least..=most).find(|step| {
            *found == contents[*step] || (*step < most && found.is_within(&contents[*step], &steps[*step]))
        })
    }

    /// What was found is found again, with what is done next.
    fn goes_on(&self, dir: &Path, step: usize, found: &Contents) -> Result<(), String> {
        let open = || {
            LogStore::open(dir, FILE_BYTES, Formats::THIS, &Metrics::default())
                .map_err(|error| format!("opened again: {error}"))
        };
        let next = (*found == self.script.contents[step]).then(|| self.script.steps.get(step)).flatten();
        let runtime = runtime();
        let mut log = open()?;
        if let Some(next) = next {
            runtime.block_on(take(&mut log, next));
            drop(log);
            log = open()?;
        }
        let expected = if next.is_some() { &self.script.contents[step + 1] } else { found };
        let again = runtime.block_on(contents(&mut log));
        if again != *expected {
            return Err(format!("then found {}, not {}", brief(&again), brief(expected)));
        }
        Ok(())
    }

    /// Up to which step everything was acknowledged, and up to which it was begun.
    fn promised(&self, place: usize) -> (usize, usize) {
        let mut promised = (0, 0);
        for deed in self.deeds.iter().filter(|deed| deed.begin < place) {
            let Kind::Tell { bytes, .. } = &deed.kind else { continue };
            for said in String::from_utf8_lossy(bytes).lines().filter_map(said) {
                promised = match said {
                    Said::Found(step) => (step, step),
                    Said::Begins(step) => (promised.0, step),
                    Said::Done(step) => (step, promised.1),
                };
            }
        }
        promised
    }
}

fn brief(contents: &Contents) -> String {
    let Contents { purged, last, committed, vote, entries } = contents;
    let ids: Vec<String> = entries.iter().map(|entry| entry.log_id.to_string()).collect();
    format!("purged {purged:?}, last {last:?}, committed {committed:?}, vote {vote:?}, entries {ids:?}")
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

async fn contents(log: &mut LogStore) -> Contents {
    let state = log.get_log_state().await.expect("a log");
    Contents {
        purged: state.last_purged_log_id,
        last: state.last_log_id,
        committed: log.read_committed().await.expect("a log"),
        vote: log.read_vote().await.expect("a log"),
        entries: log.try_get_log_entries(..).await.expect("a log"),
    }
}

/// Does a step and waits for it.
async fn take(log: &mut LogStore, step: &Step) {
    if let Some(flushed) = begin(log, step).await {
        flushed.await.expect("an answer").expect("a disk");
    }
}

type Flushed = OneshotReceiverOf<TypeConfig, Result<(), std::io::Error>>;

/// Does a step; an append may not be on disk yet.
async fn begin(log: &mut LogStore, step: &Step) -> Option<Flushed> {
    match step {
        Step::Append(entries) => {
            let (flushed, done) = TypeConfig::oneshot();
            log.append(entries.clone(), IOFlushed::signal(flushed)).await.expect("a log");
            return Some(done);
        }
        Step::Vote(vote) => log.save_vote(vote).await.expect("a log"),
        Step::Commit(log_id) => log.save_committed(Some(*log_id)).await.expect("a log"),
        Step::Truncate(last) => log.truncate_after(Some(*last)).await.expect("a log"),
        Step::Purge(upto) => log.purge(*upto).await.expect("a log"),
    }
    None
}

fn say(said: Said) {
    // In one call, which print! does not promise.
    let line = match said {
        Said::Found(step) => format!("says found {step}\n"),
        Said::Begins(step) => format!("says begins {step}\n"),
        Said::Done(step) => format!("says done {step}\n"),
    };
    std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).expect("someone listens");
}

fn said(line: &str) -> Option<Said> {
    let (what, step) = line.strip_prefix("says ")?.split_once(' ')?;
    let step = step.parse().expect("a number");
    match what {
        "found" => Some(Said::Found(step)),
        "begins" => Some(Said::Begins(step)),
        "done" => Some(Said::Done(step)),
        other => panic!("it says {other}"),
    }
}

/// One life of the process that is traced: goes on where the one before it ended, and ends without a word,
/// with its last step written and not synced.
#[test]
#[ignore = "is run by the other tests, as a process of its own"]
fn works_on_a_log() {
    let Some(dir) = std::env::var_os("POWER_CUT_LOG") else { return };
    let number = |name: &str| std::env::var(name).expect("a number").parse::<u64>().expect("a number");
    let (seed, life) = (number("POWER_CUT_SEED"), number("POWER_CUT_LIFE"));
    let script = Script::new(seed, STEPS);
    // The last that is done is written, but never synced.
    let most = STEPS * (usize::try_from(life).expect("a few") + 1) / LIVES;
    let is_commit = |step: &Step| matches!(step, Step::Commit(_));
    let end = script.steps[..most].iter().rposition(is_commit).expect("a commit") + 1;
    runtime().block_on(async {
        let mut log =
            LogStore::open(Path::new(&dir), FILE_BYTES, Formats::THIS, &Metrics::default()).expect("a log");
        let found = contents(&mut log).await;
        let whole = script.contents.iter().rposition(|contents| *contents == found);
        let first = whole.unwrap_or_else(|| panic!("found {}", brief(&found)));
        say(Said::Found(first));
        let mut rng = StdRng::seed_from_u64(seed + life);
        let mut ahead = Vec::new();
        for step in first..end {
            say(Said::Begins(step + 1));
            let waits = rng.random_bool(0.5);
            let durable = !is_commit(&script.steps[step]);
            ahead.extend(begin(&mut log, &script.steps[step]).await);
            let is_append = matches!(script.steps[step], Step::Append(_));
            if durable && (!is_append || waits || ahead.len() == AHEAD) {
                for flushed in ahead.drain(..) {
                    flushed.await.expect("an answer").expect("a disk");
                }
                say(Said::Done(step + 1));
            }
        }
        // When it is dropped it syncs.
        std::mem::forget(log);
    });
    println!("says ends");
    std::thread::sleep(WRITTEN);
    std::process::abort();
}
