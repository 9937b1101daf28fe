//! The recorded exchanges with a real Eureka server, one file a step.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// The recorded groups; each was played against a server of its own.
pub const GROUPS: [&str; 5] = ["0000", "0100", "0520", "0600", "1000"];

#[derive(Debug, Deserialize)]
struct File {
    step: String,
    #[serde(default)]
    note: String,
    sent_at_ms: i64,
    request: Message,
    response: Message,
}

#[derive(Debug, Deserialize)]
struct Message {
    #[serde(default)]
    method: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    status: u16,
    headers: Vec<(String, String)>,
    /// Text; of a gzip body the text after gunzip.
    body: Option<String>,
    /// The bytes on the wire, where they are not the text.
    body_base64: Option<String>,
}

pub struct Step {
    /// `GROUP/NNNN`, what differences are listed under.
    pub number: String,
    pub name: String,
    pub note: String,
    pub sent_at_ms: i64,
    pub method: String,
    pub path: String,
    request: Message,
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The recorded body after content decoding.
    pub body: Vec<u8>,
}

impl Step {
    /// The recorded request, byte by byte.
    pub fn request_bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.request.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(self.request.wire_body());
        bytes
    }

    /// A header of the recorded response.
    pub fn response_header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Message {
    fn wire_body(&self) -> Vec<u8> {
        match (&self.body_base64, &self.body) {
            (Some(coded), _) => STANDARD.decode(coded).expect("recorded bytes are base64"),
            (None, Some(text)) => text.clone().into_bytes(),
            (None, None) => Vec::new(),
        }
    }
}

/// The steps of a group in the order they were played.
pub fn load(group: &str) -> Vec<Step> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/golden").join(group);
    let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a directory entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| read(group, path)).collect()
}

fn read(group: &str, path: &Path) -> Step {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: File =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (number, name) = file.step.split_once('-').expect("a step is NNNN-name");
    // Only gzip makes a response's bytes differ from its text, and meaning is compared without it.
    let body = file.response.body.unwrap_or_default().into_bytes();
    Step {
        number: format!("{group}/{number}"),
        name: name.to_owned(),
        note: file.note,
        sent_at_ms: file.sent_at_ms,
        method: file.request.method.clone(),
        path: file.request.path.clone(),
        request: file.request,
        status: file.response.status,
        headers: file.response.headers,
        body,
    }
}
