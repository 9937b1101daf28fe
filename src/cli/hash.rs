//! `hash`: a secret as it is stored.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::access;

/// Prints the hash of a password or token, for the file of --auth-file
///
/// The secret comes from standard input, a file or an environment variable, never from the command line, which others
/// can see. One line break at its end does not count.
#[derive(Debug, clap::Args)]
pub struct HashArgs {
    /// File that holds the secret
    #[arg(long, value_name = "FILE", conflicts_with = "env")]
    file: Option<PathBuf>,

    /// Name of the environment variable that holds the secret
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
}

/// More is no secret but a mistake.
const MAX_SECRET_BYTES: u64 = 1024;

pub fn run(args: HashArgs) -> anyhow::Result<()> {
    let secret = match (&args.file, &args.env) {
        (Some(file), _) => {
            let opened = std::fs::File::open(file);
            read(opened.with_context(|| format!("cannot read {}", file.display()))?)?
        }
        (None, Some(name)) => std::env::var(name)
            .with_context(|| format!("the environment variable {name} cannot be read"))?
            .into_bytes(),
        (None, None) => read(io::stdin().lock())?,
    };
    let hash = access::hash(without_line_break(&secret))?;
    writeln!(io::stdout(), "{hash}").context("cannot write to standard output")
}

fn read(from: impl Read) -> anyhow::Result<Vec<u8>> {
    let mut secret = Vec::new();
    from.take(MAX_SECRET_BYTES + 1).read_to_end(&mut secret).context("cannot read the secret")?;
    if secret.len() as u64 > MAX_SECRET_BYTES {
        bail!("the secret is longer than {MAX_SECRET_BYTES} bytes");
    }
    Ok(secret)
}

fn without_line_break(secret: &[u8]) -> &[u8] {
    let secret = secret.strip_suffix(b"\n").unwrap_or(secret);
    secret.strip_suffix(b"\r").unwrap_or(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_is_no_part_of_the_secret() {
        for text in ["a secret", "a secret\n", "a secret\r\n"] {
            assert_eq!(without_line_break(text.as_bytes()), b"a secret");
        }
        assert_eq!(without_line_break(b"\n\n"), b"\n");
    }
}
