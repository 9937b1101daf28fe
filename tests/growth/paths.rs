//! Paths, queries and headers.

use axum::http::Method;
use rs_registry::eureka::{accepts_gzip, request_format, response_format};
use rs_registry::http::{Parameters, route};

use super::{Shape, filled};

/// The longest head that a connection may send.
const MOST_BYTES: usize = 128 << 10;

pub fn shapes() -> Vec<Shape> {
    [paths(), queries(), headers()].into_iter().flatten().collect()
}

fn paths() -> Vec<Shape> {
    let shape = |name, taken, input: fn(usize) -> Vec<u8>| {
        let read = |input: &[u8]| {
            let path = str::from_utf8(input).expect("shapes are text");
            route(&Method::GET, path).is_ok()
        };
        Shape { name, most: MOST_BYTES, input, read, taken }
    };
    const INSTANCE: &str = "/eureka/apps/a/";
    vec![
        shape("path: an encoded name", true, |n| filled(n, INSTANCE, |_| "%41".to_owned(), "")),
        shape("path: percent signs", true, |n| filled(n, INSTANCE, |_| "%".to_owned(), "")),
        shape("path: slashes", true, |n| filled(n, "/eureka/apps", |_| "/".to_owned(), "")),
        shape("path: segments", false, |n| filled(n, INSTANCE, |_| "/a".to_owned(), "")),
        shape("path: matrix parameters", true, |n| filled(n, INSTANCE, |i| format!(";a{i}=b"), "")),
        shape("path: bytes that are no text", false, |n| filled(n, INSTANCE, |_| "%ff".to_owned(), "")),
    ]
}

fn queries() -> Vec<Shape> {
    let shape = |name, input: fn(usize) -> Vec<u8>| {
        let read = |input: &[u8]| {
            let parameters = Parameters::new(str::from_utf8(input).ok());
            parameters.first("value").is_some() || parameters.pairs().count() > 0
        };
        Shape { name, most: MOST_BYTES, input, read, taken: true }
    };
    vec![
        shape("query: pairs", |n| filled(n, "", |i| format!("k{i}=v&"), "")),
        shape("query: one name", |n| filled(n, "", |_| "k=v&".to_owned(), "")),
        shape("query: nothing but signs", |n| filled(n, "a", |_| "&=".to_owned(), "")),
        shape("query: an encoded value", |n| filled(n, "value=", |_| "%41+".to_owned(), "")),
        shape("query: bytes that are no text", |n| filled(n, "value=", |_| "%ff%".to_owned(), "")),
    ]
}

fn headers() -> Vec<Shape> {
    let shape = |name, taken, input: fn(usize) -> Vec<u8>| {
        let read = |input: &[u8]| {
            let value = str::from_utf8(input).ok();
            let _ = (request_format(value), accepts_gzip(value));
            response_format(value, value).is_ok()
        };
        Shape { name, most: MOST_BYTES, input, read, taken }
    };
    vec![
        shape("header: media ranges", false, |n| filled(n, "", |_| "a/b;q=1,".to_owned(), "")),
        shape("header: commas", true, |n| filled(n, "", |_| ", ".to_owned(), "")),
        shape("header: parameters", true, |n| filled(n, "*/*", |_| ";a=b".to_owned(), "")),
        shape("header: slashes", false, |n| filled(n, "", |_| "/".to_owned(), "")),
    ]
}
