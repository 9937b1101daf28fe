//! The servers under load: base URLs, what each stands for on the wire, and where it is.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use percent_encoding::percent_decode_str;
use thiserror::Error;

/// A base URL, such as `http://user:password@registry-1:8761/eureka`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    host: String,
    port: u16,
    prefix: String,
    authorization: Option<String>,
}

/// A base URL whose host was looked up.
#[derive(Debug, Clone)]
pub struct Target {
    url: BaseUrl,
    /// Tried in this order.
    addrs: Vec<SocketAddr>,
}

#[derive(Debug, Error, PartialEq, Eq)]
pub enum UrlError {
    #[error("{0} is no URL; write http://HOST:PORT/eureka")]
    Malformed(String),
    #[error("{0} has no http:// before it; write http://HOST:PORT/eureka")]
    NoScheme(String),
    #[error(
        "{0} asks for TLS, which bench does not speak; give the http:// URL of a server, or of a proxy before it"
    )]
    Tls(String),
    #[error("{0} has a query or a fragment; leave it out, a base URL ends in /eureka or the like")]
    Query(String),
    #[error("the name or the password in {0} is not UTF-8, or has a line break in it once its %XX are read")]
    Credentials(String),
}

impl FromStr for BaseUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        // Shown in errors and reports, where a password has no place.
        let shown = without_credentials(text);
        if text.contains(['?', '#']) {
            return Err(UrlError::Query(shown));
        }
        let uri: Uri = text.parse().map_err(|_| UrlError::Malformed(shown.clone()))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(UrlError::Tls(shown)),
            Some(_) => return Err(UrlError::Malformed(shown)),
            None => return Err(UrlError::NoScheme(shown)),
        }
        let authority = uri.authority().ok_or_else(|| UrlError::Malformed(shown.clone()))?;
        let after_credentials = authority.as_str().rsplit('@').next().unwrap_or_default();
        let port = match (authority.port_u16(), after_credentials.rsplit_once(':')) {
            (Some(port), _) => port,
            // A colon that no port follows, unless it is one of an IPv6 address in brackets.
            (None, Some((_, rest))) if !rest.ends_with(']') => return Err(UrlError::Malformed(shown)),
            (None, _) => 80,
        };
        if authority.host().is_empty() || port == 0 {
            return Err(UrlError::Malformed(shown));
        }
        let credentials = authority.as_str().rsplit_once('@').map(|(credentials, _)| credentials);
        let authorization = match credentials.map(basic) {
            None => None,
            Some(Some(basic)) => Some(basic),
            Some(None) => return Err(UrlError::Credentials(shown)),
        };
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { host: authority.host().to_owned(), port, prefix, authorization })
    }
}

/// As it is shown: without name and password.
impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}{}", self.host, self.port, self.prefix)
    }
}

impl BaseUrl {
    /// Looks up its host.
    ///
    /// # Errors
    /// When that has no address.
    pub async fn resolve(self) -> std::io::Result<Target> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let addrs: Vec<SocketAddr> = tokio::net::lookup_host((host, self.port)).await?.collect();
        if addrs.is_empty() {
            return Err(std::io::Error::other("the name has no address"));
        }
        Ok(Target { url: self, addrs })
    }
}

impl Target {
    pub fn addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }

    pub fn url(&self) -> String {
        self.url.to_string()
    }

    /// Host and port, for the `Host` header.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.url.host, self.url.port)
    }

    /// What comes before `/apps` in a path.
    pub fn prefix(&self) -> &str {
        &self.url.prefix
    }

    /// The value of the `Authorization` header.
    pub fn authorization(&self) -> Option<&str> {
        self.url.authorization.as_deref()
    }
}

/// `name:password` of a URL as HTTP Basic; none if it cannot be sent so.
fn basic(credentials: &str) -> Option<String> {
    let (name, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let decode = |text| percent_decode_str(text).decode_utf8().ok();
    let plain = format!("{}:{}", decode(name)?, decode(password)?);
    let sendable = !plain.contains(['\r', '\n', '\0']);
    sendable.then(|| format!("Basic {}", STANDARD.encode(plain)))
}

fn without_credentials(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let host = authority.rsplit('@').next().unwrap_or_default();
    if scheme.is_empty() { format!("{host}{path}") } else { format!("{scheme}://{host}{path}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<BaseUrl, UrlError> {
        text.parse()
    }

    #[test]
    fn a_base_url_is_host_port_and_prefix() {
        let cases = [
            ("http://127.0.0.1:8761/eureka", "http://127.0.0.1:8761/eureka"),
            ("http://127.0.0.1:8761/eureka/", "http://127.0.0.1:8761/eureka"),
            (" http://registry/eureka/v2/", "http://registry:80/eureka/v2"),
            ("http://[::1]:8761/ctx/eureka", "http://[::1]:8761/ctx/eureka"),
            ("http://[::1]/eureka", "http://[::1]:80/eureka"),
            ("http://registry:8761", "http://registry:8761"),
        ];
        for (text, shown) in cases {
            assert_eq!(parse(text).expect(text).to_string(), shown);
        }
    }

    #[test]
    fn credentials_are_sent_and_not_shown() {
        let url = parse("http://user:p%40ss@registry:8761/eureka").expect("a URL");
        assert_eq!(url.authorization.as_deref(), Some("Basic dXNlcjpwQHNz"));
        assert_eq!(url.to_string(), "http://registry:8761/eureka");
        let error = parse("https://user:secret@registry/eureka").expect_err("TLS");
        assert!(!error.to_string().contains("secret"), "{error}");
        let error = parse("http://user:a%0Ab@registry/eureka").expect_err("a line break");
        assert_eq!(error, UrlError::Credentials("http://registry/eureka".into()));
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        assert!(matches!(parse("https://registry/eureka"), Err(UrlError::Tls(_))));
        assert!(matches!(parse("registry:8761"), Err(UrlError::NoScheme(_))));
        assert!(matches!(parse("http://registry/eureka?a=b"), Err(UrlError::Query(_))));
        for text in
            ["", "http://", "http:///eureka", "ftp://registry/", "http://registry:0/", "http://a:b/eureka"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn an_address_needs_no_name_server() {
        let target = parse("http://[::1]:8761/eureka").expect("a URL").resolve().await.expect("an address");
        assert_eq!(target.addrs(), ["[::1]:8761".parse().expect("an address")]);
        assert_eq!(target.authority(), "[::1]:8761");
    }
}
