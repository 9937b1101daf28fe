//! Requests as the bytes that are sent, made before the measurement.

use super::documents::Documents;
use super::target::Target;

/// A whole request, head and body.
pub type Request = Box<[u8]>;

pub fn register(target: &Target, documents: &Documents, number: usize) -> Request {
    let body = documents.json(number);
    let framing = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    request(target, "POST", &format!("/{}", documents.app(number)), &framing, &body)
}

pub fn renew(target: &Target, documents: &Documents, number: usize) -> Request {
    request(target, "PUT", &instance_path(documents, number), "Content-Length: 0\r\n", "")
}

pub fn cancel(target: &Target, documents: &Documents, number: usize) -> Request {
    request(target, "DELETE", &instance_path(documents, number), "", "")
}

pub fn read_instance(target: &Target, documents: &Documents, number: usize, gzip: bool) -> Request {
    get(target, &instance_path(documents, number), gzip)
}

pub fn read_app(target: &Target, documents: &Documents, number: usize, gzip: bool) -> Request {
    get(target, &format!("/{}", documents.app(number)), gzip)
}

pub fn read_all(target: &Target, gzip: bool) -> Request {
    get(target, "", gzip)
}

pub fn delta(target: &Target, gzip: bool) -> Request {
    get(target, "/delta", gzip)
}

/// Names are of characters that need no encoding in a path.
fn instance_path(documents: &Documents, number: usize) -> String {
    format!("/{}/{}", documents.app(number), documents.id(number))
}

fn get(target: &Target, path: &str, gzip: bool) -> Request {
    request(target, "GET", path, if gzip { "Accept-Encoding: gzip\r\n" } else { "" }, "")
}

fn request(target: &Target, method: &str, path: &str, headers: &str, body: &str) -> Request {
    let authorization = target.authorization().map(|value| format!("Authorization: {value}\r\n"));
    let head = format!(
        "{method} {}/apps{path} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\n{}{headers}\r\n",
        target.prefix(),
        target.authority(),
        authorization.as_deref().unwrap_or_default(),
    );
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body.as_bytes());
    bytes.into_boxed_slice()
}
