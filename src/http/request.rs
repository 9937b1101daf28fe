//! What a request says beside its body: names in its path, parameters, headers.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderName, header};

use super::error::HttpError;
use crate::eureka::{Format, check_dirty_time, response_format};
use crate::registry::{AppName, InstanceId, Key, Origin, Status};

const REPLICATION: HeaderName = HeaderName::from_static("x-netflix-discovery-replication");
const EUREKA_ACCEPT: HeaderName = HeaderName::from_static("x-eureka-accept");

/// Query parameters, form-decoded; of a name that occurs twice the first value counts, and a value
/// without a name does not.
pub struct Parameters<'a>(&'a str);

impl<'a> Parameters<'a> {
    pub fn new(query: Option<&'a str>) -> Self {
        Self(query.unwrap_or_default())
    }

    pub fn first(&self, name: &str) -> Option<String> {
        self.pairs().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub fn pairs(&self) -> impl Iterator<Item = (String, String)> {
        form_urlencoded::parse(self.0.as_bytes()).into_owned().filter(|(name, _)| !name.is_empty())
    }

    /// `lastDirtyTimestamp`, epoch milliseconds.
    ///
    /// # Errors
    /// [`HttpError::BadParameter`] if it is there and no number, or no time.
    pub fn last_dirty_ms(&self) -> Result<Option<i64>, HttpError> {
        const NAME: &str = "lastDirtyTimestamp";
        let Some(value) = self.first(NAME) else {
            return Ok(None);
        };
        let time = value.parse().ok().and_then(|ms| check_dirty_time(ms).ok());
        time.map(Some).ok_or(HttpError::BadParameter(NAME))
    }

    /// A status spelled exactly.
    ///
    /// # Errors
    /// [`HttpError::BadParameter`] if it is there and no status.
    pub fn status(&self, name: &'static str) -> Result<Option<Status>, HttpError> {
        let Some(value) = self.first(name) else {
            return Ok(None);
        };
        Status::from_exact(&value).map(Some).ok_or(HttpError::BadParameter(name))
    }
}

/// The lease that a path names.
///
/// # Errors
/// [`HttpError::BadName`] if the registry could hold no such name.
pub fn key(app: &str, id: &str) -> Result<Key, HttpError> {
    Ok(Key::new(AppName::parse(app)?, InstanceId::parse(id)?))
}

/// Whether another Eureka server passes on what its client sent.
pub fn origin(headers: &HeaderMap) -> Origin {
    match headers.get(REPLICATION).is_some_and(|value| value.as_bytes() == b"true") {
        true => Origin::Replication,
        false => Origin::Client,
    }
}

/// The form in which the answer is wanted.
///
/// # Errors
/// [`HttpError::NotAcceptable`] if neither JSON nor XML is.
pub fn format(headers: &HeaderMap) -> Result<Format, HttpError> {
    let accept = joined(headers, &header::ACCEPT);
    let compact = joined(headers, &EUREKA_ACCEPT);
    response_format(accept.as_deref(), compact.as_deref()).map_err(|_| HttpError::NotAcceptable)
}

/// All values of a header, as one.
pub fn joined<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<Cow<'h, str>> {
    let mut values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let first = values.next()?;
    Some(values.fold(first, |joined, value| joined + "," + value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_names() {
        let pairs = |query| Parameters::new(Some(query)).pairs().collect::<Vec<_>>();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs("a=1&=2&=&&b&a=3"), [pair("a", "1"), pair("b", ""), pair("a", "3")]);
        assert_eq!(pairs("%C5%BC+x=%3D+"), [pair("ż x", "= ")]);
        assert_eq!(Parameters::new(None).pairs().count(), 0);
    }
}
