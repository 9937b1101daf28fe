//! A keep-alive connection that is cheap to drive, for it shares the machine with what it measures:
//! a request is bytes made before, of an answer only what must be known is read, and nothing is
//! allocated for either.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::framing::{Body, FramingError, HEAD_MAX_BYTES, Head, head};
use super::target::Target;

/// For an answer, and for a connection if one has to be made first. Above what a full read of a large registry takes.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// Of an answer that is looked into.
const KEPT_MAX_BYTES: usize = 512 * 1024 * 1024;
/// Doubled up to the largest each time that a read fills it; the largest has room for any head.
const BUFFER_BYTES: usize = 8 * 1024;
const BUFFER_MAX_BYTES: usize = 4 * HEAD_MAX_BYTES;

/// Made when it is first needed, and again after it failed or was closed.
pub struct Connection {
    target: Arc<Target>,
    open: Option<TcpStream>,
    buffer: Vec<u8>,
    made: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub gzip: bool,
    /// Of the body, as it was sent but for its framing.
    pub body_bytes: u64,
}

/// Why there is no answer, or none that was hoped for.
#[derive(Debug, Error)]
pub enum Failure {
    #[error("answer {0}")]
    Status(u16),
    #[error("no connection: {0}")]
    Connect(io::Error),
    #[error("connection broke: {0}")]
    Broken(io::Error),
    #[error("connection closed before the end of the answer")]
    Closed,
    #[error("no answer within {} s", ANSWER_LIMIT.as_secs())]
    Late,
    #[error(transparent)]
    Framing(#[from] FramingError),
    #[error("more follows than the answer to what was asked")]
    Excess,
    #[error("an answer of more than {} MiB", KEPT_MAX_BYTES / 1024 / 1024)]
    TooLarge,
}

impl Answer {
    /// # Errors
    /// When its status is none of success.
    pub fn success(self) -> Result<Self, Failure> {
        if (200..300).contains(&self.status) { Ok(self) } else { Err(Failure::Status(self.status)) }
    }
}

impl Connection {
    pub fn new(target: Arc<Target>) -> Self {
        Self { target, open: None, buffer: vec![0; BUFFER_BYTES], made: 0 }
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// How often it was made again.
    pub fn made_again(&self) -> u64 {
        self.made.saturating_sub(1)
    }

    /// Makes the connection, if there is none.
    ///
    /// # Errors
    /// When the server does not take it in time.
    pub async fn connect(&mut self) -> Result<(), Failure> {
        self.open = Some(timeout(ANSWER_LIMIT, self.stream()).await.unwrap_or(Err(Failure::Late))?);
        Ok(())
    }

    /// Sends a request and reads all of its answer, whose body is dropped.
    ///
    /// # Errors
    /// When there is no whole answer in time.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer, Failure> {
        timeout(ANSWER_LIMIT, self.attempt(request, None)).await.unwrap_or(Err(Failure::Late))
    }

    /// [`Connection::exchange`] with the body.
    ///
    /// # Errors
    /// The same.
    pub async fn read(&mut self, request: &[u8]) -> Result<(Answer, Vec<u8>), Failure> {
        let mut body = Vec::new();
        let attempt = self.attempt(request, Some(&mut body));
        let answer = timeout(ANSWER_LIMIT, attempt).await.unwrap_or(Err(Failure::Late))?;
        Ok((answer, body))
    }

    /// The stream is put back only behind a whole answer.
    async fn attempt(&mut self, request: &[u8], kept: Option<&mut Vec<u8>>) -> Result<Answer, Failure> {
        let mut stream = self.stream().await?;
        stream.write_all(request).await.map_err(Failure::Broken)?;
        let (head, filled) = self.read_head(&mut stream).await?;
        let body_bytes = self.read_body(&mut stream, &head, filled, kept).await?;
        if head.keep_alive {
            self.open = Some(stream);
        }
        Ok(Answer { status: head.status, gzip: head.gzip, body_bytes })
    }

    /// A server may close a connection that was idle; that is no failure, so it is looked for before the request. It
    /// costs no system call as long as nothing came in.
    async fn stream(&mut self) -> Result<TcpStream, Failure> {
        if let Some(stream) = self.open.take() {
            match stream.try_read(&mut [0]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(stream),
                Ok(1..) => return Err(Failure::Excess),
                Ok(0) | Err(_) => {}
            }
        }
        let stream = TcpStream::connect(self.target.addrs()).await.map_err(Failure::Connect)?;
        stream.set_nodelay(true).map_err(Failure::Connect)?;
        self.made += 1;
        Ok(stream)
    }

    /// The final head, at the beginning of the buffer, and how much of that is filled.
    async fn read_head(&mut self, stream: &mut TcpStream) -> Result<(Head, usize), Failure> {
        let mut filled = 0;
        loop {
            if filled == self.buffer.len() {
                self.grow();
            }
            filled += self.fill(stream, filled).await?;
            while let Some(found) = head(&self.buffer[..filled])? {
                if found.status >= 200 {
                    return Ok((found, filled));
                }
                // Such as 100 Continue, which says nothing.
                self.buffer.copy_within(found.length..filled, 0);
                filled -= found.length;
                if filled == 0 {
                    break;
                }
            }
        }
    }

    async fn read_body(
        &mut self,
        stream: &mut TcpStream,
        head: &Head,
        filled: usize,
        mut kept: Option<&mut Vec<u8>>,
    ) -> Result<u64, Failure> {
        let mut body = Body::new(head.framing);
        let mut body_bytes = 0;
        let mut fresh = head.length..filled;
        loop {
            let taken = body.take(&self.buffer[fresh.clone()], |content| {
                body_bytes += content.len() as u64;
                if let Some(kept) = kept.as_deref_mut() {
                    kept.extend_from_slice(content);
                }
            })?;
            if kept.as_ref().is_some_and(|kept| kept.len() > KEPT_MAX_BYTES) {
                return Err(Failure::TooLarge);
            }
            if body.is_whole() {
                return if taken == fresh.len() { Ok(body_bytes) } else { Err(Failure::Excess) };
            }
            if fresh.end == self.buffer.len() {
                self.grow();
            }
            fresh = match self.fill(stream, 0).await {
                Ok(read) => 0..read,
                Err(Failure::Closed) if matches!(body, Body::Close) => return Ok(body_bytes),
                Err(failure) => return Err(failure),
            };
        }
    }

    /// Reads what is there into the buffer, from this place on.
    async fn fill(&mut self, stream: &mut TcpStream, from: usize) -> Result<usize, Failure> {
        match stream.read(&mut self.buffer[from..]).await.map_err(Failure::Broken)? {
            0 => Err(Failure::Closed),
            read => Ok(read),
        }
    }

    fn grow(&mut self) {
        let size = (self.buffer.len() * 2).min(BUFFER_MAX_BYTES);
        self.buffer.resize(size, 0);
    }
}
