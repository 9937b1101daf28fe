//! The harness's own addresses: tests that listen on one would otherwise fail now and then.

use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::harness::free_addr;

#[test]
fn an_address_is_free_also_while_programs_are_started() {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        // A program that is about to start has all sockets of the one that starts it for a moment.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                Command::new("true").status().expect("a program that does nothing");
            }
        });
        let taken = (0..5_000).map(|_| free_addr()).find(|addr| TcpListener::bind(addr).is_err());
        done.store(true, Ordering::Relaxed);
        assert_eq!(taken, None, "something listens there");
    });
}
