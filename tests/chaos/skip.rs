//! What a machine cannot do is not tested there, and that is said.

use std::process::{Command, Output};

/// Runs a command to its end.
///
/// # Errors
/// Why it cannot be run, or what it says when it fails.
pub fn run(words: &[&str]) -> Result<Output, String> {
    let output = Command::new(words[0]).args(&words[1..]).output();
    let output = output.map_err(|error| format!("{}: {error}", words[0]))?;
    match output.status.success() {
        true => Ok(output),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{}: {}, {}", words.join(" "), output.status, said.trim()))
        }
    }
}

pub fn print_skipped(name: &str, reason: &str) {
    println!("\nchaos: {name}: skipped, {reason}");
}
