//! Where a server is, below which path, and who asks.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use hyper::header::HeaderValue;
use percent_encoding::percent_decode_str;

/// A server's URL, such as `http://user:password@eureka-1:8761/eureka/`. It is shown without user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    scheme: Scheme,
    authority: String,
    /// Empty, or begins with a slash and does not end with one.
    path: String,
    user: Option<String>,
    authorization: Option<HeaderValue>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// Why a text is no URL of a server. It never has the text in it, in which a password may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServerUrlError {
    #[error("is no URL of a server; write http://HOST:PORT or https://HOST:PORT")]
    Malformed,
    #[error("has a query or a fragment, which a server's URL has not; leave it out")]
    Query,
    #[error(
        "has a user or password that is not UTF-8, or has control characters, once its %XX are read; no server takes that"
    )]
    Credentials,
    #[error("names no user for the password; write http://USER@HOST:PORT")]
    NoUser,
}

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, ServerUrlError> {
        let text = text.trim();
        if text.contains(['?', '#']) {
            return Err(ServerUrlError::Query);
        }
        let uri: Uri = text.parse().map_err(|_| ServerUrlError::Malformed)?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ => return Err(ServerUrlError::Malformed),
        };
        let authority = uri.authority().ok_or(ServerUrlError::Malformed)?;
        let (credentials, place) = match authority.as_str().rsplit_once('@') {
            Some((credentials, place)) => (Some(credentials), place),
            None => (None, authority.as_str()),
        };
        let has_port = place.rsplit_once(':').is_some_and(|(_, rest)| !rest.ends_with(']'));
        let good_port = !has_port || authority.port_u16().is_some_and(|port| port > 0);
        if authority.host().is_empty() || !good_port {
            return Err(ServerUrlError::Malformed);
        }
        let path = uri.path().trim_end_matches('/').to_owned();
        let url = Self { scheme, authority: place.to_owned(), path, user: None, authorization: None };
        match credentials {
            None => Ok(url),
            Some(credentials) => {
                let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
                Self { user: Some(decoded(user)?), ..url }.with_password(&decoded(password)?)
            }
        }
    }
}

impl ServerUrl {
    /// The same with this password, which is not percent-encoded, for the user that the URL names.
    ///
    /// # Errors
    /// [`ServerUrlError`] if it names none, or the password cannot be sent.
    pub fn with_password(mut self, password: &str) -> Result<Self, ServerUrlError> {
        let user = self.user.as_deref().ok_or(ServerUrlError::NoUser)?;
        let plain = format!("{user}:{password}");
        if plain.contains(char::is_control) {
            return Err(ServerUrlError::Credentials);
        }
        let header = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(plain)));
        let mut header = header.map_err(|_| ServerUrlError::Credentials)?;
        header.set_sensitive(true);
        self.authorization = Some(header);
        Ok(self)
    }

    /// The same without a path.
    #[must_use]
    pub fn without_path(self) -> Self {
        Self { path: String::new(), ..self }
    }

    /// The same with this path, which begins with a slash, if it has none of its own.
    #[must_use]
    pub fn or_path(self, path: &str) -> Self {
        if self.path.is_empty() {
            return Self { path: path.trim_end_matches('/').to_owned(), ..self };
        }
        self
    }

    /// The same with another host and port.
    #[must_use]
    pub fn at(self, authority: &str) -> Self {
        Self { authority: authority.to_owned(), ..self }
    }

    /// Host and port as they were written.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// The value of the `Authorization` header.
    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn decoded(text: &str) -> Result<String, ServerUrlError> {
    let plain = percent_decode_str(text).decode_utf8().map_err(|_| ServerUrlError::Credentials)?;
    Ok(plain.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ServerUrl, ServerUrlError> {
        text.parse()
    }

    #[test]
    fn a_url_is_scheme_host_port_and_path() {
        for (text, shown) in [
            ("http://127.0.0.1:8761", "http://127.0.0.1:8761"),
            ("http://127.0.0.1:8761/", "http://127.0.0.1:8761"),
            ("http://eureka-1:8761/eureka/", "http://eureka-1:8761/eureka"),
            (" https://registry/ctx/eureka/v2 ", "https://registry/ctx/eureka/v2"),
            ("http://[::1]:8761/eureka", "http://[::1]:8761/eureka"),
            ("http://[::1]/eureka", "http://[::1]/eureka"),
        ] {
            assert_eq!(parse(text).expect(text).to_string(), shown);
        }
        let url = parse("https://registry:8761/eureka").unwrap();
        assert_eq!((url.authority(), url.is_https()), ("registry:8761", true));
    }

    #[test]
    fn credentials_are_sent_and_not_shown() {
        let sent = |text: &str| {
            let url = parse(text).expect(text);
            assert_eq!(format!("{url} {url:?}"), "http://registry:8761 http://registry:8761", "{text}");
            url.authorization().map(|header| header.to_str().expect("a header").to_owned())
        };
        assert_eq!(sent("http://ad%40min:p%3Aw@registry:8761").as_deref(), Some("Basic YWRAbWluOnA6dw=="));
        assert_eq!(sent("http://user@registry:8761").as_deref(), Some("Basic dXNlcjo="));
        assert_eq!(sent("http://registry:8761"), None);
        for text in ["http://user:a%0Ab@registry", "http://us%00er@registry", "http://user:%ff@registry"] {
            assert_eq!(parse(text), Err(ServerUrlError::Credentials), "{text}");
        }
    }

    #[test]
    fn a_password_goes_with_the_user_of_the_url() {
        let url = parse("http://ad%40min@registry:8761/eureka").unwrap().with_password("p:w").unwrap();
        assert_eq!(url, parse("http://ad%40min:p%3Aw@registry:8761/eureka").unwrap());
        let nobodys = parse("http://registry:8761").unwrap().with_password("secret");
        assert_eq!(nobodys, Err(ServerUrlError::NoUser));
        let url = parse("http://user@registry:8761").unwrap();
        assert_eq!(url.with_password("a\nb"), Err(ServerUrlError::Credentials));
    }

    #[test]
    fn paths_are_left_out_or_filled_in() {
        let url = |text: &str| parse(text).unwrap();
        assert_eq!(url("http://u:p@registry/eureka").without_path(), url("http://u:p@registry"));
        assert_eq!(url("http://u:p@registry").or_path("/eureka/"), url("http://u:p@registry/eureka"));
        assert_eq!(url("http://registry/v2").or_path("/eureka/"), url("http://registry/v2"));
        assert_eq!(url("https://u:p@registry:1/a").at("other:2"), url("https://u:p@other:2/a"));
    }

    #[test]
    fn what_is_no_url_of_a_server_is_refused() {
        for text in [
            "",
            "registry:8761",
            "ftp://registry",
            "/api",
            "http://",
            "http:///eureka",
            "http://registry:0/",
            "http://registry:/",
            "http://a:b/eureka",
        ] {
            assert_eq!(parse(text), Err(ServerUrlError::Malformed), "{text}");
        }
        for text in ["http://registry/eureka?a=b", "http://registry/#x"] {
            assert_eq!(parse(text), Err(ServerUrlError::Query), "{text}");
        }
    }
}
