//! A node's disk for its Raft log: what is written can be read at once, but is only there after a power
//! cut once it was synced.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::io;
use std::ops::RangeBounds;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openraft::alias::{EntryOf, LogIdOf, VoteOf};
use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};
use openraft::{LogIdOptionExt, OptionalSend};
use rs_registry::raft::{KeptLog, TypeConfig};
use tokio::sync::{mpsc, oneshot};

pub type Entry = EntryOf<TypeConfig>;
pub type LogId = LogIdOf<TypeConfig>;
type Vote = VoteOf<TypeConfig>;

/// Outlives the processes that use it. Clones are the same disk.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<Platter>>);

#[derive(Default)]
struct Platter {
    flaw: Option<Flaw>,
    synced: Stored,
    /// Written and not synced, in this order.
    written: VecDeque<Write>,
    /// What a process reads: both.
    seen: Stored,
    stalled: bool,
    sync_ms: u64,
    /// From where on entries are gone, since last asked.
    lost_from: Option<u64>,
    /// From where on the log was truncated since the power came.
    truncated_from: Option<u64>,
}

/// What a disk may do wrong, for the rules to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It says that entries are synced when they are only written.
    AnswersBeforeSync,
    /// It never writes votes.
    ForgetsVotes,
    /// What follows on a truncation is gone after a power cut, synced or not.
    LosesTailAfterTruncation,
}

#[derive(Clone, Default)]
struct Stored {
    entries: BTreeMap<u64, Entry>,
    purged: Option<LogId>,
    vote: Option<Vote>,
    committed: Option<LogId>,
}

#[derive(Clone)]
enum Write {
    Append(Vec<Entry>),
    Truncate(u64),
    Purge(LogId),
    Vote(Vote),
    Committed(LogId),
}

impl Stored {
    fn apply(&mut self, write: Write) {
        match write {
            Write::Append(entries) => {
                self.entries.extend(entries.into_iter().map(|entry| (entry.log_id.index, entry)));
            }
            Write::Truncate(kept_to) => drop(self.entries.split_off(&kept_to)),
            Write::Purge(log_id) => {
                self.entries = self.entries.split_off(&(log_id.index + 1));
                self.purged = self.purged.max(Some(log_id));
            }
            Write::Vote(vote) => self.vote = Some(vote),
            Write::Committed(log_id) => self.committed = Some(log_id),
        }
    }

    fn log_id_at(&self, index: u64) -> Option<LogId> {
        self.entries.get(&index).map(|entry| entry.log_id)
    }

    fn last(&self) -> Option<LogId> {
        self.entries.last_key_value().map(|(_, entry)| entry.log_id).or(self.purged)
    }
}

impl Platter {
    /// Syncs a write.
    fn keep(&mut self, write: Write) {
        if let Write::Truncate(from) = write {
            self.lose(Some(from));
        }
        self.synced.apply(write);
    }

    fn lose(&mut self, from: Option<u64>) {
        self.lost_from = [self.lost_from, from].into_iter().flatten().min();
    }
}

impl Disk {
    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn with_flaw(flaw: Option<Flaw>) -> Self {
        let disk = Self::default();
        disk.platter().flaw = flaw;
        disk
    }

    /// A sync takes that long from now on, in milliseconds.
    pub fn set_speed(&self, sync_ms: u64) {
        self.platter().sync_ms = sync_ms;
    }

    /// No sync ends while the disk is stalled.
    pub fn stall(&self, stalled: bool) {
        self.platter().stalled = stalled;
    }

    /// Power is cut: of what was not synced, only the first few writes remain.
    pub fn cut_power(&self, remaining: impl FnOnce(usize) -> usize) {
        let mut platter = self.platter();
        let kept = remaining(platter.written.len());
        let mut written = std::mem::take(&mut platter.written);
        for write in written.drain(..kept) {
            platter.keep(write);
        }
        let truncated_from = platter.truncated_from.take();
        if let Some(from) = truncated_from.filter(|_| platter.flaw == Some(Flaw::LosesTailAfterTruncation)) {
            platter.synced.entries.split_off(&from);
        }
        let Platter { seen, synced, .. } = &*platter;
        let kept = |index: &u64| synced.log_id_at(*index) == seen.log_id_at(*index);
        let lost = seen.entries.keys().copied().find(|index| !kept(index));
        platter.lose(lost);
        platter.seen = platter.synced.clone();
    }

    /// The entry at an index, as a process reads it.
    pub fn entry(&self, index: u64) -> Option<Entry> {
        self.platter().seen.entries.get(&index).cloned()
    }

    /// Whether an entry, or a snapshot that covers it, is there after a power cut too.
    pub fn has_durably(&self, log_id: LogId) -> bool {
        let platter = self.platter();
        platter.synced.log_id_at(log_id.index) == Some(log_id) || platter.synced.purged >= Some(log_id)
    }

    /// From where on entries that were read here are gone or may be others, since last asked.
    pub fn take_lost_from(&self) -> Option<u64> {
        self.platter().lost_from.take()
    }

    /// A process opens its log.
    pub fn open(&self) -> SimLog {
        let (syncs, asked) = mpsc::unbounded_channel();
        tokio::spawn(sync(self.clone(), asked));
        SimLog { disk: self.clone(), syncs }
    }
}

/// Told when all that was written before is synced.
enum Synced {
    Append(IOFlushed<TypeConfig>),
    Waiter(oneshot::Sender<()>),
}

/// Syncs for one process, all at once that wait.
async fn sync(disk: Disk, mut asked: mpsc::UnboundedReceiver<Synced>) {
    let mut waiting = Vec::new();
    while asked.recv_many(&mut waiting, usize::MAX).await > 0 {
        let (writes, sync_ms) = {
            let platter = disk.platter();
            (platter.written.len(), platter.sync_ms)
        };
        tokio::time::sleep(Duration::from_millis(sync_ms)).await;
        while disk.platter().stalled {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let mut platter = disk.platter();
        let forgets_votes = platter.flaw == Some(Flaw::ForgetsVotes);
        let written: Vec<Write> = platter.written.drain(..writes).collect();
        for write in written {
            if !(forgets_votes && matches!(write, Write::Vote(_))) {
                platter.keep(write);
            }
        }
        drop(platter);
        for waiter in waiting.drain(..) {
            match waiter {
                Synced::Append(flushed) => flushed.io_completed(Ok(())),
                Synced::Waiter(waiter) => drop(waiter.send(())),
            }
        }
    }
}

/// The log as one process has it open.
#[derive(Clone)]
pub struct SimLog {
    disk: Disk,
    syncs: mpsc::UnboundedSender<Synced>,
}

impl SimLog {
    fn write(&self, write: Write) {
        let mut platter = self.disk.platter();
        if let Write::Truncate(from) = write {
            platter.lose(Some(from));
            platter.truncated_from =
                platter.truncated_from.map_or(Some(from), |before| Some(before.min(from)));
        }
        platter.seen.apply(write.clone());
        platter.written.push_back(write);
    }

    async fn durably(&self, write: Write) -> io::Result<()> {
        self.write(write);
        let (done, waiting) = oneshot::channel();
        self.sync(Synced::Waiter(done))?;
        waiting.await.map_err(io::Error::other)
    }

    fn sync(&self, synced: Synced) -> io::Result<()> {
        self.syncs.send(synced).map_err(|_| io::Error::other("the process has ended"))
    }
}

impl KeptLog for SimLog {
    fn last_index(&self) -> u64 {
        self.disk.platter().seen.last().index().unwrap_or(0)
    }

    fn disk_bytes(&self) -> u64 {
        0
    }
}

impl RaftLogReader<TypeConfig> for SimLog {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, io::Error> {
        Ok(self.disk.platter().seen.entries.range(range).map(|(_, entry)| entry.clone()).collect())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.disk.platter().seen.vote)
    }
}

impl RaftLogStorage<TypeConfig> for SimLog {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        let platter = self.disk.platter();
        Ok(LogState { last_purged_log_id: platter.seen.purged, last_log_id: platter.seen.last() })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        self.durably(Write::Vote(*vote)).await
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        if let Some(committed) = committed {
            self.write(Write::Committed(committed));
        }
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        Ok(self.disk.platter().seen.committed)
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        self.write(Write::Append(entries.into_iter().collect()));
        if self.disk.platter().flaw == Some(Flaw::AnswersBeforeSync) {
            callback.io_completed(Ok(()));
            return Ok(());
        }
        self.sync(Synced::Append(callback))
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> Result<(), io::Error> {
        self.durably(Write::Truncate(last_log_id.next_index())).await
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), io::Error> {
        self.durably(Write::Purge(log_id)).await
    }
}
