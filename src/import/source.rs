//! Reads the registry of a Eureka server, and what lately changed in it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, StatusCode, header};

use super::listed::{Listed, Skipped, key_of};
use crate::blocking::blocking;
use crate::eureka::{DecodeError, MAX_APPLICATIONS_BYTES, StatusCounts, decode_applications};
use crate::http_client::{Answer, HttpClient, HttpClientError, Request, ServerUrl};
use crate::registry::{Action, Key};

/// For all of a registry to arrive.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);

/// A server that is read from.
#[derive(Debug, Clone)]
pub struct Source {
    client: HttpClient,
    url: ServerUrl,
}

/// What a server listed.
#[derive(Debug, Default)]
pub struct Reading {
    pub listed: Vec<(Key, Arc<Listed>)>,
    /// What it says it has no more; of a delta only.
    pub deleted: Vec<Key>,
    pub skipped: Skipped,
    /// How many instances it says it has of each status, if it says so.
    pub counts: Option<StatusCounts>,
}

/// Why a server cannot be read from. Each names it.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error(transparent)]
    Exchange(#[from] HttpClientError),
    #[error("{0} asks who you are; write http://USER:PASSWORD@HOST:PORT/eureka/, or check both")]
    Unauthorized(ServerUrl),
    #[error(
        "{0} refuses to be read; a Netflix server that starts alone does so for five minutes, else check what its user may"
    )]
    Forbidden(ServerUrl),
    #[error(
        "{0}/apps/ is not there; give the service URL that clients have, such as http://HOST:8761/eureka/"
    )]
    NotFound(ServerUrl),
    #[error("{url} answers {status}")]
    Status { url: ServerUrl, status: StatusCode },
    #[error("what {url} sends is no registry of a Eureka server: {reason}")]
    NoRegistry { url: ServerUrl, reason: DecodeError },
    #[error("{0} says that it has instances and lists none; try again")]
    Contradiction(ServerUrl),
    #[error("what {url} sent could not be read: {reason}")]
    Reader { url: ServerUrl, reason: std::io::Error },
}

impl Source {
    /// Of a URL up to and including `/eureka` or the like.
    pub fn new(client: HttpClient, url: ServerUrl) -> Self {
        Self { client, url }
    }

    pub fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// All that it lists.
    ///
    /// # Errors
    /// [`SourceError`]
    pub async fn read(&self) -> Result<Reading, SourceError> {
        let answer = self.get("/apps/").await?;
        match answer.status {
            StatusCode::OK => {}
            status => return Err(self.refusal(status)),
        }
        let reading = self.decode(answer.body, whole).await?;
        let claims_some = reading.counts.is_some_and(|counts| counts.total() > 0);
        if claims_some && reading.listed.is_empty() && reading.skipped.count() == 0 {
            return Err(SourceError::Contradiction(self.url.clone()));
        }
        Ok(reading)
    }

    /// What lately changed; `None` if it does not tell that.
    ///
    /// # Errors
    /// [`SourceError`]
    pub async fn read_delta(&self) -> Result<Option<Reading>, SourceError> {
        let answer = self.get("/apps/delta").await?;
        match answer.status {
            // As Eureka's clients take it.
            StatusCode::OK if answer.body.is_empty() => Ok(None),
            StatusCode::OK => self.decode(answer.body, delta).await.map(Some),
            StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::NOT_IMPLEMENTED => Ok(None),
            status => Err(self.refusal(status)),
        }
    }

    async fn get(&self, path: &str) -> Result<Answer, HttpClientError> {
        let request = Request::new(Method::GET, &self.url, path).header(header::ACCEPT, "application/json");
        self.client.send(request.accept_gzip(), ANSWER_PATIENCE, MAX_APPLICATIONS_BYTES).await
    }

    fn refusal(&self, status: StatusCode) -> SourceError {
        let url = self.url.clone();
        match status {
            StatusCode::UNAUTHORIZED => SourceError::Unauthorized(url),
            StatusCode::FORBIDDEN => SourceError::Forbidden(url),
            StatusCode::NOT_FOUND => SourceError::NotFound(url),
            status => SourceError::Status { url, status },
        }
    }

    async fn decode(
        &self,
        body: Bytes,
        decode: fn(&[u8]) -> Result<Reading, DecodeError>,
    ) -> Result<Reading, SourceError> {
        let url = || self.url.clone();
        let decoded = blocking(move || decode(&body)).await;
        let decoded = decoded.map_err(|reason| SourceError::Reader { url: url(), reason })?;
        decoded.map_err(|reason| SourceError::NoRegistry { url: url(), reason })
    }
}

/// Reads a whole registry; whatever is said of an instance, it is there.
pub fn whole(body: &[u8]) -> Result<Reading, DecodeError> {
    reading(body, |_| Some(Action::Added))
}

/// Reads recent changes; who has no known one is left out, as Eureka's clients do.
pub fn delta(body: &[u8]) -> Result<Reading, DecodeError> {
    reading(body, |action| action)
}

fn reading(body: &[u8], action: fn(Option<Action>) -> Option<Action>) -> Result<Reading, DecodeError> {
    let mut reading = Reading::default();
    let hashcode = decode_applications(body, |instance| match instance {
        Err(unreadable) => reading.skipped.add_unreadable(unreadable),
        Ok(instance) => match action(instance.action) {
            None => {}
            Some(Action::Deleted) => reading.deleted.extend(key_of(&instance)),
            Some(Action::Added | Action::Modified) => match Listed::check(instance) {
                Ok(listed) => reading.listed.push(listed),
                Err((name, reason)) => reading.skipped.add(name, reason),
            },
        },
    })?;
    reading.counts = hashcode.and_then(|hashcode| hashcode.parse().ok());
    Ok(reading)
}
