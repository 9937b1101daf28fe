//! A network of nodes that can be cut without anyone being told: each node is in a network namespace
//! of its own, on one bridge with the clients.
//!
//! A direction is cut by telling the sender's kernel a hardware address that nobody has: what it
//! sends is on the wire and reaches no one. Connections stay open, as when a switch fails.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process;

use super::harness::NodeSpec;
use super::skip::run;
use super::trial::NODES;

const NOBODY: &str = "02:00:00:00:00:ff";
const HTTP_PORT: u16 = 8761;
const PEER_PORT: u16 = 9761;
/// From 198.18.0.0/15, which is kept free for measurements between networks.
const CLIENTS: Ipv4Addr = Ipv4Addr::new(198, 18, 77, 254);
const INTERFACE: &str = "eth0";

/// Removed when this is dropped, and with it every process' way out.
pub struct Network {
    bridge: String,
}

impl Network {
    /// # Errors
    /// What the kernel or the privileges lack for it.
    pub fn build() -> Result<Self, String> {
        let network = Self { bridge: format!("chaos{}", process::id()) };
        let bridge = &network.bridge;
        ip(&["link", "add", bridge, "type", "bridge"])?;
        ip(&["addr", "add", &format!("{CLIENTS}/24"), "dev", bridge])?;
        ip(&["link", "set", bridge, "up"])?;
        for place in 0..NODES as usize {
            let (namespace, outer) = (network.namespace(place), network.link(place));
            ip(&["netns", "add", &namespace])?;
            let inner = ["peer", "name", INTERFACE, "netns", &namespace];
            ip(&[["link", "add", &outer, "type", "veth"].as_slice(), &inner].concat())?;
            ip(&["link", "set", &outer, "master", bridge, "up"])?;
            network.inside(place, &["addr", "add", &format!("{}/24", addr(place)), "dev", INTERFACE])?;
            network.inside(place, &["link", "set", INTERFACE, "up"])?;
            network.inside(place, &["link", "set", "lo", "up"])?;
        }
        Ok(network)
    }

    /// Moves nodes that are yet to be started into their namespaces.
    pub fn place(&self, specs: &mut [NodeSpec]) {
        let peers: Vec<String> = (0..specs.len())
            .map(|place| format!("{}={}", specs[place].id, SocketAddr::new(addr(place), PEER_PORT)))
            .collect();
        for (place, spec) in specs.iter_mut().enumerate() {
            spec.http = SocketAddr::new(addr(place), HTTP_PORT);
            spec.peer = SocketAddr::new(addr(place), PEER_PORT);
            spec.initial_cluster = peers.join(",");
            // The namespaces' addresses are not on loopback.
            spec.extra_flags.push("--insecure".to_owned());
            spec.wrapper = ["ip", "netns", "exec", &self.namespace(place)].map(str::to_owned).to_vec();
        }
    }

    /// From here on nothing that `from` sends reaches `to`.
    pub fn cut(&self, from: usize, to: usize) {
        let to = addr(to).to_string();
        let neighbour = ["neigh", "replace", &to, "lladdr", NOBODY, "dev", INTERFACE, "nud", "permanent"];
        self.inside(from, &neighbour).expect("a cut");
    }

    /// Undoes [`Network::cut`].
    pub fn heal(&self, from: usize, to: usize) {
        let to = addr(to).to_string();
        self.inside(from, &["neigh", "del", &to, "dev", INTERFACE]).expect("an end of the cut");
    }

    fn inside(&self, place: usize, words: &[&str]) -> Result<(), String> {
        ip(&[&["-n", &self.namespace(place)], words].concat())
    }

    /// The outer end of a node's link; its name has 15 characters at most.
    fn link(&self, place: usize) -> String {
        format!("c{}-{place}", process::id())
    }

    fn namespace(&self, place: usize) -> String {
        format!("{}-{place}", self.bridge)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Of a network that was not built to its end, some are not there.
        for place in 0..NODES as usize {
            // A namespace takes its links with it only some time later.
            let _ = ip(&["link", "del", &self.link(place)]);
            let _ = ip(&["netns", "del", &self.namespace(place)]);
        }
        let _ = ip(&["link", "del", &self.bridge]);
    }
}

fn addr(place: usize) -> IpAddr {
    let [a, b, c, _] = CLIENTS.octets();
    IpAddr::from([a, b, c, u8::try_from(place + 1).expect("few nodes")])
}

fn ip(words: &[&str]) -> Result<(), String> {
    run(&[&["ip"], words].concat()).map(drop)
}
