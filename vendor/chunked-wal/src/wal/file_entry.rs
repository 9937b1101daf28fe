use std::fmt;
use std::fs::File;
use std::io;
use std::io::ErrorKind;
use std::io::Seek;
use std::io::SeekFrom;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::ChunkId;
use crate::WalTypes;
use crate::wal::file_persisted::ChunkPersistedCallback;
use crate::wal::flush_worker::write_batch_vectored;
use crate::wal::queued_write::QueuedWrite;

/// Written behind the last record each time the records reach the end of what
/// was written before.
///
/// A sync of a file that has not become longer, and whose blocks have all been
/// written before, is a sync of the data alone: without this, the file
/// system's journal is written and waited for too, each time.
const ZEROS: &[u8] = &[0; 256 * 1024];

pub(crate) struct FileEntry<W>
where W: WalTypes
{
    pub(crate) starting_offset: u64,
    pub(crate) f: Arc<File>,

    /// Called after this file has been successfully synced.
    ///
    /// Receives the file, its starting offset, and the synced offset.
    /// The callback may be called multiple times.
    pub(crate) on_persisted: ChunkPersistedCallback<W>,
    /// for debug
    pub(crate) sync_id: u64,

    /// How far the file is written; `None` before the first write.
    extent: Option<Extent>,
}

#[derive(Clone, Copy)]
struct Extent {
    /// Where the next record goes.
    records_end: u64,

    /// Up to where there are records or zeros, as far as that is known.
    zeros_end: u64,
}

impl<W> fmt::Display for FileEntry<W>
where W: WalTypes
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "FileEntry{{ starting_offset: {}, sync_id: {} }}",
            ChunkId(self.starting_offset),
            self.sync_id
        )
    }
}

impl<W> fmt::Debug for FileEntry<W>
where W: WalTypes
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileEntry")
            .field("starting_offset", &ChunkId(self.starting_offset))
            .field("sync_id", &self.sync_id)
            .finish()
    }
}

impl<W> FileEntry<W>
where W: WalTypes
{
    pub(crate) fn new(
        starting_offset: u64,
        f: Arc<File>,
        on_persisted: ChunkPersistedCallback<W>,
    ) -> Self {
        Self {
            starting_offset,
            f,
            on_persisted,
            sync_id: 0,
            extent: None,
        }
    }

    /// Writes records after those that are there, and zeros behind them.
    ///
    /// The file description's cursor stays at the end of the records: nobody
    /// else writes, and reads are positional.
    pub(crate) fn write(
        &mut self,
        writes: &[QueuedWrite<W>],
    ) -> Result<(), io::Error> {
        let Extent {
            records_end,
            zeros_end,
        } = match self.extent {
            Some(extent) => extent,
            None => {
                let end = (&*self.f).seek(SeekFrom::End(0))?;
                Extent {
                    records_end: end,
                    zeros_end: end,
                }
            }
        };
        write_batch_vectored(&mut &*self.f, writes)?;
        let bytes: usize = writes.iter().map(|w| w.write.data.len()).sum();
        let end = records_end + bytes as u64;
        let mut extent = Extent {
            records_end: end,
            zeros_end: zeros_end.max(end),
        };
        if end > zeros_end {
            match self.f.write_all_at(ZEROS, end) {
                Ok(()) => extent.zeros_end = end + ZEROS.len() as u64,
                // Records may still fit where zeros do not.
                Err(e)
                    if [ErrorKind::StorageFull, ErrorKind::QuotaExceeded]
                        .contains(&e.kind()) => {}
                Err(e) => return Err(e),
            }
        }
        self.extent = Some(extent);
        Ok(())
    }

    /// Leaves nothing in the file but its records, and syncs it.
    pub(crate) fn remove_zeros(&mut self) -> Result<(), io::Error> {
        match self.extent {
            Some(extent) if extent.records_end < self.f.metadata()?.len() => {
                self.f.set_len(extent.records_end)?;
                self.f.sync_data()
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::mpsc::SyncSender;

    use crate::WalTypes;
    use crate::wal::file_entry::FileEntry;
    use crate::wal::file_persisted::ChunkPersistedCallback;
    use crate::wal::file_persisted::ChunkPersistedFn;

    #[derive(Debug, Default, Clone, PartialEq, Eq)]
    struct TestWal;

    impl WalTypes for TestWal {
        type Action = String;
        type Checkpoint = String;
        type Callback = SyncSender<Result<(), io::Error>>;
    }

    fn callback() -> ChunkPersistedCallback<TestWal> {
        let cb: ChunkPersistedFn<TestWal> = Arc::new(|_persisted, _state| {});
        ChunkPersistedCallback::new(cb, None)
    }

    #[test]
    fn test_file_entry_new_and_format() -> Result<(), io::Error> {
        let file = Arc::new(tempfile::tempfile()?);
        let entry = FileEntry::<TestWal>::new(12, file.clone(), callback());

        assert_eq!(12, entry.starting_offset);
        assert_eq!(0, entry.sync_id);
        assert!(Arc::ptr_eq(&file, &entry.f));
        assert_eq!(
            "FileEntry{ starting_offset: ChunkId(00_000_000_000_000_000_012), sync_id: 0 }",
            entry.to_string()
        );
        assert_eq!(
            "FileEntry { starting_offset: ChunkId(12), sync_id: 0 }",
            format!("{entry:?}")
        );

        Ok(())
    }
}
