//! What a request's headers ask for. Header values come in as they stand; several of one name are
//! to be joined with commas first.

use super::format::{Format, RequestFormat};

/// The reader takes neither JSON nor XML: answer 406, and leave a write undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("accept application/json or application/xml")]
pub struct NotAcceptable;

/// The body is neither JSON nor XML: answer 415.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("send the body as application/json or application/xml")]
pub struct UnsupportedMediaType;

/// The form to answer in, from the values of `Accept` and `X-Eureka-Accept`.
///
/// Eureka decides in two steps, and so does this: whether any media range takes one of its two
/// types at all, and then JSON exactly when the header contains `json` in lower case. No header
/// therefore means XML, which clients that never send one rely on.
///
/// # Errors
/// [`NotAcceptable`] if no range takes `application/json` or `application/xml`.
pub fn response_format(accept: Option<&str>, eureka_accept: Option<&str>) -> Result<Format, NotAcceptable> {
    let accept = accept.unwrap_or_default();
    if !takes_json_or_xml(accept) {
        return Err(NotAcceptable);
    }
    let full = if accept.contains("json") { Format::Json } else { Format::Xml };
    // The Java client's `[compact]` is a mistake of its own that a Eureka server answers in full.
    let compact = eureka_accept.is_some_and(|value| value.eq_ignore_ascii_case("compact"));
    Ok(if compact { full.compact() } else { full })
}

/// The form of a request's body, from the value of `Content-Type`.
///
/// # Errors
/// [`UnsupportedMediaType`] if it is absent or names neither JSON nor XML.
pub fn request_format(content_type: Option<&str>) -> Result<RequestFormat, UnsupportedMediaType> {
    let (kind, subtype) = content_type.and_then(media_type).ok_or(UnsupportedMediaType)?;
    if subtype.eq_ignore_ascii_case("json") {
        return Ok(RequestFormat::Json);
    }
    let application = kind.eq_ignore_ascii_case("application");
    let any = subtype == "*" && (application || kind == "*");
    if any || (application && subtype.eq_ignore_ascii_case("xml")) {
        return Ok(RequestFormat::Xml);
    }
    Err(UnsupportedMediaType)
}

/// Whether the reader takes gzip, from the value of `Accept-Encoding`: whether the word occurs in
/// it, whatever its weight, as in Eureka.
pub fn accepts_gzip(accept_encoding: Option<&str>) -> bool {
    accept_encoding.is_some_and(|value| value.contains("gzip"))
}

fn takes_json_or_xml(accept: &str) -> bool {
    let mut ranges = accept.split(',').map(str::trim).filter(|range| !range.is_empty()).peekable();
    ranges.peek().is_none() || ranges.any(is_range_of_json_or_xml)
}

fn is_range_of_json_or_xml(range: &str) -> bool {
    // `*` alone is what Java's HttpURLConnection sends for any type.
    let Some((kind, subtype)) = media_type(range) else { return without_parameters(range) == "*" };
    if kind == "*" {
        return subtype == "*";
    }
    kind.eq_ignore_ascii_case("application")
        && ["*", "json", "xml"].iter().any(|known| subtype.eq_ignore_ascii_case(known))
}

fn media_type(value: &str) -> Option<(&str, &str)> {
    let (kind, subtype) = without_parameters(value).split_once('/')?;
    Some((kind.trim(), subtype.trim()))
}

fn without_parameters(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_answered_exactly_when_accept_says_json() {
        for accept in [
            "application/json",
            "application/json, application/*+json",
            "application/xml, application/json;q=0.5",
            "text/html, application/json",
            "application/json;charset=UTF-8",
        ] {
            assert_eq!(response_format(Some(accept), None), Ok(Format::Json), "{accept}");
        }
        for accept in [
            "",
            " , ",
            "*/*",
            "application/*",
            "application/xml",
            "APPLICATION/JSON",
            "*; q=.2",
            "text/html, image/gif, image/jpeg, */*; q=0.2",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
        ] {
            assert_eq!(response_format(Some(accept), None), Ok(Format::Xml), "{accept}");
        }
        assert_eq!(response_format(None, None), Ok(Format::Xml));
    }

    #[test]
    fn readers_of_neither_are_refused() {
        for accept in
            ["text/html", "text/json", "application/vnd.x+json", "image/png", "text/*", "text/plain", "json"]
        {
            assert_eq!(response_format(Some(accept), Some("compact")), Err(NotAcceptable), "{accept}");
        }
    }

    #[test]
    fn compact_is_one_word_in_any_case() {
        let json = |value| response_format(Some("application/json"), Some(value));
        for value in ["compact", "COMPACT", "Compact"] {
            assert_eq!(json(value), Ok(Format::CompactJson), "{value}");
        }
        for value in ["[compact]", "full", "", "compact,full"] {
            assert_eq!(json(value), Ok(Format::Json), "{value}");
        }
        assert_eq!(response_format(None, Some("compact")), Ok(Format::CompactXml));
    }

    #[test]
    fn bodies_are_json_xml_or_refused() {
        for json in
            ["application/json", "APPLICATION/JSON", "application/json;charset=UTF-8", "text/json; a=b"]
        {
            assert_eq!(request_format(Some(json)), Ok(RequestFormat::Json), "{json}");
        }
        for xml in ["application/xml", "Application/XML ; charset=utf-8", "*/*", "application/*"] {
            assert_eq!(request_format(Some(xml)), Ok(RequestFormat::Xml), "{xml}");
        }
        for other in [
            "text/plain",
            "text/xml",
            "application/x-www-form-urlencoded",
            "application/vnd.x+json",
            "garbage",
            "",
        ] {
            assert_eq!(request_format(Some(other)), Err(UnsupportedMediaType), "{other}");
        }
        assert_eq!(request_format(None), Err(UnsupportedMediaType));
    }

    #[test]
    fn gzip_is_the_word_in_lower_case() {
        for (value, expected) in [("gzip", true), ("deflate, gzip;q=0", true), ("GZIP", false), ("br", false)]
        {
            assert_eq!(accepts_gzip(Some(value)), expected, "{value}");
        }
        assert!(!accepts_gzip(None));
    }
}
