//! Asks nodes by their admin API: the first of them that answers.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use hyper::{Method, StatusCode, header};
use serde_json::Value;

use crate::http_client::{HttpClient, HttpClientError, Request, ServerUrl};

/// Longer than a node waits for a change to be committed.
pub(super) const ANSWER_PATIENCE: Duration = Duration::from_secs(25);
pub(super) const ANSWER_MAX_BYTES: usize = 16 * 1024 * 1024;
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// What a node answered; its body if that is JSON, or else its text.
#[derive(Debug)]
pub struct AdminAnswer {
    pub status: StatusCode,
    pub body: Value,
}

impl AdminAnswer {
    pub(super) fn new(status: StatusCode, body: &Bytes) -> Self {
        let text = || Value::String(String::from_utf8_lossy(body).into_owned());
        Self { status, body: serde_json::from_slice(body).unwrap_or_else(|_| text()) }
    }

    /// The body of a 200.
    ///
    /// # Errors
    /// What the node said instead.
    pub fn good(self) -> anyhow::Result<Value> {
        if self.status == StatusCode::OK {
            return Ok(self.body);
        }
        match (self.body.get("error").and_then(Value::as_str), self.body.as_str()) {
            (Some(error), _) => bail!("{error}"),
            (None, Some(text)) if !text.trim().is_empty() => bail!("{}: {}", self.status, text.trim()),
            (None, _) => bail!("the node answers {}", self.status),
        }
    }
}

pub struct AdminClient {
    pub(super) client: HttpClient,
    pub(super) urls: Vec<ServerUrl>,
}

impl AdminClient {
    /// A client that takes the certificates of the authorities in a file, or else of those that the system trusts. Paths
    /// of the URLs are left out.
    ///
    /// # Errors
    /// If the file cannot be read or used.
    pub fn new(urls: Vec<ServerUrl>, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let client = HttpClient::new(ca_file, CONNECT_PATIENCE)?;
        client.prepare(&urls).map_err(|error| match error {
            HttpClientError::NoRoots(source) => {
                anyhow::Error::new(source).context("the system trusts no certificates; give --ca-file")
            }
            error => error.into(),
        })?;
        Ok(Self { client, urls: urls.into_iter().map(ServerUrl::without_path).collect() })
    }

    /// The same credentials at another node.
    pub fn at(&self, authority: &str) -> Self {
        let urls = self.urls.first().map(|url| url.clone().at(authority));
        Self { client: self.client.clone(), urls: urls.into_iter().collect() }
    }

    /// The answer of the first node that can be reached and does not say that it is of no use now (503).
    ///
    /// # Errors
    /// When none can be.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<AdminAnswer> {
        let mut last = None;
        for url in &self.urls {
            let outcome = self.ask_one(url, &method, path, body).await;
            match outcome {
                Ok(answer) if answer.status != StatusCode::SERVICE_UNAVAILABLE => return Ok(answer),
                outcome => last = Some(outcome),
            }
        }
        last.context("no URL is given")?
    }

    async fn ask_one(
        &self,
        url: &ServerUrl,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<AdminAnswer> {
        let mut request = Request::new(method.clone(), url, path).header(header::ACCEPT, "application/json");
        if let Some(body) = body {
            request = request.body("application/json", body.to_string());
        }
        let answer = self.client.send(request, ANSWER_PATIENCE, ANSWER_MAX_BYTES).await?;
        Ok(AdminAnswer::new(answer.status, &answer.body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_says_is_passed_on() {
        let answer = |status, body| AdminAnswer { status, body }.good();
        assert_eq!(answer(StatusCode::OK, Value::from(1)).unwrap(), Value::from(1));
        let refused = answer(StatusCode::CONFLICT, serde_json::json!({"error": "it leads"}));
        assert_eq!(refused.unwrap_err().to_string(), "it leads");
        let empty = answer(StatusCode::SERVICE_UNAVAILABLE, Value::from(""));
        assert_eq!(empty.unwrap_err().to_string(), "the node answers 503 Service Unavailable");
    }
}
