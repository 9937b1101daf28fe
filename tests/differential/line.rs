//! A connection that is kept from request to request.

use std::net::SocketAddr;
use std::time::Duration;

use super::harness::{Connection, Request, Response};

const LIMIT: Duration = Duration::from_secs(20);

pub struct Line {
    addr: SocketAddr,
    connection: Option<Connection>,
}

impl Line {
    pub fn new(addr: SocketAddr) -> Self {
        Self { addr, connection: None }
    }

    /// Ends the connection, which may have been idle for too long, so that the next request has
    /// another.
    pub fn hang_up(&mut self) {
        self.connection = None;
    }

    pub fn ask(&mut self, request: &Request) -> Response {
        self.send(request);
        self.receive(request)
    }

    /// # Panics
    /// When there is no connection to be had. One that breaks is found out by [`Line::receive`],
    /// since a server may answer before it has read a body that it refuses.
    pub fn send(&mut self, request: &Request) {
        let addr = self.addr;
        let open = || Connection::open(addr, LIMIT).unwrap_or_else(|error| panic!("to {addr}: {error}"));
        let _ = self.connection.get_or_insert_with(open).send(&request.bytes(addr));
    }

    /// The response to the request that was sent.
    ///
    /// # Panics
    /// When there is none.
    pub fn receive(&mut self, request: &Request) -> Response {
        let connection = self.connection.as_mut().expect("a request was sent");
        let response = connection
            .receive(request.method())
            .unwrap_or_else(|error| panic!("{} answers {request:?} with {error}", self.addr));
        if response.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            self.hang_up();
        }
        response
    }
}
