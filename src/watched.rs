//! What is made of files, and made again when one of them changes.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;

use crate::blocking::blocking;

/// Between two looks at the files. Their bytes are compared, for the date of a file behind a link that was moved to
/// another, as Kubernetes does with secrets, need not be newer.
const LOOK: Duration = Duration::from_secs(2);
/// None of these files is larger; a device or a log in place of one must not fill the memory.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// The newest that could be made. Clones share it.
#[derive(Debug)]
pub struct Watched<T>(Arc<ArcSwap<T>>);

impl<T> Clone for Watched<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Watched<T> {
    pub fn current(&self) -> Arc<T> {
        self.0.load_full()
    }
}

type Contents = Vec<Vec<u8>>;
type Make<T> = dyn Fn(&[Vec<u8>]) -> anyhow::Result<T> + Send + Sync;

/// Keeps a [`Watched`] up to date.
pub struct Watcher<T> {
    what: &'static str,
    files: Vec<PathBuf>,
    make: Arc<Make<T>>,
    /// As last read, whether something could be made of them or not.
    seen: Contents,
    current: Watched<T>,
}

impl<T: Send + Sync + 'static> Watcher<T> {
    /// Reads the files for the first time, and makes `what` of their contents, in their order.
    ///
    /// # Errors
    /// If a file cannot be read, or `make` can do nothing with them.
    pub fn new(
        what: &'static str,
        files: Vec<PathBuf>,
        make: impl Fn(&[Vec<u8>]) -> anyhow::Result<T> + Send + Sync + 'static,
    ) -> anyhow::Result<(Watched<T>, Self)> {
        let seen = read_all(&files)?;
        let current = Watched(Arc::new(ArcSwap::from_pointee(make(&seen)?)));
        Ok((current.clone(), Self { what, files, make: Arc::new(make), seen, current }))
    }

    /// Runs until it is dropped.
    pub async fn run(mut self) {
        let mut unreadable = false;
        loop {
            tokio::time::sleep(LOOK).await;
            let files = self.files.clone();
            match blocking(move || read_all(&files)).await {
                Ok(Ok(contents)) => {
                    unreadable = false;
                    self.take(contents).await;
                }
                Ok(Err(error)) if !unreadable => {
                    unreadable = true;
                    self.complain(&error);
                }
                Ok(Err(_)) => {}
                Err(error) => self.complain(&error.into()),
            }
        }
    }

    async fn take(&mut self, contents: Contents) {
        if contents == self.seen {
            return;
        }
        self.seen = contents.clone();
        let make = self.make.clone();
        match blocking(move || make(&contents)).await.map_err(anyhow::Error::from).flatten() {
            Ok(made) => {
                self.current.0.store(Arc::new(made));
                tracing::info!(files = %self.names(), "{} read again", self.what);
            }
            Err(error) => self.complain(&error),
        }
    }

    fn complain(&self, error: &anyhow::Error) {
        let files = self.names();
        tracing::error!(%files, "{} stay as they were: {error:#}; mend the files, they are read again", self.what);
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        names.join(", ")
    }
}

fn read_all(files: &[PathBuf]) -> anyhow::Result<Contents> {
    let read = |file: &PathBuf| read(file).with_context(|| format!("cannot read {}", file.display()));
    files.iter().map(read).collect()
}

fn read(file: &PathBuf) -> io::Result<Vec<u8>> {
    use io::Read;
    let mut contents = Vec::new();
    std::fs::File::open(file)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut contents)?;
    match contents.len() as u64 > MAX_FILE_BYTES {
        true => Err(io::Error::other(format!("it is larger than {MAX_FILE_BYTES} bytes"))),
        false => Ok(contents),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(contents: &[Vec<u8>]) -> anyhow::Result<u32> {
        Ok(std::str::from_utf8(&contents[0])?.parse()?)
    }

    #[tokio::test]
    async fn what_cannot_be_used_leaves_what_was() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("number");
        std::fs::write(&file, "1").unwrap();
        let (watched, mut watcher) = Watcher::new("numbers", vec![file.clone()], number).unwrap();
        assert_eq!(*watched.current(), 1);
        watcher.take(vec![b"two".to_vec()]).await;
        assert_eq!(*watched.current(), 1);
        watcher.take(vec![b"3".to_vec()]).await;
        assert_eq!(*watched.current(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn changes_are_found_also_after_the_file_was_away() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("number");
        std::fs::write(&file, "1").unwrap();
        let (watched, watcher) = Watcher::new("numbers", vec![file.clone()], number).unwrap();
        let running = tokio::spawn(watcher.run());
        std::fs::remove_file(&file).unwrap();
        tokio::time::sleep(2 * LOOK).await;
        assert_eq!(*watched.current(), 1);
        std::fs::write(&file, "2").unwrap();
        tokio::time::sleep(2 * LOOK).await;
        assert_eq!(*watched.current(), 2);
        running.abort();
    }

    #[test]
    fn the_first_reading_must_succeed() {
        let missing = PathBuf::from("/no/such/file");
        let error = Watcher::new("numbers", vec![missing], number).err().unwrap();
        assert!(error.to_string().contains("/no/such/file"), "{error:#}");
    }
}
