//! Work that may wait.

use std::io;
use std::panic::resume_unwind;
use std::thread;

/// How far the thread gives way (`nice`): to about a tenth of a processor while others want all of it.
const NICENESS: i32 = 10;

/// Does it on a thread that gives way to all others, and waits for it. To be called with nothing held that
/// others wait for.
///
/// # Errors
/// If there is no thread to be had; nothing was done then.
pub fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, || {
            give_way();
            work()
        })?;
        Ok(thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

/// On Linux each thread has a priority of its own.
#[cfg(target_os = "linux")]
fn give_way() {
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "what may wait has the priority of everything else");
    }
}

/// Elsewhere the whole process would give way.
#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_done_aside_gives_way() {
        let niceness = || rustix::process::getpriority_process(None).expect("a priority");
        let before = niceness();
        assert_eq!(aside(niceness).expect("a thread"), NICENESS.max(before));
        assert_eq!(niceness(), before);
    }

    #[test]
    #[should_panic(expected = "tried to serialize")]
    fn a_panic_is_passed_on() {
        drop(aside(|| panic!("tried to serialize")));
    }
}
