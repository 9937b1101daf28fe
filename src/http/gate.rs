//! What a request has to pass before its handler: how much is under way, how often its address asks, who sends it and
//! whether they may.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use hyper::body::Incoming;
use tokio::sync::Semaphore;

use super::answer::{Answer, empty, with};
use super::routes::Site;
use crate::access::{Addresses, Door, Principal, Refusal, Role};
use crate::audit::Requester;
use crate::config::Config;

const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"rs-registry\", charset=\"UTF-8\"");

/// Of Spring Boot's probes, which send no credentials.
const HEALTH: &str = "/actuator/health";

const BACKUP: &str = "/api/backup";
/// Of browsers: whether the page that sends a request is of the place that it goes to.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// All connections share one.
pub struct Gate {
    /// `None`: everybody may do everything.
    door: Option<Door>,
    requests: Option<Addresses>,
    places: Semaphore,
}

impl Gate {
    pub fn new(config: &Config, door: Option<Door>) -> Self {
        let per_second = NonZeroU32::new(config.client_requests_per_second);
        let burst = NonZeroU32::new(config.client_burst);
        let requests = per_second.map(|rate| Addresses::new(rate, burst.unwrap_or(rate)));
        Self { door, requests, places: Semaphore::new(config.max_requests_in_flight) }
    }

    /// The handler's answer to a request, or why it does not come to that.
    pub async fn pass(
        &self,
        site: &Site,
        mut request: Request<Incoming>,
        from: SocketAddr,
    ) -> Result<Answer, Infallible> {
        let Some(needed) = needed(request.method(), request.uri().path()) else {
            return Ok(site.answer(request).await);
        };
        if let Some(Err(wait)) = self.requests.as_ref().map(|requests| requests.check(from.ip())) {
            return Ok(later(StatusCode::TOO_MANY_REQUESTS, wait));
        }
        if needed > Role::Read && is_of_another_site(request.headers()) {
            return Ok(empty(StatusCode::FORBIDDEN));
        }
        let Ok(_place) = self.places.try_acquire() else {
            return Ok(later(StatusCode::SERVICE_UNAVAILABLE, Duration::ZERO));
        };
        let principal = match self.who(&request, from).await {
            Ok(principal) => principal,
            Err(refusal) => return Ok(refused(&refusal)),
        };
        if principal.as_ref().is_some_and(|principal| principal.role < needed) {
            return Ok(empty(StatusCode::FORBIDDEN));
        }
        // Reads of the registry are many, and nobody asks who sent them.
        if needed > Role::Read || request.uri().path().starts_with("/api/") {
            request.extensions_mut().insert(Requester { principal, from: Some(from) });
        }
        Ok(site.answer(request).await)
    }

    async fn who(
        &self,
        request: &Request<Incoming>,
        from: SocketAddr,
    ) -> Result<Option<Arc<Principal>>, Refusal> {
        let Some(door) = &self.door else {
            return Ok(None);
        };
        let header = request.headers().get(header::AUTHORIZATION);
        door.who(header.map(HeaderValue::as_bytes), from.ip()).await.map(Some)
    }
}

/// What one must be allowed to for this; `None`: it is for everybody at any time.
fn needed(method: &Method, path: &str) -> Option<Role> {
    match path {
        "/livez" | "/readyz" => None,
        _ if path == HEALTH || path.strip_prefix(HEALTH).is_some_and(|rest| rest.starts_with('/')) => None,
        // Everything there is, at once, and at the node's expense.
        BACKUP => Some(Role::Admin),
        _ if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) => Some(Role::Read),
        _ if path.starts_with("/api/") => Some(Role::Admin),
        _ => Some(Role::Write),
    }
}

/// Whether a browser says that a page of somewhere else had it send this: browsers send the password that they know
/// with such a request too. Eureka's clients, which are no browsers, say nothing.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return false;
    };
    let authority = |text: &str| text.parse::<Authority>().ok();
    let from = origin.to_str().ok().and_then(|origin| authority(origin.split_once("://")?.1));
    let to = headers.get(header::HOST).and_then(|host| authority(host.to_str().ok()?));
    from.is_none() || from != to
}

fn refused(refusal: &Refusal) -> Answer {
    match refusal {
        Refusal::Unknown => with(empty(StatusCode::UNAUTHORIZED), header::WWW_AUTHENTICATE, CHALLENGE),
        Refusal::Busy => later(StatusCode::SERVICE_UNAVAILABLE, Duration::ZERO),
        Refusal::TooManyGuesses(wait) => later(StatusCode::TOO_MANY_REQUESTS, *wait),
    }
}

/// In whole seconds, at least one.
fn later(status: StatusCode, wait: Duration) -> Answer {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    with(empty(status), header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_needs_its_role() {
        for (method, path, role) in [
            (Method::GET, "/livez", None),
            (Method::GET, "/readyz", None),
            (Method::GET, "/metrics", Some(Role::Read)),
            (Method::GET, "/api/cluster", Some(Role::Read)),
            (Method::GET, "/actuator/health", None),
            (Method::GET, "/actuator/health/readiness", None),
            (Method::GET, "/actuator/healthy", Some(Role::Read)),
            (Method::GET, "/actuator/info", Some(Role::Read)),
            (Method::GET, "/api/backup", Some(Role::Admin)),
            (Method::HEAD, "/api/backup", Some(Role::Admin)),
            (Method::HEAD, "/eureka/apps", Some(Role::Read)),
            (Method::OPTIONS, "/eureka/apps", Some(Role::Read)),
            (Method::POST, "/eureka/apps/A", Some(Role::Write)),
            (Method::PUT, "/eureka/apps/A/i", Some(Role::Write)),
            (Method::DELETE, "/v2/apps/A/i", Some(Role::Write)),
            (Method::POST, "/eureka/peerreplication/batch", Some(Role::Write)),
            (Method::from_bytes(b"PROPFIND").unwrap(), "/eureka/apps", Some(Role::Write)),
            (Method::POST, "/api/anything", Some(Role::Admin)),
        ] {
            assert_eq!(needed(&method, path), role, "{method} {path}");
        }
    }

    #[test]
    fn what_a_page_of_another_site_sends_is_told_by_what_browsers_say() {
        let is_refused = |said: &[(&'static str, &'static str)]| {
            let said = said
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            is_of_another_site(&said.chain([(header::HOST, HeaderValue::from_static("n1:8761"))]).collect())
        };
        for (said, refused) in [
            (&[][..], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://n1:8761")], true),
            (&[("origin", "http://n1:8761")], false),
            (&[("origin", "https://N1:8761")], false),
            (&[("origin", "http://n1:8762")], true),
            (&[("origin", "http://n1")], true),
            (&[("origin", "null")], true),
            (&[("origin", "http://")], true),
        ] {
            assert_eq!(is_refused(said), refused, "{said:?}");
        }
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds() {
        let told = |wait| later(StatusCode::TOO_MANY_REQUESTS, wait).headers()[header::RETRY_AFTER].clone();
        assert_eq!(told(Duration::ZERO), "1");
        assert_eq!(told(Duration::from_millis(1001)), "2");
    }
}
