//! A crash may tear the end of the log, which is cut off; whatever else is not as it was written is
//! an error, for what was acknowledged must not go in silence.

use super::*;
use crate::format::Formats;

/// A log of one file with a record of each kind, and what is in it at each length it may be cut to.
struct Written {
    file: PathBuf,
    bytes: Vec<u8>,
    /// The file's length before the last record, and what the log held then.
    before_last: (usize, Contents),
    whole: Contents,
    _dir: tempfile::TempDir,
}

#[derive(Debug, Clone, Copy)]
enum Last {
    Append,
    Vote,
    Commit,
    Truncate,
    Purge,
}

async fn written(last: Last) -> Written {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap();
    log.save_vote(&vote(1, true)).await.unwrap();
    append(&mut log, (1..=4).map(|index| entry(1, index, 12))).await;
    append(&mut log, [RaftEntry { log_id: log_id(1, 5), payload: EntryPayload::Blank }]).await;
    log.save_committed(Some(log_id(1, 2))).await.unwrap();
    log.purge(log_id(1, 1)).await.unwrap();
    log.truncate_after(Some(log_id(1, 4))).await.unwrap();
    log.save_vote(&vote(2, true)).await.unwrap();
    append(&mut log, [entry(2, 5, 12)]).await;

    let [file] = &files(dir.path())[..] else { panic!("one file") };
    let before_last = (records(&log, file).len(), contents(&mut log).await);
    match last {
        Last::Append => append(&mut log, [entry(2, 6, 30)]).await,
        Last::Vote => log.save_vote(&vote(3, false)).await.unwrap(),
        // By itself it would be written with the next append only.
        Last::Commit => log.durably(|log| log.commit(StoredLogId::from(&log_id(2, 5)))).await.unwrap(),
        Last::Truncate => log.truncate_after(Some(log_id(1, 3))).await.unwrap(),
        Last::Purge => log.purge(log_id(1, 2)).await.unwrap(),
    }
    settle(&log);
    let whole = contents(&mut log).await;
    assert_ne!(whole, before_last.1);
    let file = file.clone();
    Written { bytes: records(&log, &file), file, before_last, whole, _dir: dir }
}

/// What is in the log's only file, but for the zeros behind it.
fn records(log: &LogStore, file: &Path) -> Vec<u8> {
    let mut bytes = std::fs::read(file).unwrap();
    bytes.truncate(log.disk_bytes() as usize);
    bytes
}

impl Written {
    /// Opens a log with these bytes in its file.
    fn open_with(&self, bytes: &[u8]) -> (tempfile::TempDir, Result<LogStore, LogError>) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(self.file.file_name().unwrap()), bytes).unwrap();
        let log = open(dir.path());
        (dir, log)
    }
}

#[tokio::test]
async fn a_torn_end_is_cut_off_and_everything_before_it_is_there() {
    for last in [Last::Append, Last::Vote, Last::Commit, Last::Truncate, Last::Purge] {
        let written = written(last).await;
        let (start, before) = &written.before_last;
        for length in *start..=written.bytes.len() {
            let (dir, log) = written.open_with(&written.bytes[..length]);
            let mut log = log.unwrap();
            let expected = if length == written.bytes.len() { &written.whole } else { before };
            assert_eq!(contents(&mut log).await, *expected, "{last:?}, {length} bytes of {start}..");

            let next = expected.last.map_or(0, |last| last.index) + 1;
            append(&mut log, [entry(7, next, 12)]).await;
            let continued = contents(&mut log).await;
            assert_eq!(continued.entries.last(), Some(&entry(7, next, 12)));
            drop(log);
            let mut log = open(dir.path()).unwrap();
            assert_eq!(contents(&mut log).await, continued);
        }
    }
}

/// As some file systems leave it: the file has its new length, but not what was written there.
#[tokio::test]
async fn an_end_of_zeros_is_cut_off() {
    let written = written(Last::Append).await;
    let (start, before) = &written.before_last;
    let mut bytes = written.bytes.clone();
    bytes[*start..].fill(0);
    let (_dir, log) = written.open_with(&bytes);
    assert_eq!(contents(&mut log.unwrap()).await, *before);
}

#[tokio::test]
async fn a_flipped_byte_before_the_last_record_is_an_error_that_names_file_and_place() {
    let written = written(Last::Append).await;
    let file_name = written.file.file_name().unwrap();
    let record_ends = record_ends(&written.bytes);
    for at in 0..written.before_last.0 {
        let begin = record_ends.iter().rev().find(|end| **end <= at).unwrap_or(&0);
        for (flip, zeros) in (0..8).map(|bit| (1_u8 << bit, 0)).chain([(0xff, 0), (0xff, 5000)]) {
            let mut bytes = written.bytes.clone();
            bytes[at] ^= flip;
            bytes.resize(bytes.len() + zeros, 0);
            let (dir, log) = written.open_with(&bytes);
            let error = log.err().unwrap_or_else(|| panic!("byte {at} ^ {flip:02x} was not found out"));
            let file = dir.path().join(file_name);
            let place = format!("the record at byte {begin} of {} ", file.display());
            assert!(error.to_string().contains(&place), "byte {at} ^ {flip:02x}: {error}");
            let kept = std::fs::read(file).unwrap();
            assert_eq!(kept, bytes, "byte {at} ^ {flip:02x}: the damaged file was changed");
        }
    }
}

/// A power cut leaves zeros where a sector was not written; damage may look the same.
#[tokio::test]
async fn sectors_of_zeros_are_cut_off_unless_a_later_record_tells_that_they_were_synced() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap();
    append(&mut log, [entry(9, 1, 3000)]).await;
    let [file] = &files(dir.path())[..] else { panic!("one file") };
    let synced = log.disk_bytes() as usize;
    // Written together, so that none can tell of the other's sync.
    append(&mut log, [entry(9, 2, 3000), entry(9, 3, 3000)]).await;
    drop(log);
    let bytes = std::fs::read(file).unwrap();
    for (sector, zeros) in (0..bytes.len() / 512).flat_map(|sector| [(sector, 0), (sector, 5000)]) {
        let mut gap = bytes.clone();
        gap[sector * 512..(sector + 1) * 512].fill(0);
        gap.resize(gap.len() + zeros, 0);
        std::fs::write(file, &gap).unwrap();
        match open(dir.path()) {
            Ok(mut log) => {
                assert!((sector + 1) * 512 > synced, "sector {sector} was synced");
                let left = contents(&mut log).await.entries;
                assert_eq!(left, [entry(9, 1, 3000), entry(9, 2, 3000)][..left.len()]);
                assert_ne!(left, []);
            }
            Err(error) => {
                assert!(matches!(error, LogError::Damaged { .. }), "{error}");
                assert!(sector * 512 < synced, "sector {sector} was not synced");
                assert_eq!(std::fs::read(file).unwrap(), gap);
            }
        }
    }
}

/// As the log's writer leaves the file when it is killed, and a power cut what it wrote last.
#[tokio::test]
async fn a_file_that_goes_on_with_zeros_has_all_that_was_synced() {
    let mut last_bytes = 2000;
    for beyond_a_sector in (1..=12).chain([100, 400]) {
        let (.., end) = zeros_behind(last_bytes).await;
        last_bytes += (512 + beyond_a_sector - end % 512) % 512;
        let (file, bytes, synced, end) = zeros_behind(last_bytes).await;
        assert_eq!(end % 512, beyond_a_sector);
        for cut in (synced.div_ceil(512)..=end / 512).map(|sector| sector * 512).chain([end]) {
            let mut torn = bytes.clone();
            torn[cut..].fill(0);
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join(file.file_name().unwrap()), &torn).unwrap();
            let mut log = open(dir.path()).unwrap();
            let whole = if cut == end { 2 } else { 1 };
            let expected = [entry(9, 1, 3000), entry(9, 2, last_bytes)];
            assert_eq!(contents(&mut log).await.entries, expected[..whole], "cut at {cut}, end at {end}");
            append(&mut log, [entry(9, whole as u64 + 1, 7)]).await;
            assert_eq!(contents(&mut log).await.entries.len(), whole + 1);
        }
    }
}

/// A log's file while it is open, with an entry that was synced to the first length and one of these many bytes to the
/// second.
async fn zeros_behind(last_bytes: usize) -> (PathBuf, Vec<u8>, usize, usize) {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path()).unwrap();
    append(&mut log, [entry(9, 1, 3000)]).await;
    let [file] = &files(dir.path())[..] else { panic!("one file") };
    let synced = log.disk_bytes() as usize;
    append(&mut log, [entry(9, 2, last_bytes)]).await;
    let end = log.disk_bytes() as usize;
    let bytes = std::fs::read(file).unwrap();
    assert!(bytes.len() > end + 100_000, "nothing is written ahead");
    append(&mut log, [entry(9, 3, 3000)]).await;
    assert_eq!(std::fs::metadata(file).unwrap().len() as usize, bytes.len(), "the file became longer");
    drop(log);
    assert!(torn_end::is_whole(&std::fs::read(file).unwrap()), "a writer that ends in order leaves zeros");
    (file.clone(), bytes, synced, end)
}

/// What was written to a file once is in it to its end when the next one is begun.
#[tokio::test]
async fn files_before_the_last_have_no_zeros() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = LogStore::open(dir.path(), 4096, Formats::THIS, &Metrics::default()).unwrap();
    for index in 1..=9 {
        append(&mut log, [entry(1, index, 1000)]).await;
    }
    let before = contents(&mut log).await;
    let files = files(dir.path());
    let (last, others) = files.split_last().unwrap();
    assert!(others.len() > 1);
    for file in others {
        assert!(torn_end::is_whole(&std::fs::read(file).unwrap()), "{}", file.display());
    }
    assert!(!torn_end::is_whole(&std::fs::read(last).unwrap()));
    // As one that was killed leaves it.
    let killed = tempfile::tempdir().unwrap();
    for file in &files {
        std::fs::copy(file, killed.path().join(file.file_name().unwrap())).unwrap();
    }
    assert_eq!(contents(&mut open(killed.path()).unwrap()).await, before);
}

#[tokio::test]
async fn damage_in_a_file_before_the_last_is_an_error_whatever_it_looks_like() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = LogStore::open(dir.path(), 4096, Formats::THIS, &Metrics::default()).unwrap();
    for index in 1..=9 {
        append(&mut log, [entry(1, index, 1000)]).await;
    }
    drop(log);
    let files = files(dir.path());
    let [first, _, ..] = &files[..] else { panic!("more than one file") };
    let bytes = std::fs::read(first).unwrap();
    for (kept, zeros) in [(2000, 0), (2000, 1000), (bytes.len() - 1, 0), (0, bytes.len())] {
        std::fs::write(first, [&bytes[..kept], &vec![0; zeros]].concat()).unwrap();
        let error = open(dir.path()).err().expect("an error").to_string();
        assert!(error.contains(first.to_str().unwrap()) || error.contains("Gap"), "{error}");
    }
}

/// Where each record ends, by the lengths at which the log is whole.
fn record_ends(bytes: &[u8]) -> Vec<usize> {
    let whole = |length: &usize| torn_end::is_whole(&bytes[..*length]);
    (1..=bytes.len()).filter(whole).collect()
}
