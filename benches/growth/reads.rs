//! Reads of a whole registry by one client, one after the other, and what they take of a node's processor.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;

use super::common::cpu;
use super::common::harness::{Connection, Document, Request};

#[derive(Clone, Copy)]
pub struct Asked {
    pub addr: SocketAddr,
    pub pid: u32,
}

pub struct Cost {
    pub cpu_us: f64,
    pub answer_bytes: f64,
}

const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// So many that the ticks which processor time is counted in do not matter.
const CHANGES: u32 = 200;

/// Of one read, while nothing changes.
///
/// # Errors
/// When an answer is not one of success.
pub fn reads(asked: Asked, time: Duration) -> anyhow::Result<Cost> {
    let mut client = Client::open(asked)?;
    // What is made once for all readers is not theirs.
    client.read_all()?;
    let (before, since) = (cpu(asked.pid)?, Instant::now());
    let (mut count, mut bytes) = (0, 0);
    while since.elapsed() < time {
        bytes += client.read_all()?;
        count += 1;
    }
    Cost::of(cpu(asked.pid)? - before, bytes, count)
}

/// Of one changed instance of an application of 100, and one read, as a pair.
///
/// # Errors
/// The same.
pub fn reads_of_changes(asked: Asked) -> anyhow::Result<Cost> {
    let mut client = Client::open(asked)?;
    client.change(0)?;
    client.read_all()?;
    let before = cpu(asked.pid)?;
    let mut bytes = 0;
    for change in 1..=CHANGES {
        client.change(change)?;
        bytes += client.read_all()?;
    }
    Cost::of(cpu(asked.pid)? - before, bytes, CHANGES)
}

struct Client {
    addr: SocketAddr,
    connection: Connection,
}

impl Client {
    fn open(asked: Asked) -> anyhow::Result<Self> {
        Ok(Self { addr: asked.addr, connection: Connection::open(asked.addr, ANSWER_LIMIT)? })
    }

    /// How long the body is.
    fn read_all(&mut self) -> anyhow::Result<usize> {
        self.send(&Request::get("/eureka/apps").accept_json().header("Accept-Encoding", "gzip"))
    }

    fn change(&mut self, change: u32) -> anyhow::Result<()> {
        let instance = Document::new("BENCH-0", "changing").lease_secs(3600);
        self.send(&instance.set("metadata", json!({"change": change.to_string()})).register()).map(drop)
    }

    fn send(&mut self, request: &Request) -> anyhow::Result<usize> {
        self.connection.send(&request.bytes(self.addr))?;
        let response = self.connection.receive(request.method())?;
        let (method, path, status) = (request.method(), request.path(), response.status);
        ensure!((200..300).contains(&status), "{method} {path} answers {status}");
        Ok(response.body.len())
    }
}

impl Cost {
    fn of(cpu: Duration, bytes: usize, count: u32) -> anyhow::Result<Self> {
        let count = f64::from(count);
        Ok(Self { cpu_us: cpu.as_secs_f64() * 1e6 / count, answer_bytes: bytes as f64 / count })
    }
}
