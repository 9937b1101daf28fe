//! Work that may wait for a disk, or takes long: not for a thread that serves others.

use std::io;

use crate::simulated::is_simulated;

/// Has another thread do it.
///
/// # Errors
/// If it ended abnormally.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    match is_simulated() {
        true => Ok(work()),
        false => tokio::task::spawn_blocking(work).await.map_err(io::Error::other),
    }
}
