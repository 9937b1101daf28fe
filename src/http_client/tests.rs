//! Against servers that answer each connection with bytes of the test's.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::tls::samples::Authority;

const PATIENCE: Duration = Duration::from_secs(10);
const MAX_BYTES: usize = 1000;

fn client() -> HttpClient {
    HttpClient::new(None, PATIENCE).expect("a client")
}

/// Answers the first request of each connection with these bytes, ends it, and tells what the request was.
async fn server(answer: Vec<u8>) -> (ServerUrl, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.expect("a request");
            let _ = tell.send(String::from_utf8_lossy(&request[..read]).into_owned());
            // Who has read enough does not wait for the rest.
            let _ = stream.write_all(&answer).await;
        }
    });
    (format!("http://user:pw@{address}/eureka/").parse().expect("a URL"), told)
}

fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(body).expect("to pack");
    gzip.finish().expect("to pack")
}

async fn get(url: &ServerUrl) -> Result<Answer, HttpClientError> {
    let request = Request::new(Method::GET, url, "/apps/").accept_gzip();
    client().send(request, PATIENCE, MAX_BYTES).await
}

#[tokio::test]
async fn a_request_is_sent_below_the_path_of_its_url_and_with_its_credentials() {
    let (url, mut told) = server(ok("x-a: b\r\n", b"{}")).await;
    let request = Request::new(Method::POST, &url, "/batch/?x=1").body("application/json", "[1]");
    let request = request.header(HeaderName::from_static("x-registry-import"), "true");
    let answer = client().send(request, PATIENCE, MAX_BYTES).await.expect("an answer");
    assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &b"{}"[..]));
    assert_eq!(answer.headers.get("x-a").expect("a header"), "b");
    let request = told.recv().await.expect("a request");
    assert!(request.starts_with("POST /eureka/batch/?x=1 HTTP/1.1\r\n"), "{request}");
    for line in [
        "authorization: Basic dXNlcjpwdw==\r\n",
        "content-type: application/json\r\n",
        "x-registry-import: true\r\n",
        "content-length: 3\r\n",
    ] {
        assert!(request.contains(line), "{request}");
    }
    assert!(request.ends_with("\r\n\r\n[1]") && !request.contains("accept-encoding"), "{request}");
}

#[tokio::test]
async fn any_status_is_an_answer() {
    let (url, _told) =
        server(b"HTTP/1.1 503 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    assert_eq!(get(&url).await.expect("an answer").status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn gzipped_answers_are_unpacked() {
    let (url, mut told) = server(ok("content-encoding: gzip\r\n", &gzipped(b"hello"))).await;
    assert_eq!(&get(&url).await.expect("an answer").body[..], b"hello");
    assert!(told.recv().await.expect("a request").contains("accept-encoding: gzip\r\n"));
    let (url, _told) = server(ok("content-encoding: gzip\r\n", b"hello")).await;
    let error = get(&url).await.expect_err("no gzip");
    assert!(matches!(error, HttpClientError::Gzip { .. }), "{error:?}");
    let (url, _told) = server(ok("content-encoding: gzip\r\n", b"")).await;
    assert!(get(&url).await.expect("an answer").body.is_empty());
}

#[tokio::test]
async fn answers_are_bounded_as_sent_and_as_unpacked() {
    let body = vec![b'x'; MAX_BYTES];
    for answer in [ok("", &body), ok("content-encoding: gzip\r\n", &gzipped(&body))] {
        let (url, _told) = server(answer).await;
        assert_eq!(get(&url).await.expect("an answer").body.len(), MAX_BYTES);
    }
    let body = vec![b'x'; MAX_BYTES + 1];
    let endless = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &body[..]].concat();
    for answer in [ok("", &body), ok("content-encoding: gzip\r\n", &gzipped(&body)), endless] {
        let (url, _told) = server(answer).await;
        let error = get(&url).await.expect_err("too much");
        assert!(matches!(error, HttpClientError::TooLarge { max_bytes: MAX_BYTES, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_no_whole_answer_is_told_as_what_it_is() {
    for answer in ["", "hello\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello"] {
        let (url, _told) = server(answer.as_bytes().to_vec()).await;
        let error = get(&url).await.expect_err(answer);
        assert!(matches!(error, HttpClientError::Broken { .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("{} broke off; try again", url.authority()));
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let error = get(&format!("http://u:secret@{closed}").parse().expect("a URL")).await.expect_err("nobody");
    assert!(matches!(error, HttpClientError::Connect { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("cannot reach {closed}; is it running, and is this its URL?"));
}

#[tokio::test]
async fn an_answer_has_to_come_in_time() {
    // The system takes the connection, and nobody answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url: ServerUrl =
        format!("http://{}", listener.local_addr().expect("an address")).parse().expect("a URL");
    let patience = Duration::from_millis(20);
    let error =
        client().send(Request::new(Method::GET, &url, "/"), patience, MAX_BYTES).await.expect_err("late");
    assert_eq!(error.to_string(), format!("{} does not answer within 0.02 s", url.authority()));
}

#[tokio::test]
async fn the_file_of_the_authorities_is_read_at_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("ca.pem");
    let error = HttpClient::new(Some(&file), PATIENCE).expect_err("no file");
    assert!(error.to_string().starts_with(&format!("cannot read {}", file.display())), "{error}");
    std::fs::write(&file, "nothing").expect("to write");
    let error = HttpClient::new(Some(&file), PATIENCE).expect_err("no authority");
    assert!(matches!(error, HttpClientError::Authorities(_)), "{error:?}");
    std::fs::write(&file, Authority::new().pem()).expect("to write");
    let client = HttpClient::new(Some(&file), PATIENCE).expect("a client");
    client.prepare(&["https://registry".parse().expect("a URL")]).expect("nothing to load");
}
