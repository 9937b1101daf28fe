//! What a run that has passed says of itself.

use std::io::{self, Write};

/// Its story, and what it came to. Not by println!, whose output is hidden for a test that passes.
pub fn report(run: &str, story: &str, what: &str) {
    writeln!(io::stdout(), "--- {run}\n{story}migration: {run}: {what}").expect("a stdout");
}
