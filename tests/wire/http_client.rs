//! The harness's own client, against peers that answer from a script.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use super::framing::{chunked, gzip};
use super::harness::{Request, Response, exchange};

/// What the client makes of these bytes as the answer to a GET.
fn read(answer: Vec<u8>) -> std::io::Result<Response> {
    exchange(scripted(answer), b"GET / HTTP/1.1\r\n\r\n", "GET", Duration::from_secs(5))
}

/// A peer that reads one request, answers with these bytes, and closes.
fn scripted(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = listener.local_addr().expect("a bound port");
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the client connects");
        let mut request = [0; 1024];
        assert!(stream.read(&mut request).expect("a request") > 0);
        stream.write_all(&answer).expect("the client reads");
        stream.shutdown(Shutdown::Write).expect("an open connection");
    });
    addr
}

#[test]
fn bodies_are_read_as_they_are_framed() {
    let framed = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more".to_vec(),
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(), chunked(b"hello", 2)].concat(),
        [b"HTTP/1.1 200 \r\nContent-Encoding: gzip\r\n\r\n".to_vec(), gzip(b"hello")].concat(),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".to_vec(),
    ];
    for answer in framed {
        let response = read(answer).expect("a whole response");
        assert_eq!((response.status, response.text().as_str()), (200, "hello"));
    }
    let empty = read(b"HTTP/1.1 204 No Content\r\n\r\nstray".to_vec()).expect("a whole response");
    assert!(empty.body.is_empty());
}

#[test]
fn half_a_response_is_an_error() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "SSH-2.0\r\n\r\n",
    ] {
        assert!(read(answer.into()).is_err(), "{answer:?}");
    }
}

#[test]
fn a_request_is_sent_as_it_is_written() {
    let addr = "127.0.0.1:1".parse().expect("an address");
    let bytes = Request::put("/a b/../%2f?x").header("X-Odd", "é").body("12").bytes(addr);
    let text = "PUT /a b/../%2f?x HTTP/1.1\r\nHost: 127.0.0.1:1\r\nX-Odd: é\r\nContent-Length: 2\r\n\r\n12";
    assert_eq!(String::from_utf8(bytes).expect("text"), text);
}
