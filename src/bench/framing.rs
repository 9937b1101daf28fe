//! Where an answer ends: its head, and the three ways a body is framed.

use std::mem::MaybeUninit;

use thiserror::Error;

/// A head longer than this is none.
pub const HEAD_MAX_BYTES: usize = 64 * 1024;
const HEADERS_MAX: usize = 100;
/// Of a chunk's size, its extensions, or a trailer.
const LINE_MAX_BYTES: usize = 8 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub status: u16,
    /// Bytes of the head itself.
    pub length: usize,
    pub framing: Framing,
    pub gzip: bool,
    /// Whether the connection can take another request afterwards.
    pub keep_alive: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Length(u64),
    Chunked,
    /// Until the server closes the connection.
    Close,
}

#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum FramingError {
    #[error("the answer is not HTTP/1")]
    Head,
    #[error("the head of the answer is longer than 64 KiB")]
    HeadTooLong,
    #[error("the answer's length cannot be read")]
    Length,
    #[error("the chunks of the answer cannot be read")]
    Chunk,
}

/// The head at the beginning of these bytes, once it is whole.
///
/// # Errors
/// When it is none, or too long.
pub fn head(bytes: &[u8]) -> Result<Option<Head>, FramingError> {
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut response, bytes, &mut headers)
        .map_err(|_| FramingError::Head)?;
    let httparse::Status::Complete(length) = parsed else {
        return if bytes.len() < HEAD_MAX_BYTES { Ok(None) } else { Err(FramingError::HeadTooLong) };
    };
    let status = response.code.ok_or(FramingError::Head)?;
    let mut framing = None;
    let (mut gzip, mut keep_alive) = (false, response.version == Some(1));
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") && framing != Some(Framing::Chunked) {
            framing = Some(Framing::Length(decimal(header.value).ok_or(FramingError::Length)?));
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            framing = Some(if ends_with_token(header.value, b"chunked") {
                Framing::Chunked
            } else {
                Framing::Close
            });
        } else if header.name.eq_ignore_ascii_case("content-encoding") {
            gzip = ends_with_token(header.value, b"gzip");
        } else if header.name.eq_ignore_ascii_case("connection") {
            keep_alive = !ends_with_token(header.value, b"close")
                && (keep_alive || ends_with_token(header.value, b"keep-alive"));
        }
    }
    let framing = match status {
        100..200 | 204 | 304 => Framing::Length(0),
        _ => framing.unwrap_or(Framing::Close),
    };
    let keep_alive = keep_alive && framing != Framing::Close;
    Ok(Some(Head { status, length, framing, gzip, keep_alive }))
}

fn decimal(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

fn ends_with_token(value: &[u8], token: &[u8]) -> bool {
    let value = value.trim_ascii_end();
    value.len().checked_sub(token.len()).is_some_and(|start| value[start..].eq_ignore_ascii_case(token))
}

/// Reads a body as it comes in, by whatever pieces.
#[derive(Debug)]
pub enum Body {
    Length(u64),
    Chunked(Chunks),
    Close,
}

impl Body {
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(Chunks::default()),
            Framing::Close => Self::Close,
        }
    }

    /// Whether all of it was taken.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.state == ChunkState::End,
            Self::Close => false,
        }
    }

    /// Takes what of these bytes is the body's, hands its content to `sink`, and answers how many it took.
    pub fn take(&mut self, bytes: &[u8], mut sink: impl FnMut(&[u8])) -> Result<usize, FramingError> {
        match self {
            Self::Length(left) => {
                let taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                sink(&bytes[..taken]);
                *left -= taken as u64;
                Ok(taken)
            }
            Self::Chunked(chunks) => chunks.take(bytes, sink),
            Self::Close => {
                sink(bytes);
                Ok(bytes.len())
            }
        }
    }
}

#[derive(Debug, Default)]
pub struct Chunks {
    state: ChunkState,
    /// What is left of the chunk, or of its size what was read so far.
    left: u64,
    /// Bytes in the line that is being read.
    line: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum ChunkState {
    #[default]
    Size,
    /// From behind the size to the end of its line.
    Extension,
    Content,
    /// The end of line behind a chunk's content.
    ContentEnd,
    /// Lines behind the last chunk; an empty one ends the body.
    Trailer,
    End,
}

impl Chunks {
    fn take(&mut self, bytes: &[u8], mut sink: impl FnMut(&[u8])) -> Result<usize, FramingError> {
        let mut at = 0;
        while at < bytes.len() && self.state != ChunkState::End {
            if self.state == ChunkState::Content {
                let rest = &bytes[at..];
                let taken = usize::try_from(self.left).map_or(rest.len(), |left| left.min(rest.len()));
                sink(&rest[..taken]);
                self.left -= taken as u64;
                at += taken;
                if self.left == 0 {
                    self.enter(ChunkState::ContentEnd);
                }
            } else {
                self.step(bytes[at])?;
                at += 1;
            }
        }
        Ok(at)
    }

    /// One byte of what is not content.
    fn step(&mut self, byte: u8) -> Result<(), FramingError> {
        self.line += 1;
        match (self.state, byte) {
            _ if self.line > LINE_MAX_BYTES => return Err(FramingError::Chunk),
            (ChunkState::Size, _) if byte.is_ascii_hexdigit() => {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                let shifted = self.left.checked_mul(16).ok_or(FramingError::Chunk)?;
                self.left = shifted + digit;
            }
            // A size has a digit.
            (ChunkState::Size, _) if self.line == 1 => return Err(FramingError::Chunk),
            (ChunkState::Size | ChunkState::Extension, b'\n') => {
                self.enter(if self.left == 0 { ChunkState::Trailer } else { ChunkState::Content });
            }
            (ChunkState::Size, b'\r' | b';' | b' ' | b'\t') => self.state = ChunkState::Extension,
            (ChunkState::Size, _) => return Err(FramingError::Chunk),
            (ChunkState::ContentEnd, b'\n') => {
                self.left = 0;
                self.enter(ChunkState::Size);
            }
            (ChunkState::ContentEnd, b'\r') if self.line == 1 => {}
            (ChunkState::ContentEnd, _) => return Err(FramingError::Chunk),
            (ChunkState::Trailer, b'\n') if self.line == 1 => self.enter(ChunkState::End),
            (ChunkState::Trailer, b'\n') => self.line = 0,
            // Not counted, so that an empty line has nothing in it but its end.
            (ChunkState::Trailer, b'\r') if self.line == 1 => self.line = 0,
            _ => {}
        }
        Ok(())
    }

    fn enter(&mut self, state: ChunkState) {
        self.state = state;
        self.line = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Head {
        head(text.as_bytes()).expect("a head").expect("all of it")
    }

    #[test]
    fn a_head_says_how_the_body_ends() {
        let found = parse("HTTP/1.1 200 OK\r\ncontent-length: 12\r\nContent-Encoding: gzip\r\n\r\n");
        assert_eq!((found.status, found.framing, found.gzip), (200, Framing::Length(12), true));
        assert!(found.keep_alive);
        let found = parse(
            "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\nConnection: close\r\n\r\n",
        );
        assert_eq!((found.framing, found.keep_alive), (Framing::Chunked, false));
        assert_eq!(parse("HTTP/1.1 204 No Content\r\n\r\n").framing, Framing::Length(0));
        let found = parse("HTTP/1.1 200 OK\r\n\r\n");
        assert_eq!((found.framing, found.keep_alive), (Framing::Close, false));
        assert!(!parse("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
        assert!(parse("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n").keep_alive);
    }

    #[test]
    fn half_a_head_is_waited_for_and_a_bad_one_refused() {
        assert_eq!(head(b"HTTP/1.1 200 OK\r\nConte"), Ok(None));
        assert_eq!(head(b"SSH-2.0-OpenSSH\r\n"), Err(FramingError::Head));
        assert_eq!(head(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), Err(FramingError::Length));
        let long = format!("HTTP/1.1 200 OK\r\nX: {}", "a".repeat(HEAD_MAX_BYTES));
        assert_eq!(head(long.as_bytes()), Err(FramingError::HeadTooLong));
    }

    #[test]
    fn chunks_are_read_by_whatever_pieces_they_come_in() {
        let wire = b"4\r\nWiki\r\n10;name=value\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\nnext";
        for size in 1..wire.len() {
            let (mut body, mut content, mut taken) = (Body::new(Framing::Chunked), Vec::new(), 0);
            for piece in wire.chunks(size) {
                taken += body.take(piece, |bytes| content.extend_from_slice(bytes)).expect("chunks");
            }
            assert!(body.is_whole());
            assert_eq!(
                (content.as_slice(), taken),
                (&b"Wiki0123456789abcdef"[..], wire.len() - 4),
                "by {size}"
            );
        }
    }

    #[test]
    fn what_are_no_chunks_is_refused() {
        for wire in [&b"\r\n"[..], b"g\r\n", b"1\r\nab\r\n", b"fffffffffffffffff\r\n"] {
            assert_eq!(Body::new(Framing::Chunked).take(wire, |_| ()), Err(FramingError::Chunk), "{wire:?}");
        }
    }
}
