//! `completions` and `man`: this command line, for shells and for `man`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use clap_complete::Shell;

use super::say;

/// Writes the completions of a shell to standard output
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    #[arg(value_enum)]
    shell: Shell,
}

/// Writes a man page for each verb into a directory
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The directory, such as /usr/local/share/man/man1; created when missing
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// # Errors
/// If standard output is closed.
pub fn completions(args: CompletionsArgs, mut command: clap::Command) -> anyhow::Result<()> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    say(&String::from_utf8_lossy(&script))
}

/// # Errors
/// If the directory or a file in it cannot be written.
pub fn man(args: ManArgs, command: clap::Command) -> anyhow::Result<()> {
    let dir = args.dir;
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    clap_mangen::generate_to(command, &dir).with_context(|| format!("cannot write into {}", dir.display()))
}
