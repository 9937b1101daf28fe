//! A state that turned out to be wrong: marked, so that no later start takes it up again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::sync_dir;

const MARK: &str = "DISTRUSTED";
/// What holds the state, and where it is put, to be looked into.
const STATES: [(&str, &str); 2] =
    [("state", "state.distrusted"), ("snapshot/current", "snapshot/distrusted")];

/// Marks the state below a node's data directory, durably. The log and the votes are not in doubt.
///
/// # Errors
/// What the file system says.
pub fn distrust(data_dir: &Path, reason: &str) -> io::Result<()> {
    let mut mark = File::create(data_dir.join(MARK))?;
    writeln!(mark, "{reason}")?;
    mark.sync_all()?;
    sync_dir(data_dir)
}

/// Puts a state aside that was marked, before it is opened. Whether there was one.
///
/// # Errors
/// What the file system says; to be tried again then.
pub fn put_aside(data_dir: &Path) -> io::Result<bool> {
    let mark = data_dir.join(MARK);
    if !mark.try_exists()? {
        return Ok(false);
    }
    for (name, aside) in STATES {
        let (path, aside) = (data_dir.join(name), data_dir.join(aside));
        if !path.try_exists()? {
            continue;
        }
        match fs::metadata(&aside) {
            Ok(former) if former.is_dir() => fs::remove_dir_all(&aside)?,
            Ok(_) => fs::remove_file(&aside)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        fs::rename(&path, &aside)?;
        sync_dir(path.parent().unwrap_or(data_dir))?;
    }
    // Last: whatever ended before is begun again.
    fs::remove_file(mark)?;
    sync_dir(data_dir)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data_dir() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in ["state", "snapshot", "log"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        for name in ["state/db", "snapshot/current", "log/0"] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        dir
    }

    #[test]
    fn a_state_that_is_not_marked_stays() {
        let dir = data_dir();
        assert!(!put_aside(dir.path()).unwrap());
        assert!(dir.path().join("state/db").exists() && dir.path().join("snapshot/current").exists());
    }

    #[test]
    fn a_marked_state_is_put_aside_once_and_the_log_stays() {
        let dir = data_dir();
        for _ in 0..2 {
            distrust(dir.path(), "it deviates").unwrap();
            assert!(put_aside(dir.path()).unwrap());
            assert!(!put_aside(dir.path()).unwrap());
            for gone in ["state", "snapshot/current", MARK] {
                assert!(!dir.path().join(gone).exists(), "{gone}");
            }
            for kept in ["state.distrusted/db", "snapshot/distrusted", "log/0"] {
                assert!(dir.path().join(kept).exists(), "{kept}");
            }
            // A state that deviates once more takes the former one's place.
            fs::create_dir(dir.path().join("state")).unwrap();
            fs::write(dir.path().join("state/db"), "again").unwrap();
            fs::write(dir.path().join("snapshot/current"), "again").unwrap();
        }
    }

    #[test]
    fn what_was_interrupted_is_done_at_the_next_start() {
        let dir = data_dir();
        distrust(dir.path(), "it deviates").unwrap();
        fs::rename(dir.path().join("state"), dir.path().join("state.distrusted")).unwrap();
        assert!(put_aside(dir.path()).unwrap());
        assert!(dir.path().join("state.distrusted/db").exists());
        assert!(!dir.path().join("snapshot/current").exists());
    }
}
