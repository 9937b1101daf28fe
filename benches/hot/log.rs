//! A batch of renewals appended to the log, with its `fdatasync` and without waiting for it.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use openraft::LogId;
use openraft::alias::OneshotReceiverOf;
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::type_config::TypeConfigExt;
use rs_registry::format::Formats;
use rs_registry::metrics::Metrics;
use rs_registry::raft::{LOG_FILE_BYTES, LogStore, TypeConfig};
use tokio::runtime::{Builder, Runtime};

use crate::cases::{BATCH, Entry, Node};

type Flushed = OneshotReceiverOf<TypeConfig, io::Result<()>>;

/// Appends after which what the log has is purged.
const KEPT: u64 = 10_000;

struct Log {
    store: LogStore,
    runtime: Runtime,
    last: u64,
}

impl Log {
    fn open(dir: &Path) -> Self {
        let runtime = Builder::new_current_thread().build().unwrap();
        Self {
            store: LogStore::open(dir, LOG_FILE_BYTES, Formats::THIS, &Metrics::default()).unwrap(),
            runtime,
            last: 0,
        }
    }

    fn append(&mut self, entry: Entry) -> Flushed {
        let (told, flushed) = TypeConfig::oneshot();
        self.runtime.block_on(self.store.append([entry], IOFlushed::signal(told))).unwrap();
        flushed
    }

    fn wait(&self, flushed: Flushed) {
        self.runtime.block_on(flushed).unwrap().unwrap();
    }

    /// Appends a batch again, as the next entry; takes the time until it is written, and until it is on disk.
    fn append_again(&mut self, batch: &Entry) -> (Duration, Duration) {
        if self.last > 0 && self.last.is_multiple_of(KEPT) {
            let purged = LogId::new_term_index(1, self.last);
            self.runtime.block_on(self.store.purge(purged)).unwrap();
        }
        self.last += 1;
        let entry = Entry { log_id: LogId::new_term_index(1, self.last), payload: batch.payload.clone() };
        let begin = Instant::now();
        let flushed = self.append(entry);
        let written = begin.elapsed();
        self.wait(flushed);
        (written, begin.elapsed())
    }
}

pub fn append(criterion: &mut Criterion) {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut log = Log::open(dir.path());
    let batch = Node::with(1_000).renewals(BATCH);
    let mut group = criterion.benchmark_group("append 64 renewals to the log");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("not waiting for the disk", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| log.append_again(&batch).0).sum());
    });
    group.bench_function("until it is on disk", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| log.append_again(&batch).1).sum());
    });
}
