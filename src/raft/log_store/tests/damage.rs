//! A crash may tear the end of the log, which is cut off; whatever else is not as it was written is
//! an error, for what was acknowledged must not go in silence.

use super::*;

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
    let mut log = LogStore::open(dir.path()).unwrap();
    log.save_vote(&vote(1, true)).await.unwrap();
    append(&mut log, (1..=4).map(|index| entry(1, index, 12))).await;
    append(&mut log, [RaftEntry { log_id: log_id(1, 5), payload: EntryPayload::Blank }]).await;
    log.save_committed(Some(log_id(1, 2))).await.unwrap();
    log.purge(log_id(1, 1)).await.unwrap();
    log.truncate_after(Some(log_id(1, 4))).await.unwrap();
    log.save_vote(&vote(2, true)).await.unwrap();
    append(&mut log, [entry(2, 5, 12)]).await;

    let [file] = &files(dir.path())[..] else { panic!("one file") };
    let before_last = (std::fs::read(file).unwrap().len(), contents(&mut log).await);
    match last {
        Last::Append => append(&mut log, [entry(2, 6, 30)]).await,
        Last::Vote => log.save_vote(&vote(3, false)).await.unwrap(),
        Last::Commit => log.save_committed(Some(log_id(2, 5))).await.unwrap(),
        Last::Truncate => log.truncate_after(Some(log_id(1, 3))).await.unwrap(),
        Last::Purge => log.purge(log_id(1, 2)).await.unwrap(),
    }
    settle(&log);
    let whole = contents(&mut log).await;
    assert_ne!(whole, before_last.1);
    let file = file.clone();
    Written { bytes: std::fs::read(&file).unwrap(), file, before_last, whole, _dir: dir }
}

impl Written {
    /// Opens a log with these bytes in its file.
    fn open_with(&self, bytes: &[u8]) -> (tempfile::TempDir, io::Result<LogStore>) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(self.file.file_name().unwrap()), bytes).unwrap();
        let log = LogStore::open(dir.path());
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
            let mut log = LogStore::open(dir.path()).unwrap();
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

/// The chunk's id is the file's name but for `r-` and `.wal`.
fn names(told: &str, dir: &tempfile::TempDir, file_name: &str) -> bool {
    let id = file_name.trim_start_matches("r-").trim_end_matches(".wal");
    told.contains(&format!("ChunkId({id})")) && told.contains(dir.path().to_str().unwrap())
}

#[tokio::test]
async fn a_flipped_byte_before_the_last_record_is_an_error_that_names_the_file() {
    let written = written(Last::Append).await;
    let file_name = written.file.file_name().unwrap().to_str().unwrap();
    for at in 0..written.before_last.0 {
        for flip in (0..8).map(|bit| 1_u8 << bit).chain([0xff]) {
            let mut bytes = written.bytes.clone();
            bytes[at] ^= flip;
            let (dir, log) = written.open_with(&bytes);
            let error = log.err().unwrap_or_else(|| panic!("byte {at} ^ {flip:02x} was not found out"));
            let told = error.to_string();
            assert!(names(&told, &dir, file_name), "byte {at} ^ {flip:02x}: {told}");
            let kept = std::fs::read(dir.path().join(file_name)).unwrap();
            assert_eq!(kept, bytes, "byte {at} ^ {flip:02x}: the damaged file was changed");
        }
    }
}
