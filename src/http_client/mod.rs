//! Requests to servers: HTTP and HTTPS, on connections that stay open, each with a time-out and a bound on what is
//! read of the answer. It knows nothing of what is asked for.

mod error;
mod server_url;
mod trust;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Response, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use tokio::time::timeout;

pub use self::error::HttpClientError;
pub use self::server_url::{ServerUrl, ServerUrlError};
use crate::gunzip::unpack;

const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Sends requests. Clones share its connections.
#[derive(Debug, Clone)]
pub struct HttpClient {
    plain: Exchanger,
    /// Made with the first URL that needs it: to load what the system trusts takes a while.
    secured: Arc<OnceLock<Exchanger>>,
    connect_timeout: Duration,
}

type Exchanger = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// What is asked of a server.
#[derive(Debug, Clone)]
pub struct Request<'u> {
    method: Method,
    url: &'u ServerUrl,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// What a server answered, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Unpacked if it came gzipped.
    pub body: Bytes,
}

impl<'u> Request<'u> {
    /// Of a path below that of the URL. It begins with a slash, and may have a query.
    pub fn new(method: Method, url: &'u ServerUrl, path: impl Into<String>) -> Self {
        let mut headers = HeaderMap::new();
        if let Some(authorization) = url.authorization() {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        Self { method, url, path: path.into(), headers, body: Bytes::new() }
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(header::CONTENT_TYPE, content_type)
    }

    /// Asks for an answer that is gzipped.
    #[must_use]
    pub fn accept_gzip(mut self) -> Self {
        self.headers.insert(header::ACCEPT_ENCODING, GZIP);
        self
    }
}

impl HttpClient {
    /// A client that takes the certificates of the authorities in a file, or else of those that the system trusts, and
    /// waits so long for a connection.
    ///
    /// # Errors
    /// If the file cannot be read or used.
    pub fn new(ca_file: Option<&Path>, connect_timeout: Duration) -> Result<Self, HttpClientError> {
        let plain = exchanger(trust::nobody()?, connect_timeout);
        let secured = match ca_file {
            Some(ca_file) => OnceLock::from(exchanger(trust::authorities(ca_file)?, connect_timeout)),
            None => OnceLock::new(),
        };
        Ok(Self { plain, secured: Arc::new(secured), connect_timeout })
    }

    /// Loads what the system trusts if a request to one of these will need it. Without it, that request does.
    ///
    /// # Errors
    /// If the system trusts nobody.
    pub fn prepare(&self, urls: &[ServerUrl]) -> Result<(), HttpClientError> {
        urls.iter().try_for_each(|url| self.exchanger(url).map(drop))
    }

    /// Sends a request, and reads the whole of its answer, which must all have come after `patience`; of its body at most
    /// `max_bytes` are read, and as many unpacked.
    ///
    /// # Errors
    /// [`HttpClientError`] when there is no answer or not all of it. None for any status.
    pub async fn send(
        &self,
        request: Request<'_>,
        patience: Duration,
        max_bytes: usize,
    ) -> Result<Answer, HttpClientError> {
        let url = request.url;
        let exchange = async { whole(url, self.start(request).await?, max_bytes).await };
        let late = |_| HttpClientError::Timeout { authority: url.authority().to_owned(), patience };
        timeout(patience, exchange).await.map_err(late)?
    }

    /// Sends a request, and returns when the head of its answer is there, for bodies that do not fit in memory.
    ///
    /// # Errors
    /// [`HttpClientError`] when none comes. None for any status, and none for waiting long.
    pub async fn start(&self, request: Request<'_>) -> Result<Response<Incoming>, HttpClientError> {
        let Request { method, url, path, headers, body } = request;
        let authority = || url.authority().to_owned();
        let mut written = hyper::Request::builder()
            .method(method)
            .uri(format!("{url}{path}"))
            .body(Full::new(body))
            .map_err(|source| HttpClientError::Request { authority: authority(), source })?;
        *written.headers_mut() = headers;
        self.exchanger(url)?.request(written).await.map_err(|source| match source.is_connect() {
            true => HttpClientError::Connect { authority: authority(), source },
            false => HttpClientError::Broken { authority: authority(), source: source.into() },
        })
    }

    fn exchanger(&self, url: &ServerUrl) -> Result<&Exchanger, HttpClientError> {
        if !url.is_https() {
            return Ok(&self.plain);
        }
        if let Some(secured) = self.secured.get() {
            return Ok(secured);
        }
        let config = trust::system()?;
        Ok(self.secured.get_or_init(|| exchanger(config, self.connect_timeout)))
    }
}

/// Reads an answer whose head is there.
///
/// # Errors
/// [`HttpClientError`] when not all of its body comes, or it is more than `max_bytes` as sent or as unpacked.
pub async fn whole(
    url: &ServerUrl,
    response: Response<Incoming>,
    max_bytes: usize,
) -> Result<Answer, HttpClientError> {
    let authority = || url.authority().to_owned();
    let too_large = || HttpClientError::TooLarge { authority: authority(), max_bytes };
    let (head, body) = response.into_parts();
    let body = Limited::new(body, max_bytes).collect().await.map_err(|error| {
        match error.downcast_ref::<LengthLimitError>() {
            Some(_) => too_large(),
            None => HttpClientError::Broken { authority: authority(), source: error },
        }
    })?;
    let mut body = body.to_bytes();
    // What has no body says how that would be encoded.
    if !body.is_empty() && head.headers.get(header::CONTENT_ENCODING) == Some(&GZIP) {
        let spoilt = |source| HttpClientError::Gzip { authority: authority(), source };
        body = unpack(&body, max_bytes).map_err(spoilt)?.ok_or_else(too_large)?;
    }
    Ok(Answer { status: head.status, headers: head.headers, body })
}

fn exchanger(trust: ClientConfig, connect_timeout: Duration) -> Exchanger {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(connect_timeout));
    connector.enforce_http(false);
    let builder = HttpsConnectorBuilder::new().with_tls_config(trust).https_or_http().enable_http1();
    Client::builder(TokioExecutor::new()).build(builder.wrap_connector(connector))
}

#[cfg(test)]
mod tests;
