//! Which ports the nodes have, and whether these are free.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::RangeInclusive;

use thiserror::Error;

/// One node of the cluster to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePlan {
    /// From 1 on.
    pub id: u64,
    pub http: SocketAddr,
    pub peer: SocketAddr,
}

#[derive(Debug, Error)]
pub enum PortError {
    #[error("{flag} {first} leaves no room for {nodes} ports up to 65535; choose a lower one")]
    TooHigh { flag: &'static str, first: u16, nodes: u16 },
    #[error(
        "--http-port {http} and --peer-port {peer} overlap with {nodes} nodes; choose them at least {nodes} apart"
    )]
    Overlap { http: u16, peer: u16, nodes: u16 },
    #[error(
        "the {purpose} port of node {id}, {address}, is taken ({cause}); stop what uses it or choose others with {flag}"
    )]
    Taken { purpose: &'static str, id: u64, address: SocketAddr, flag: &'static str, cause: io::Error },
}

const HTTP_FLAG: &str = "--http-port";
const PEER_FLAG: &str = "--peer-port";

/// Nodes 1 to `nodes` on the loopback address, with ports from the given ones on.
pub fn plan(nodes: u16, http_port: u16, peer_port: u16) -> Result<Vec<NodePlan>, PortError> {
    let http_ports = ports(HTTP_FLAG, http_port, nodes)?;
    let peer_ports = ports(PEER_FLAG, peer_port, nodes)?;
    if http_port.abs_diff(peer_port) < nodes {
        return Err(PortError::Overlap { http: http_port, peer: peer_port, nodes });
    }
    let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Ok((1..)
        .zip(http_ports.zip(peer_ports))
        .map(|(id, (http, peer))| NodePlan { id, http: address(http), peer: address(peer) })
        .collect())
}

/// Binds all of them at once for a moment.
pub fn check_free(plans: &[NodePlan]) -> Result<(), PortError> {
    let mut bound = Vec::new();
    for plan in plans {
        for (purpose, address, flag) in [("HTTP", plan.http, HTTP_FLAG), ("peer", plan.peer, PEER_FLAG)] {
            match TcpListener::bind(address) {
                Ok(listener) => bound.push(listener),
                Err(cause) => return Err(PortError::Taken { purpose, id: plan.id, address, flag, cause }),
            }
        }
    }
    Ok(())
}

fn ports(flag: &'static str, first: u16, nodes: u16) -> Result<RangeInclusive<u16>, PortError> {
    match first.checked_add(nodes.saturating_sub(1)) {
        Some(last) => Ok(first..=last),
        None => Err(PortError::TooHigh { flag, first, nodes }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_node_has_the_next_ports() {
        let plans = plan(3, 8761, 9761).expect("room");
        let shown: Vec<_> = plans.iter().map(|p| format!("{} {} {}", p.id, p.http, p.peer)).collect();
        assert_eq!(
            shown,
            [
                "1 127.0.0.1:8761 127.0.0.1:9761",
                "2 127.0.0.1:8762 127.0.0.1:9762",
                "3 127.0.0.1:8763 127.0.0.1:9763"
            ]
        );
    }

    #[test]
    fn ports_end_at_65535() {
        assert_eq!(plan(3, 65533, 9761).expect("room")[2].http.port(), 65535);
        assert!(matches!(plan(3, 65534, 9761), Err(PortError::TooHigh { flag: HTTP_FLAG, .. })));
        assert!(matches!(plan(3, 8761, 65535), Err(PortError::TooHigh { flag: PEER_FLAG, .. })));
    }

    #[test]
    fn http_and_peer_ports_do_not_overlap() {
        assert!(matches!(plan(3, 8761, 8763), Err(PortError::Overlap { .. })));
        assert!(matches!(plan(3, 8763, 8761), Err(PortError::Overlap { .. })));
        assert_eq!(plan(3, 8761, 8764).expect("room").len(), 3);
    }

    #[test]
    fn a_taken_port_is_named_with_its_flag() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("an address");
        let plans = [NodePlan { id: 2, http: SocketAddr::from(([127, 0, 0, 1], 0)), peer: address }];
        let error = check_free(&plans).expect_err("taken").to_string();
        assert!(error.contains(&format!("peer port of node 2, {address}, is taken")), "{error}");
        assert!(error.contains("--peer-port"), "{error}");
    }
}
