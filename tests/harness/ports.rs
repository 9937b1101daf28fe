//! Free ports on loopback.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::net::TcpSocket;

/// Below the range that systems hand out to outgoing connections, which could otherwise take a
/// node's port while it restarts.
const FIRST_PORT: u32 = 20_000;
const PORT_COUNT: u32 = 12_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// An address that nothing listens on, and that no other call in this process returns.
pub fn free_addr() -> SocketAddr {
    free_addr_at(Ipv4Addr::LOCALHOST)
}

/// [`free_addr`] at any of loopback's hosts.
pub fn free_addr_at(host: Ipv4Addr) -> SocketAddr {
    let start = process::id().wrapping_mul(97) % PORT_COUNT;
    for _ in 0..PORT_COUNT {
        let offset = (start + NEXT.fetch_add(1, Ordering::Relaxed)) % PORT_COUNT;
        let port = u16::try_from(FIRST_PORT + offset).expect("a port below 32,000");
        let addr = SocketAddr::from((host, port));
        if is_free(addr).is_ok() {
            return addr;
        }
    }
    panic!("no free port between {FIRST_PORT} and {}", FIRST_PORT + PORT_COUNT);
}

/// The socket does not listen: a program that another thread is just starting has a copy of it for a
/// moment, and one that listens would keep the address from its user so long.
fn is_free(addr: SocketAddr) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(addr)
}
