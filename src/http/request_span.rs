//! The span of a request: what is told of it to those who look for the slow and the failed. Neither headers nor the
//! query, which may hold secrets.

use hyper::header::{HeaderMap, HeaderName};
use hyper::{Method, Request, StatusCode};

use super::route_label::application;
use crate::metrics::Route;
use crate::trace::{Parent, Span, Traces, Value};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Names are told up to this length.
const MOST_CHARS: usize = 128;

pub fn begin<B>(traces: &Traces, route: Route, request: &Request<B>) -> Option<Span> {
    let mut span = traces.request(route.as_str(), || parent(request.headers()))?;
    span.set("http.request.method", Value::Text(method(request.method())));
    span.set("rs_registry.route", Value::Text(route.as_str()));
    if let Some(application) = application(request.uri().path()) {
        let name = application.chars().take(MOST_CHARS).collect();
        span.set("rs_registry.application", Value::Given(name));
    }
    Some(span)
}

pub fn end(mut span: Span, status: StatusCode) {
    span.set("http.response.status_code", Value::Number(status.as_u16().into()));
    if status.is_server_error() {
        span.fail("server_error");
    }
}

fn parent(headers: &HeaderMap) -> Parent {
    let text = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
    text.map_or(Parent::None, Parent::parse)
}

/// Others are told as OpenTelemetry has it.
fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 6] = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}
