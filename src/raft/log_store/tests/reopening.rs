//! What was in the log is in it when it is opened again.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const MIB: usize = 1 << 20;

#[derive(Debug, Clone)]
enum Step {
    Append {
        entries: u64,
        new_term: bool,
    },
    Truncate(Index),
    Commit(Index),
    Purge(Index),
    /// A snapshot was installed that is ahead of the log.
    PurgeBeyond {
        by: u64,
    },
    Vote {
        committed: bool,
    },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..5_u64, any::<bool>()).prop_map(|(entries, new_term)| Step::Append { entries, new_term }),
        2 => any::<Index>().prop_map(Step::Truncate),
        2 => any::<Index>().prop_map(Step::Commit),
        2 => any::<Index>().prop_map(Step::Purge),
        1 => (1..5_u64).prop_map(|by| Step::PurgeBeyond { by }),
        1 => any::<bool>().prop_map(|committed| Step::Vote { committed }),
        3 => Just(Step::Reopen),
    ]
}

fn index(log_id: &Option<RaftLogId>) -> u64 {
    log_id.map_or(0, |log_id| log_id.index)
}

impl Contents {
    /// The ids from the last of these two on, which may be the next `last`.
    fn ids_after(&self, one: &Option<RaftLogId>, other: &Option<RaftLogId>) -> Vec<RaftLogId> {
        let from = index(one).max(index(other));
        let ids = self.entries.iter().map(|entry| entry.log_id);
        ids.filter(|log_id| log_id.index > from).collect()
    }
}

async fn take(log: &mut LogStore, expected: &mut Contents, term: &mut u64, step: Step) {
    match step {
        Step::Append { entries, new_term } => {
            *term += u64::from(new_term);
            let from = index(&expected.last) + 1;
            let new: Vec<_> = (from..from + entries).map(|index| entry(*term, index, 20)).collect();
            expected.last = new.last().map(|entry| entry.log_id);
            expected.entries.extend(new.clone());
            append(log, new).await;
        }
        Step::Truncate(at) => {
            let kept = expected.ids_after(&expected.committed, &expected.purged);
            if kept.is_empty() {
                return;
            }
            let last = *at.get(&kept);
            log.truncate_after(Some(last)).await.unwrap();
            expected.last = Some(last);
            expected.entries.retain(|entry| entry.log_id.index <= last.index);
        }
        Step::Commit(at) => {
            let open = expected.ids_after(&expected.committed, &expected.purged);
            if open.is_empty() {
                return;
            }
            expected.committed = Some(*at.get(&open));
            log.save_committed(expected.committed).await.unwrap();
        }
        Step::Purge(at) => {
            let committed = index(&expected.committed);
            let mut kept = expected.ids_after(&expected.purged, &None);
            kept.retain(|log_id| log_id.index <= committed);
            if kept.is_empty() {
                return;
            }
            purge(log, expected, *at.get(&kept)).await;
        }
        Step::PurgeBeyond { by } => {
            let beyond = log_id(*term, index(&expected.last) + by);
            purge(log, expected, beyond).await;
            expected.last = expected.last.max(Some(beyond));
        }
        Step::Vote { committed } => {
            *term += 1;
            expected.vote = Some(vote(*term, committed));
            log.save_vote(&vote(*term, committed)).await.unwrap();
        }
        Step::Reopen => {}
    }
}

async fn purge(log: &mut LogStore, expected: &mut Contents, upto: RaftLogId) {
    log.purge(upto).await.unwrap();
    expected.purged = Some(upto);
    expected.entries.retain(|entry| entry.log_id.index > upto.index);
}

proptest! {
    // Every step of a case waits for the disk.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_log_is_what_was_written_before_and_after_it_is_opened_again(
        steps in proptest::collection::vec(step(), 1..25),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let mut log = open(dir.path()).unwrap();
            let (mut expected, mut term) = (Contents::default(), 1);
            for step in steps {
                if let Step::Reopen = step {
                    settle(&log);
                    drop(log);
                    log = open(dir.path()).unwrap();
                }
                take(&mut log, &mut expected, &mut term, step).await;
                assert_eq!(contents(&mut log).await, expected);
            }
        });
    }
}

#[tokio::test]
async fn no_change_is_answered_for_before_it_is_synced() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap();
    let synced = |log: &LogStore| log.read().stat().flush_metrics.sync_batch_count;

    let before = synced(&log);
    append(&mut log, [entry(1, 1, 10), entry(1, 2, 10), entry(1, 3, 10)]).await;
    assert_eq!(synced(&log), before + 1, "an append");
    log.save_vote(&vote(2, true)).await.unwrap();
    assert_eq!(synced(&log), before + 2, "a vote");
    log.truncate_after(Some(log_id(1, 2))).await.unwrap();
    assert_eq!(synced(&log), before + 3, "a truncation");
    log.save_committed(Some(log_id(1, 1))).await.unwrap();
    log.purge(log_id(1, 1)).await.unwrap();
    assert_eq!(synced(&log), before + 4, "a purge, but no commit index");
}

#[tokio::test]
async fn files_go_when_everything_in_them_is_purged() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap();
    // Two to a file, and the last one alone.
    let entry_bytes = LOG_FILE_BYTES / 2;
    for index in 1..=43 {
        append(&mut log, [entry(1, index, entry_bytes)]).await;
    }
    let (written, bytes) = (files(dir.path()), log.disk_bytes());
    assert!(written.len() > 2 && bytes > 43 * entry_bytes as u64);
    log.save_committed(Some(log_id(1, 43))).await.unwrap();
    log.purge(log_id(1, 42)).await.unwrap();
    settle(&log);
    let left = files(dir.path());
    assert_eq!(left, written[written.len() - 1..]);
    let on_disk: u64 = left.iter().map(|file| file.metadata().unwrap().len()).sum();
    let zeros = on_disk - log.disk_bytes();
    assert!(zeros <= 256 << 10, "{zeros} bytes behind the last record");

    let before = contents(&mut log).await;
    assert_eq!(before.entries, [entry(1, 43, entry_bytes)]);
    drop(log);
    let mut log = open(dir.path()).unwrap();
    assert_eq!(contents(&mut log).await, before);
    assert_eq!(files(dir.path()), left);
}

#[tokio::test]
async fn a_read_for_a_follower_is_bounded_in_bytes_but_never_empty() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap();
    append(&mut log, [entry(1, 1, 3 * MIB), entry(1, 2, MIB), entry(1, 3, MIB / 2), entry(1, 4, MIB)]).await;
    let mut read = async |from, to| {
        let entries = log.limited_get_log_entries(from, to).await.unwrap();
        entries.iter().map(|entry| entry.log_id.index).collect::<Vec<_>>()
    };
    assert_eq!(read(1, 5).await, [1]);
    assert_eq!(read(2, 5).await, [2, 3]);
    assert_eq!(read(2, 3).await, [2]);
    assert_eq!(read(4, 5).await, [4]);
}

#[tokio::test]
async fn a_log_that_a_newer_program_went_on_with_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let newer = Formats::THIS.and_the_next();
    let open = |formats| LogStore::open(dir.path(), LOG_FILE_BYTES, formats, &Metrics::default());
    let mut log = open(newer).unwrap();
    let batch = EncodedBatch::new(Bytes::from_static(b"new"), Format::from_stored(2));
    let newest = RaftEntry { log_id: log_id(1, 2), payload: EntryPayload::Normal(batch) };
    append(&mut log, [entry(1, 1, 20), newest.clone()]).await;
    settle(&log);
    drop(log);
    let refused = open(Formats::THIS).map(drop).unwrap_err();
    assert!(matches!(refused, LogError::Format { .. }), "{refused}");
    assert!(refused.to_string().contains("start the newer program"), "{refused}");
    let entries = open(newer).unwrap().try_get_log_entries(2..).await.unwrap();
    assert_eq!(entries, [newest]);
}
