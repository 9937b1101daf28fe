//! What a node answered, kept in files for a server that answers the same.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use rs_registry::bench::documents::Documents;
use rs_registry::bench::plan::DocumentKind;

use super::common::Output;
use super::common::harness::Request;
use super::measure::Read;

/// One file for the head of each answer, and one for its body.
pub struct Answers {
    dir: PathBuf,
}

pub struct Answer {
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// What any HTTP server writes by itself.
const OF_THE_SERVER: [&str; 3] = ["date", "content-length", "connection"];

impl Answers {
    /// Without those of another run.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn new(output: &Output) -> anyhow::Result<Self> {
        let dir = output.path().join("answers");
        if dir.exists() {
            fs::remove_dir_all(&dir).with_context(|| dir.display().to_string())?;
        }
        Ok(Self::kept_in(dir))
    }

    pub fn kept_in(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub fn dir(&self) -> &PathBuf {
        &self.dir
    }

    /// Asks what `rs-registry bench` asks, for the last of so many instances.
    ///
    /// # Errors
    /// When the node does not answer so, or the files cannot be written.
    pub fn capture(&self, read: Read, addr: SocketAddr, instances: u32) -> anyhow::Result<()> {
        let last = instances as usize - 1;
        let documents = documents();
        let app = format!("/eureka/apps/{}", documents.app(last));
        let path = match read {
            Read::AppsGzip | Read::AppsPlain => "/eureka/apps".to_owned(),
            Read::Delta => "/eureka/apps/delta".to_owned(),
            Read::App => app,
            Read::Instance => format!("{app}/{}", documents.id(last)),
        };
        let request = Request::get(&path).accept_json();
        let plain = read == Read::AppsPlain;
        let request = if plain { request } else { request.header("Accept-Encoding", "gzip") };
        let response = request.send(addr).with_context(|| format!("{path} at {addr}"))?;
        ensure!(response.status == 200, "{path} at {addr} answers {}", response.status);
        fs::create_dir_all(&self.dir).with_context(|| self.dir.display().to_string())?;
        fs::write(self.body(read), &response.body).context("the body of an answer")?;
        fs::write(self.head(read), serde_json::to_vec(response.headers())?).context("the head of an answer")
    }

    fn has(&self, read: Read) -> bool {
        self.head(read).exists()
    }

    /// None if it was not captured.
    ///
    /// # Errors
    /// When a file is not what was written.
    pub fn load(&self, read: Read) -> anyhow::Result<Option<Answer>> {
        if !self.has(read) {
            return Ok(None);
        }
        let head = fs::read(self.head(read)).context("the head of an answer")?;
        let body = fs::read(self.body(read)).context("the body of an answer")?;
        let mut headers = HeaderMap::new();
        for (name, value) in serde_json::from_slice::<Vec<(String, String)>>(&head)? {
            if !OF_THE_SERVER.contains(&name.to_ascii_lowercase().as_str()) {
                headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
            }
        }
        Ok(Some(Answer { headers, body: body.into() }))
    }

    fn head(&self, read: Read) -> PathBuf {
        self.dir.join(format!("{}.head", read.name()))
    }

    fn body(&self, read: Read) -> PathBuf {
        self.dir.join(format!("{}.body", read.name()))
    }
}

/// Those that `rs-registry bench` registers by default.
pub fn documents() -> Documents {
    Documents::new(DocumentKind::Spring, "BENCH", 100, 3_600)
}
