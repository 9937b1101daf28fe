//! What `dev` and its nodes write, on one standard output.

use std::io::{self, IsTerminal, Write};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

use crate::logging::color_is_wanted;

/// Standard output, a line at a time, each with the name of who wrote it.
#[derive(Debug, Clone)]
pub struct Console {
    color: bool,
}

/// A longer line is broken, so that a node that writes no end of line fills no memory.
const LINE_MAX_BYTES: u64 = 16 * 1024;
/// Cyan, yellow, green, magenta, blue, red: those that can be read on a dark and on a light ground.
const NODE_COLORS: [u8; 6] = [36, 33, 32, 35, 34, 31];

impl Console {
    /// With colours on a terminal, if `NO_COLOR` is not set.
    pub fn new() -> Self {
        Self { color: io::stdout().is_terminal() && color_is_wanted() }
    }

    /// A line of `dev` itself.
    pub fn say(&self, line: &str) {
        write(&label("dev", self.color.then_some(1), line));
    }

    /// Lines of `dev` that are read and copied as a whole, without a name.
    pub fn show(&self, text: &str) {
        write(&format!("\n{text}\n"));
    }

    /// Passes on what a node writes, until it ends.
    pub async fn forward(self, id: u64, stream: impl AsyncRead + Unpin) {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            match (&mut stream).take(LINE_MAX_BYTES).read_until(b'\n', &mut line).await {
                Ok(0) | Err(_) => return,
                Ok(_) => write(&node_line(id, self.color, &line)),
            }
        }
    }
}

/// A reader that went away is no reason to stop the nodes.
fn write(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

fn node_line(id: u64, color: bool, line: &[u8]) -> String {
    let position = usize::try_from(id.saturating_sub(1)).unwrap_or(0) % NODE_COLORS.len();
    let text = String::from_utf8_lossy(line);
    label(&format!("node {id}"), color.then_some(NODE_COLORS[position]), text.trim_end_matches(['\r', '\n']))
}

fn label(name: &str, color: Option<u8>, line: &str) -> String {
    match color {
        Some(color) => format!("\x1b[{color}m{name:<6} |\x1b[0m {line}\n"),
        None => format!("{name:<6} | {line}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_the_name_of_its_node() {
        assert_eq!(node_line(2, false, b"ready\r\n"), "node 2 | ready\n");
        assert_eq!(node_line(2, false, b"no end"), "node 2 | no end\n");
        assert_eq!(node_line(2, false, b"\xff"), "node 2 | \u{fffd}\n");
        assert_eq!(label("dev", None, "hello"), "dev    | hello\n");
    }

    #[test]
    fn each_node_has_a_color_and_the_line_its_own() {
        assert_eq!(node_line(1, true, b"ready\n"), "\x1b[36mnode 1 |\x1b[0m ready\n");
        assert_eq!(node_line(7, true, b"ready\n"), "\x1b[36mnode 7 |\x1b[0m ready\n");
        assert_eq!(node_line(2, true, b"ready\n"), "\x1b[33mnode 2 |\x1b[0m ready\n");
    }
}
