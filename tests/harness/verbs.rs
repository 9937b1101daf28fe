//! The verbs of the command line, run to their end.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::process::{Command, Output};

/// What a verb that succeeds says.
pub fn done(arguments: &[impl AsRef<OsStr> + Debug]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a verb that fails, and does so by itself, complains of.
pub fn failed(arguments: &[impl AsRef<OsStr> + Debug]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).expect("UTF-8")
}

/// What a verb has come to.
pub fn run(arguments: &[impl AsRef<OsStr>]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rs-registry"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RS_REGISTRY_")) {
        command.env_remove(name);
    }
    command.args(arguments).output().expect("the command runs")
}
