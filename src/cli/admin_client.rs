//! Asks nodes by their admin API: the first of them that answers.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::http::request;
use hyper::{Method, Request, Response, StatusCode, Uri, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::percent_decode_str;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::time::timeout;

use crate::tls;

/// Longer than a node waits for a change to be committed.
pub(super) const ANSWER_PATIENCE: Duration = Duration::from_secs(25);
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
const ANSWER_MAX_BYTES: usize = 16 * 1024 * 1024;

/// A node's URL, such as `https://user:password@registry-1:8761`; a path is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeUrl {
    scheme: &'static str,
    pub(super) authority: String,
    authorization: Option<String>,
}

impl NodeUrl {
    /// A request of a path of this node.
    pub(super) fn request(&self, method: &Method, path: &str) -> request::Builder {
        let request =
            Request::builder().method(method).uri(format!("{}://{}{path}", self.scheme, self.authority));
        match &self.authorization {
            Some(authorization) => request.header(header::AUTHORIZATION, authorization),
            None => request,
        }
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("is no URL of a node; write http://HOST:PORT or https://HOST:PORT")]
pub struct NoNodeUrl;

impl FromStr for NodeUrl {
    type Err = NoNodeUrl;

    fn from_str(text: &str) -> Result<Self, NoNodeUrl> {
        let uri: Uri = text.trim().parse().map_err(|_| NoNodeUrl)?;
        let scheme = match uri.scheme_str() {
            Some("http") => "http",
            Some("https") => "https",
            _ => return Err(NoNodeUrl),
        };
        let authority = uri.authority().ok_or(NoNodeUrl)?.as_str();
        let (credentials, authority) = match authority.rsplit_once('@') {
            Some((credentials, authority)) => (Some(credentials), authority),
            None => (None, authority),
        };
        let authorization = credentials
            .map(|credentials| {
                let plain = percent_decode_str(credentials).decode_utf8().map_err(|_| NoNodeUrl)?;
                Ok(format!("Basic {}", STANDARD.encode(plain.as_bytes())))
            })
            .transpose()?;
        Ok(Self { scheme, authority: authority.to_owned(), authorization })
    }
}

/// What a node answered; its body if that is JSON, or else its text.
#[derive(Debug)]
pub struct AdminAnswer {
    pub status: StatusCode,
    pub body: Value,
}

impl AdminAnswer {
    /// # Errors
    /// If it does not come to its end, or is too long.
    pub(super) async fn read(url: &NodeUrl, response: Response<Incoming>) -> anyhow::Result<Self> {
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("{}: {error}", url.authority))?.to_bytes();
        let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
        Ok(Self { status, body: serde_json::from_slice(&body).unwrap_or_else(|_| text()) })
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
    pub(super) client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    pub(super) urls: Vec<NodeUrl>,
}

impl AdminClient {
    /// A client that takes the certificates of the authorities in a file, or else of those that the system trusts.
    ///
    /// # Errors
    /// If the file cannot be read or used.
    pub fn new(urls: Vec<NodeUrl>, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_PATIENCE));
        connector.enforce_http(false);
        let builder = HttpsConnectorBuilder::new();
        let builder = match ca_file {
            Some(file) => builder.with_tls_config(trusting(file)?),
            None if urls.iter().any(|url| url.scheme == "https") => {
                let builder = builder.with_provider_and_native_roots(ring::default_provider());
                builder.context("the system trusts no certificates; give --ca-file")?
            }
            None => builder.with_tls_config(trusting_nobody()?),
        };
        let connector = builder.https_or_http().enable_http1().wrap_connector(connector);
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector), urls })
    }

    /// The same credentials at another node.
    pub fn at(&self, authority: &str) -> Self {
        let authorization = self.urls.iter().find_map(|url| url.authorization.clone());
        let scheme = self.urls.first().map_or("http", |url| url.scheme);
        let url = NodeUrl { scheme, authority: authority.to_owned(), authorization };
        Self { client: self.client.clone(), urls: vec![url] }
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
        url: &NodeUrl,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<AdminAnswer> {
        let mut request = url.request(method, path).header(header::ACCEPT, "application/json");
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(Full::new(bytes)).context("the request cannot be written")?;
        let exchange = async {
            let response = self.client.request(request).await.with_context(|| unreachable(url))?;
            AdminAnswer::read(url, response).await
        };
        timeout(ANSWER_PATIENCE, exchange)
            .await
            .with_context(|| format!("{} does not answer", url.authority))?
    }
}

pub(super) fn unreachable(url: &NodeUrl) -> String {
    format!("cannot reach {}; is it running, and is this its URL?", url.authority)
}

fn trusting(ca_file: &Path) -> anyhow::Result<ClientConfig> {
    let contents = std::fs::read(ca_file).with_context(|| format!("cannot read {}", ca_file.display()))?;
    with_roots(tls::roots(ca_file, &contents)?)
}

fn trusting_nobody() -> anyhow::Result<ClientConfig> {
    with_roots(RootCertStore::empty())
}

fn with_roots(roots: RootCertStore) -> anyhow::Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_taken_from_the_url() {
        let url: NodeUrl = "http://ad%40min:p%3Aw@registry:8761/eureka".parse().unwrap();
        assert_eq!(url.authority, "registry:8761");
        assert_eq!(url.authorization.as_deref(), Some("Basic YWRAbWluOnA6dw=="));
        let plain: NodeUrl = "http://[::1]:8761".parse().unwrap();
        assert_eq!(
            (plain.scheme, plain.authority.as_str(), plain.authorization),
            ("http", "[::1]:8761", None)
        );
        assert_eq!("https://registry".parse::<NodeUrl>().unwrap().scheme, "https");
    }

    #[test]
    fn what_is_no_url_of_a_node_is_refused() {
        for text in ["", "registry:8761", "ftp://registry", "/api"] {
            assert_eq!(text.parse::<NodeUrl>(), Err(NoNodeUrl), "{text}");
        }
    }

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
