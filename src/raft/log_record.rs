//! The records of the Raft log: our own messages, each behind its checksummed length, in raft-log's
//! framing (which adds a checksum of the whole).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use openraft::storage::IOFlushed;
use prost::Message;
use raft_log::codeq::{Decode, Encode};
use tokio::sync::oneshot;

use super::log_store::Writing;
use super::types::{RaftEntry, RaftLogId, RaftVote, TypeConfig, entry_to_message, log_id};
use crate::format::Format;
use crate::message;
use crate::trace::Span;

/// What raft-log ends each record with.
const RECORD_CHECKSUM_BYTES: usize = 8;
/// Longest record read back: more than any append holds, less than would hurt.
const MAX_RECORD_BYTES: usize = 64 << 20;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogTypes;

impl raft_log::Types for LogTypes {
    type LogId = StoredLogId;
    type LogPayload = StoredEntry;
    type Vote = StoredVote;
    type Callback = Flushed;
    type UserData = ();

    fn log_index(log_id: &StoredLogId) -> u64 {
        log_id.index
    }

    fn payload_size(payload: &StoredEntry) -> u64 {
        payload.size()
    }
}

/// Up to which byte the log is known to be on disk. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Synced(Arc<AtomicU64>);

impl Synced {
    pub fn new(bytes: u64) -> Self {
        Self(Arc::new(AtomicU64::new(bytes)))
    }

    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub fn reached(&self, bytes: u64) {
        self.0.fetch_max(bytes, Ordering::Release);
    }
}

/// Told when all that was written, up to a byte of the log, is on disk, or that it cannot be.
pub struct Flushed {
    bytes: u64,
    /// When it was handed to the writer.
    since: Instant,
    writing: Arc<Writing>,
    told: Option<Told>,
    /// They end when it is told.
    spans: Vec<Span>,
}

pub enum Told {
    Append(IOFlushed<TypeConfig>),
    Waiter(oneshot::Sender<io::Result<()>>),
}

impl Flushed {
    pub fn new(bytes: u64, writing: Arc<Writing>, told: Told) -> Self {
        Self { bytes, since: Instant::now(), writing, told: Some(told), spans: Vec::new() }
    }

    pub fn within(mut self, spans: Vec<Span>) -> Self {
        self.spans = spans;
        self
    }

    fn tell(&mut self, result: io::Result<()>) {
        self.spans.clear();
        match self.told.take() {
            Some(Told::Append(flushed)) => flushed.io_completed(result),
            // A waiter that has gone away needs no answer.
            Some(Told::Waiter(waiter)) => drop(waiter.send(result)),
            None => {}
        }
    }
}

impl raft_log::Callback for Flushed {
    fn send(mut self, result: Result<(), io::Error>) {
        match &result {
            Ok(()) => {
                self.writing.synced.reached(self.bytes);
                self.writing.sync_seconds.observe(self.since.elapsed());
            }
            Err(error) => {
                self.spans.iter_mut().for_each(|span| span.fail("disk"));
                self.writing.failed(error);
            }
        }
        self.tell(result);
    }
}

/// The log's writer ends after a failure, and drops what it was still to write.
impl Drop for Flushed {
    fn drop(&mut self) {
        if self.told.is_some() {
            self.writing.ended();
            self.tell(Err(io::Error::other("the log's writer has ended")));
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredLogId {
    pub term: u64,
    pub index: u64,
}

impl From<&RaftLogId> for StoredLogId {
    fn from(log_id: &RaftLogId) -> Self {
        Self { term: log_id.committed_leader_id().term, index: log_id.index }
    }
}

impl From<&StoredLogId> for RaftLogId {
    fn from(stored: &StoredLogId) -> Self {
        log_id(stored.term, stored.index)
    }
}

impl Encode for StoredLogId {
    fn encode<W: io::Write>(&self, mut w: W) -> Result<usize, io::Error> {
        w.write_all(&self.term.to_be_bytes())?;
        w.write_all(&self.index.to_be_bytes())?;
        Ok(2 * size_of::<u64>())
    }
}

impl Decode for StoredLogId {
    fn decode<R: io::Read>(mut r: R) -> Result<Self, io::Error> {
        let mut word = || {
            let mut bytes = [0; size_of::<u64>()];
            r.read_exact(&mut bytes).map(|()| u64::from_be_bytes(bytes))
        };
        Ok(Self { term: word()?, index: word()? })
    }
}

/// In Raft's order: a committed vote stands above the others of its term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredVote {
    term: u64,
    committed: bool,
    node_id: u64,
    /// Of the same vote the later record stands above.
    synced_bytes: u64,
}

impl StoredVote {
    pub fn new(vote: &RaftVote, synced: &Synced) -> Self {
        Self {
            term: vote.leader_id.term,
            committed: vote.committed,
            node_id: vote.leader_id.voted_for,
            synced_bytes: synced.bytes(),
        }
    }

    /// Up to which byte the log was on disk when this was written.
    pub fn synced_bytes(&self) -> u64 {
        self.synced_bytes
    }
}

impl From<&StoredVote> for RaftVote {
    fn from(stored: &StoredVote) -> Self {
        let leader_id =
            openraft::impls::leader_id_std::LeaderId { term: stored.term, voted_for: stored.node_id };
        RaftVote { leader_id, committed: stored.committed }
    }
}

impl Encode for StoredVote {
    fn encode<W: io::Write>(&self, w: W) -> Result<usize, io::Error> {
        let StoredVote { term, committed, node_id, synced_bytes } = *self;
        encode_message(&message::Vote { term, node_id, committed, synced_bytes }, w)
    }
}

impl Decode for StoredVote {
    fn decode<R: io::Read>(r: R) -> Result<Self, io::Error> {
        let message::Vote { term, node_id, committed, synced_bytes } = decode_message(r)?;
        Ok(Self { term, committed, node_id, synced_bytes })
    }
}

/// An entry without its log id, which is recorded beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEntry(message::Entry);

impl StoredEntry {
    pub fn new(entry: &RaftEntry, synced: &Synced) -> Self {
        let synced_bytes = synced.bytes();
        Self(message::Entry { log_id: None, synced_bytes, ..entry_to_message(entry) })
    }

    /// Up to which byte the log was on disk when this was written.
    pub fn synced_bytes(&self) -> u64 {
        self.0.synced_bytes
    }

    pub fn format(&self) -> Format {
        Format::from_stored(self.0.format)
    }

    /// Approximate bytes in memory.
    pub fn size(&self) -> u64 {
        const OVERHEAD: usize = 64;
        let batch = match &self.0.payload {
            Some(message::entry::Payload::Batch(bytes)) => bytes.len(),
            Some(message::entry::Payload::Membership(_)) | None => 0,
        };
        (batch + OVERHEAD) as u64
    }

    pub fn into_message(self, log_id: StoredLogId) -> message::Entry {
        let log_id = message::LogId { term: log_id.term, index: log_id.index };
        message::Entry { log_id: Some(log_id), synced_bytes: 0, ..self.0 }
    }
}

impl Encode for StoredEntry {
    fn encode<W: io::Write>(&self, w: W) -> Result<usize, io::Error> {
        encode_message(&self.0, w)
    }
}

impl Decode for StoredEntry {
    fn decode<R: io::Read>(r: R) -> Result<Self, io::Error> {
        decode_message(r).map(Self)
    }
}

/// The length has a checksum of its own: a damaged one could reach beyond the end of the file, where
/// the record would look like one that a crash left half-written, and be cut off with all after it.
fn encode_message<W: io::Write>(message: &impl Message, mut w: W) -> Result<usize, io::Error> {
    let bytes = message.encode_to_vec();
    let length = u32::try_from(bytes.len()).map_err(invalid)?.to_be_bytes();
    let checksum = crc32fast::hash(&length).to_be_bytes();
    w.write_all(&length)?;
    w.write_all(&checksum)?;
    w.write_all(&bytes)?;
    Ok(length.len() + checksum.len() + bytes.len())
}

fn decode_message<M: Message + Default>(mut r: impl io::Read) -> Result<M, io::Error> {
    let bytes = read_message(&mut r)?;
    M::decode(bytes).or_else(|error| {
        read_checksum(&mut r)?;
        Err(invalid(error))
    })
}

/// To be read before a message that makes no sense is told of: a record that ends before its own checksum was not completely
/// written, whatever there is of it.
///
/// # Errors
/// `UnexpectedEof` then.
fn read_checksum(r: &mut impl io::Read) -> Result<(), io::Error> {
    r.read_exact(&mut [0; RECORD_CHECKSUM_BYTES])
}

fn read_message(r: &mut impl io::Read) -> Result<bytes::Bytes, io::Error> {
    let (mut length, mut checksum) = ([0; size_of::<u32>()], [0; size_of::<u32>()]);
    r.read_exact(&mut length)?;
    r.read_exact(&mut checksum)?;
    if crc32fast::hash(&length).to_be_bytes() != checksum {
        read_checksum(r)?;
        return Err(invalid("the length of a record is damaged"));
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_RECORD_BYTES {
        return Err(invalid(format!("a record of {length} bytes: more than was ever written")));
    }
    let mut bytes = vec![0; length];
    r.read_exact(&mut bytes)?;
    Ok(bytes.into())
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
