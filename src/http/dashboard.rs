//! The dashboard's page. A browser is told to run, show and ask for nothing that is not of this node.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::answer::{Answer, not_modified, text, with};
use super::query::is_known;

pub use crate::dashboard::ASSETS;
use crate::dashboard::Asset;

/// No text can become markup either: the page's scripts may not even try to.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'",
);

/// The page or one of its files.
pub fn answer(asset: &'static Asset, headers: &HeaderMap) -> Answer {
    let tag = HeaderValue::from_str(asset.tag()).ok();
    let answer = match &tag {
        Some(tag) if is_known(headers, tag) => not_modified(),
        _ => text(StatusCode::OK, asset.media_type, asset.text),
    };
    let protections = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    let tagged = tag.into_iter().map(|tag| (header::ETAG, tag));
    protections
        .into_iter()
        .chain(tagged)
        .fold(data(answer), |answer, (name, value)| with(answer, name, value))
}

/// What is never to be taken for a page, nor kept.
pub(super) fn data(answer: Answer) -> Answer {
    with(answer, header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
}
