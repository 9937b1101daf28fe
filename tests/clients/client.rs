//! What there is to know of a client library before a test can ask it for anything.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A client library as an application uses it, with what that library has a call for.
pub struct Client {
    /// The program that uses it, up to its arguments.
    pub command: Command,
    /// The ids of the two instances of one application that the scenario starts: as odd as the
    /// library can put into a path.
    pub ids: [&'static str; 2],
    /// The reads that the library offers besides keeping a registry of its own.
    pub reads: &'static [Read],
    /// The statuses that the library can give its own instance, besides `UP`.
    pub statuses: &'static [&'static str],
    /// Whether it keeps its registry by deltas and computes the hash of what it has.
    pub keeps_by_deltas: bool,
    /// How the library shows a metadata key to its users.
    pub key_shown: fn(&str) -> String,
    /// Ids among the odd instances that the library itself fails to list, for a reason told where
    /// the client is described.
    pub overlooks: &'static [&'static str],
}

/// A request that some clients have a call for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    All,
    Delta,
    Application,
    Instance,
    Vip,
    SecureVip,
}

/// For clients that show metadata keys as they were registered.
#[allow(dead_code)]
pub fn as_registered(key: &str) -> String {
    key.to_owned()
}

/// For clients that show metadata keys as XML elements are named for them, which no Eureka client
/// but those on the JVM turns back. The keys of the scenario only.
pub fn as_in_xml(key: &str) -> String {
    let coded = key.replace('_', "__").replace('$', "_-").replace(' ', "_.0020").replace(':', "_.003a");
    match coded.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("_.{:04x}{}", u32::from(first), &coded[1..]),
        _ => coded,
    }
}

/// Where `run.sh` puts what it fetches and builds, under this name.
///
/// # Panics
/// When it is not there.
pub fn built(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients").join(name);
    assert!(path.exists(), "{} is missing; run tests/clients/run.sh", path.display());
    path
}

/// A file of this directory.
pub fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}
