//! A connection that sends exact bytes and reads the responses to them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use super::http::Response;
use super::stream::Stream;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_HEADERS: usize = 64;

/// Sends bytes as they are, on a connection of their own, and reads one response to a request of
/// this method.
///
/// # Errors
/// When the connection fails, a time-out passes, or what comes back is not one whole response.
pub fn exchange(addr: SocketAddr, bytes: &[u8], method: &str, limit: Duration) -> io::Result<Response> {
    exchange_on(Connection::open(addr, limit)?, bytes, method)
}

/// [`exchange`] on a connection that there is.
pub(super) fn exchange_on(mut connection: Connection, bytes: &[u8], method: &str) -> io::Result<Response> {
    // A server may answer and close before it has read a body it refuses: then the write fails,
    // and the response is what counts.
    let written = connection.send(bytes);
    match (connection.receive(method), written) {
        (Ok(response), _) => Ok(response),
        (Err(error), Ok(())) | (Err(_), Err(error)) => Err(error),
    }
}

pub struct Connection {
    stream: Stream,
    /// What was read and not yet used up.
    buffer: Vec<u8>,
}

impl Connection {
    /// # Errors
    /// When nobody accepts within five seconds. `limit` is for each write and read.
    pub fn open(addr: SocketAddr, limit: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&addr, CONNECT_TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(limit))?;
        stream.set_read_timeout(Some(limit))?;
        Ok(Self { stream: Stream::Plain(stream), buffer: Vec::new() })
    }

    /// [`Connection::open`], below TLS.
    ///
    /// # Errors
    /// When they cannot agree on TLS, too.
    pub fn open_tls(addr: SocketAddr, limit: Duration, tls: &Arc<ClientConfig>) -> io::Result<Self> {
        let mut connection = Self::open(addr, limit)?;
        if let Stream::Plain(tcp) = connection.stream {
            connection.stream = Stream::secured(tcp, tls)?;
        }
        Ok(connection)
    }

    /// # Errors
    /// When the connection has failed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// # Errors
    /// When the connection fails or the time-out passes.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Reads the next response, which is to a request of this method.
    ///
    /// # Errors
    /// When the connection fails, the time-out passes, or what comes is not one whole response.
    pub fn receive(&mut self, method: &str) -> io::Result<Response> {
        loop {
            let (status, headers) = self.head()?;
            if (100..200).contains(&status) {
                continue;
            }
            let mut response = Response { status, headers, body: Vec::new() };
            if method != "HEAD" && status != 204 && status != 304 {
                response.body = self.body(&response)?;
            }
            return Ok(response);
        }
    }

    fn head(&mut self) -> io::Result<(u16, Vec<(String, String)>)> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut head = httparse::Response::new(&mut headers);
            let parsed = head.parse(&self.buffer).map_err(|error| invalid(&error.to_string()))?;
            if let httparse::Status::Complete(length) = parsed {
                let status = head.code.ok_or_else(|| invalid("a response without a status"))?;
                let headers = head
                    .headers
                    .iter()
                    .map(|header| {
                        (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned())
                    })
                    .collect();
                self.buffer.drain(..length);
                return Ok((status, headers));
            }
            self.fill()?;
        }
    }

    fn body(&mut self, response: &Response) -> io::Result<Vec<u8>> {
        if response.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            return self.chunks();
        }
        if let Some(length) = response.header("content-length") {
            let length = length.parse().map_err(|_| invalid("a Content-Length that is no number"))?;
            return self.take(length);
        }
        self.stream.read_to_end(&mut self.buffer)?;
        Ok(std::mem::take(&mut self.buffer))
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((start, size))) => {
                    self.buffer.drain(..start);
                    usize::try_from(size).map_err(|_| invalid("a chunk beyond memory"))?
                }
                Ok(httparse::Status::Partial) => {
                    self.fill()?;
                    continue;
                }
                Err(_) => return Err(invalid("a chunk size that is no number")),
            };
            let chunk = self.take(size + 2)?;
            if !chunk.ends_with(b"\r\n") {
                return Err(invalid("a chunk that does not end where it says"));
            }
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.fill()?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut piece = [0; 16 * 1024];
        match self.stream.read(&mut piece)? {
            0 => Err(io::Error::new(ErrorKind::UnexpectedEof, "closed before the response was whole")),
            read => {
                self.buffer.extend_from_slice(&piece[..read]);
                Ok(())
            }
        }
    }
}

/// Whatever comes, without a look at what it is.
impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

/// An error for bytes that are not what they should be.
pub(super) fn invalid(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason.to_owned())
}
