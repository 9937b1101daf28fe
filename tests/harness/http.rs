//! An HTTP/1.1 client that puts exactly the asked bytes on the wire, which no URL library lets
//! through unchanged, and reads one response.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use flate2::read::GzDecoder;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(15);
const MAX_HEADERS: usize = 64;

#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    read_timeout: Duration,
}

impl Request {
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
            read_timeout: READ_TIMEOUT,
        }
    }

    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    pub fn put(path: &str) -> Self {
        Self::new("PUT", path)
    }

    pub fn delete(path: &str) -> Self {
        Self::new("DELETE", path)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn accept_json(self) -> Self {
        self.header("Accept", "application/json")
    }

    pub fn accept_xml(self) -> Self {
        self.header("Accept", "application/xml")
    }

    pub fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("Content-Type", "application/json").body(body)
    }

    pub fn xml(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("Content-Type", "application/xml").body(body)
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub fn read_timeout(mut self, limit: Duration) -> Self {
        self.read_timeout = limit;
        self
    }

    /// Sends on a connection of its own.
    pub fn send(&self, addr: SocketAddr) -> io::Result<Response> {
        exchange(addr, &self.bytes(addr), &self.method, self.read_timeout)
    }

    /// Sends, and takes anything but a response as a failure of the test.
    pub fn expect(&self, addr: SocketAddr) -> Response {
        self.send(addr).unwrap_or_else(|error| panic!("{} {} at {addr}: {error}", self.method, self.path))
    }

    /// The request's bytes: what was asked for, plus `Host`, and `Content-Length` for a body that
    /// has no framing of its own.
    pub fn bytes(&self, addr: SocketAddr) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {addr}\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let framed = self.headers.iter().any(|(name, _)| {
            name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding")
        });
        if let (Some(body), false) = (&self.body, framed) {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}

#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    /// After chunked decoding, before any content decoding.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header, if it is there exactly once or more often with the first counting.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Type and subtype of the Content-Type, without parameters.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// The body after content decoding.
    pub fn decoded(&self) -> io::Result<Vec<u8>> {
        match self.header("content-encoding") {
            None => Ok(self.body.clone()),
            Some("gzip") => {
                let mut plain = Vec::new();
                GzDecoder::new(self.body.as_slice()).read_to_end(&mut plain)?;
                Ok(plain)
            }
            Some(other) => Err(invalid(&format!("content coding {other}"))),
        }
    }

    pub fn text(&self) -> String {
        let bytes = self.decoded().unwrap_or_else(|error| panic!("{self:?}: {error}"));
        String::from_utf8(bytes).unwrap_or_else(|error| panic!("a body that is not UTF-8: {error}"))
    }

    pub fn value(&self) -> serde_json::Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("not JSON: {error}: {text}"))
    }
}

/// Sends bytes as they are and reads one response to a request of this method.
///
/// # Errors
/// When the connection fails, a time-out passes, or what comes back is not one whole response.
pub fn exchange(
    addr: SocketAddr,
    bytes: &[u8],
    method: &str,
    read_timeout: Duration,
) -> io::Result<Response> {
    let mut stream = TcpStream::connect_timeout(&addr, CONNECT_TIMEOUT)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(read_timeout))?;
    stream.set_read_timeout(Some(read_timeout))?;
    // A server may answer and close before it has read a body it refuses: then the write fails,
    // and the response is what counts.
    let written = stream.write_all(bytes);
    match (read_response(&mut stream, method), written) {
        (Ok(response), _) => Ok(response),
        (Err(error), Ok(())) | (Err(_), Err(error)) => Err(error),
    }
}

fn read_response(stream: &mut TcpStream, method: &str) -> io::Result<Response> {
    let mut reader = Reader { stream, buffer: Vec::new() };
    loop {
        let (status, headers) = reader.head()?;
        if (100..200).contains(&status) {
            continue;
        }
        let mut response = Response { status, headers, body: Vec::new() };
        if method != "HEAD" && status != 204 && status != 304 {
            response.body = reader.body(&response)?;
        }
        return Ok(response);
    }
}

/// The bytes of a connection that were read and not yet used up.
struct Reader<'a> {
    stream: &'a mut TcpStream,
    buffer: Vec<u8>,
}

impl Reader<'_> {
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

fn invalid(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason.to_owned())
}
