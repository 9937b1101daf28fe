//! Addresses as people write them: `host:port`, and the `id=host:port` list of a cluster.
//!
//! Nothing is resolved here: a host name is resolved at each connect, for its address may change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::ops::Deref;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use thiserror::Error;

/// `HOST:PORT`, where the host is a name, an IPv4 address, or an IPv6 address in brackets, and the port is not 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct HostPort(String);

/// The nodes a cluster starts with: ids from 1 on, each with an address of its own; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitialCluster(BTreeMap<u64, HostPort>);

/// Why a text is not an address or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    #[error("{0:?} is not HOST:PORT, such as 127.0.0.1:9761 or node1.internal:9761 or [::1]:9761")]
    NotHostPort(String),
    #[error("{0:?} is not ID=HOST:PORT, such as 1=127.0.0.1:9761, with an id from 1 on")]
    NotMember(String),
    #[error("names no node; give ID=HOST:PORT for each, separated by commas")]
    Empty,
    #[error("names node {0} twice")]
    SameId(u64),
    #[error("gives the address {0} to two nodes")]
    SameAddress(HostPort),
}

const HOST_MAX_LEN: usize = 253;

impl HostPort {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same host with another port.
    pub fn with_port(&self, port: u16) -> Self {
        let host = self.0.rsplit_once(':').map_or(self.as_str(), |(host, _)| host);
        Self(format!("{host}:{port}"))
    }
}

impl FromStr for HostPort {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let valid = text.rsplit_once(':').is_some_and(|(host, port)| is_host(host) && is_port(port));
        if valid { Ok(Self(text.to_owned())) } else { Err(AddressError::NotHostPort(text.to_owned())) }
    }
}

impl TryFrom<String> for HostPort {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> Self {
        Self(address.to_string())
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(v6) => v6.parse::<Ipv6Addr>().is_ok(),
        None => {
            (1..=HOST_MAX_LEN).contains(&host.len())
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        }
    }
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

impl InitialCluster {
    fn new(members: impl IntoIterator<Item = (u64, HostPort)>) -> Result<Self, AddressError> {
        let mut by_id = BTreeMap::new();
        let mut addresses = BTreeSet::new();
        for (id, address) in members {
            if !addresses.insert(address.clone()) {
                return Err(AddressError::SameAddress(address));
            }
            if by_id.insert(id, address).is_some() {
                return Err(AddressError::SameId(id));
            }
        }
        if by_id.is_empty() { Err(AddressError::Empty) } else { Ok(Self(by_id)) }
    }
}

impl Deref for InitialCluster {
    type Target = BTreeMap<u64, HostPort>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl FromStr for InitialCluster {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let members = text.split(',').map(str::trim).filter(|member| !member.is_empty());
        Self::new(members.map(parse_member).collect::<Result<Vec<_>, _>>()?)
    }
}

/// In the file it is either the flag's text or a table of ids and addresses.
impl<'de> Deserialize<'de> for InitialCluster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected ID=HOST:PORT,... or a table of ids and HOST:PORT")]
        enum Form {
            Text(String),
            Table(BTreeMap<String, String>),
        }
        let parsed = match Form::deserialize(deserializer)? {
            Form::Text(text) => text.parse(),
            Form::Table(table) => table
                .iter()
                .map(|(id, address)| parse_member(&format!("{id}={address}")))
                .collect::<Result<Vec<_>, _>>()
                .and_then(Self::new),
        };
        parsed.map_err(D::Error::custom)
    }
}

impl fmt::Display for InitialCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (id, address)) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "," };
            write!(f, "{separator}{id}={address}")?;
        }
        Ok(())
    }
}

fn parse_member(member: &str) -> Result<(u64, HostPort), AddressError> {
    let not_member = || AddressError::NotMember(member.to_owned());
    let (id, address) = member.split_once('=').ok_or_else(not_member)?;
    let id = id.trim().parse().ok().filter(|id| *id > 0).ok_or_else(not_member)?;
    Ok((id, address.trim().parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port() {
        for good in ["127.0.0.1:9761", "node-1.internal:1", "my_service:65535", "[::1]:9761"] {
            assert_eq!(good.parse::<HostPort>().map(|a| a.to_string()), Ok(good.to_owned()));
        }
        let bad = [
            "",
            "host",
            "host:",
            ":9761",
            "host:0",
            "host:65536",
            "host:+1",
            "host: 1",
            "::1:9761",
            "[::1:9761",
            "[host]:1",
            "http://host:1",
            "a b:1",
            "host:1/",
        ];
        for text in bad {
            assert_eq!(text.parse::<HostPort>(), Err(AddressError::NotHostPort(text.to_owned())));
        }
    }

    #[test]
    fn the_port_is_replaced_and_the_host_kept() {
        let v6: HostPort = "[::1]:9761".parse().expect("an address");
        assert_eq!(v6.with_port(80).as_str(), "[::1]:80");
    }

    #[test]
    fn a_cluster_is_read_and_written_alike() {
        let text = "1=127.0.0.1:9761,2=node2:9762,10=[::1]:9763";
        let cluster: InitialCluster = text.parse().expect("a cluster");
        assert_eq!(cluster.len(), 3);
        assert_eq!(cluster[&2].as_str(), "node2:9762");
        assert_eq!(cluster.to_string(), text);
        assert_eq!(" 10=[::1]:9763 , 2 = node2:9762,1=127.0.0.1:9761,".parse(), Ok(cluster));
    }

    #[test]
    fn ids_and_addresses_are_unique() {
        assert_eq!("1=a:1,1=b:1".parse::<InitialCluster>(), Err(AddressError::SameId(1)));
        let same = AddressError::SameAddress("a:1".parse().expect("an address"));
        assert_eq!("1=a:1,2=a:1".parse::<InitialCluster>(), Err(same));
        assert_eq!(" , ".parse::<InitialCluster>(), Err(AddressError::Empty));
        for text in ["a:1", "0=a:1", "x=a:1", "-1=a:1"] {
            assert_eq!(text.parse::<InitialCluster>(), Err(AddressError::NotMember(text.to_owned())));
        }
    }
}
