//! Noise: thousands of broken requests, after which the node is as well as before.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::golden::{self, GROUPS};
use super::harness::{Applications, Cluster, Document, Request, applications};

const THREADS: u64 = 4;
const REQUESTS_PER_THREAD: usize = 1_000;
/// Fixed, so that a failure can be had again.
const SEED: u64 = 0x5EED;

#[test]
fn random_and_mutated_requests_do_not_hurt_a_node() {
    let mut cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let witness = Document::new("WITNESS", "untouched-by-any-recorded-request");
    assert_eq!(witness.register().expect(addr).status, 204);
    let recorded: Vec<Vec<u8>> = GROUPS
        .into_iter()
        .flat_map(golden::load)
        .map(|step| step.request_bytes())
        .filter(|bytes| bytes.len() < 4096)
        .collect();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let recorded = &recorded;
            scope.spawn(move || {
                let mut rng = StdRng::seed_from_u64(SEED + thread);
                for _ in 0..REQUESTS_PER_THREAD {
                    send(&noise(&mut rng, recorded), addr);
                }
            });
        }
    });
    assert!(cluster.nodes[0].is_running(), "the process has ended");
    assert_eq!(Request::get("/livez").expect(addr).status, 200);
    assert_eq!(witness.renew().expect(addr).status, 200);
    let kept = lasting(addr);
    assert!(kept["WITNESS"].contains_key(&witness.id));
    cluster.nodes[0].restart();
    assert_eq!(lasting(addr), kept, "after a restart on what the noise left");
}

/// What does not end or change by itself: no lease below a minute, which the noise may have asked
/// for, and no renewal times, which a list shows as of each instance's last change.
fn lasting(addr: SocketAddr) -> Applications {
    let mut all = applications(addr);
    for instances in all.values_mut() {
        instances.retain(|_, instance| {
            instance["leaseInfo"]["lastRenewalTimestamp"].take();
            instance["leaseInfo"]["durationInSecs"].as_u64() >= Some(60)
        });
    }
    all.retain(|_, instances| !instances.is_empty());
    all
}

fn noise(rng: &mut StdRng, recorded: &[Vec<u8>]) -> Vec<u8> {
    if rng.random_range(0..5) == 0 {
        let length = rng.random_range(0..400);
        return (0..length).map(|_| rng.random::<u8>()).collect();
    }
    let mut bytes = recorded[rng.random_range(0..recorded.len())].clone();
    for _ in 0..rng.random_range(1..5) {
        mutate(&mut bytes, rng);
    }
    bytes
}

/// Changes one place: a bit, a byte, a cut, a repetition, or a hostile piece put in.
fn mutate(bytes: &mut Vec<u8>, rng: &mut StdRng) {
    const PIECES: [&[u8]; 10] = [
        b"\0",
        b"%00",
        b"%",
        b"\r\n",
        b"\"",
        b"<",
        b"&#xFFFFFFFF;",
        b"-99999999999999999999",
        b"[[[[",
        b"\xff\xfe",
    ];
    if bytes.is_empty() {
        return;
    }
    let at = rng.random_range(0..bytes.len());
    match rng.random_range(0..6) {
        0 => bytes[at] ^= 1 << rng.random_range(0..8),
        1 => bytes[at] = rng.random(),
        2 => bytes.truncate(at),
        3 => {
            bytes.remove(at);
        }
        4 => {
            let end = (at + rng.random_range(1..64)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
        _ => {
            let piece = PIECES[rng.random_range(0..PIECES.len())];
            bytes.splice(at..at, piece.iter().copied());
        }
    }
}

/// Sends bytes and takes whatever comes back, an end of the connection included; not answering at
/// all while both sides are done is what a node may not do.
fn send(bytes: &[u8], addr: SocketAddr) {
    let mut stream = TcpStream::connect(addr).expect("the node accepts connections");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    // The node may have refused and closed before all was written.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        let hung = matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut);
        assert!(!hung, "no end after {:?}", String::from_utf8_lossy(bytes));
    }
}
