//! Openraft's own tests of what it asks of a log and a state machine.

use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};
use tempfile::TempDir;

use super::*;

struct InTempDirs;

impl StoreBuilder<TypeConfig, LogStore, Machine, TempDir> for InTempDirs {
    async fn build(&self) -> Result<(TempDir, LogStore, Machine), StorageError<TypeConfig>> {
        let dir = tempfile::tempdir().unwrap();
        let (log, machine) = (log(dir.path()), machine(dir.path()));
        Ok((dir, log, machine))
    }
}

#[tokio::test]
async fn openrafts_suite_passes_on_the_stores_that_nodes_use() {
    Suite::test_all(InTempDirs).await.unwrap();
}
