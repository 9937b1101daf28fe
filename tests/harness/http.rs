//! HTTP/1.1 requests that are put on the wire exactly as they are written, which no URL library
//! does, and their responses.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;
use rustls::ClientConfig;

use super::connection::{Connection, exchange_on, invalid};

const READ_TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    read_timeout: Duration,
    tls: Option<Arc<ClientConfig>>,
}

/// How a client that a node knows sends its requests; by default as anyone, without TLS.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    pub tls: Option<Arc<ClientConfig>>,
    /// The header's value.
    pub authorization: Option<String>,
}

impl Request {
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
            read_timeout: READ_TIMEOUT,
            tls: None,
        }
    }

    pub fn method(&self) -> &str {
        &self.method
    }

    /// With its query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// As they were asked for, in that order.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Empty if there is none.
    pub fn content(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
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

    pub fn with(mut self, credentials: &Credentials) -> Self {
        self.tls.clone_from(&credentials.tls);
        match &credentials.authorization {
            Some(value) => self.header("Authorization", value),
            None => self,
        }
    }

    /// Sends on a connection of its own.
    pub fn send(&self, addr: SocketAddr) -> io::Result<Response> {
        let connection = match &self.tls {
            None => Connection::open(addr, self.read_timeout)?,
            Some(tls) => Connection::open_tls(addr, self.read_timeout, tls)?,
        };
        exchange_on(connection, &self.bytes(addr), &self.method)
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
    pub(super) headers: Vec<(String, String)>,
    /// After chunked decoding, before any content decoding.
    pub body: Vec<u8>,
}

impl Response {
    /// In the order in which they came.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

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
