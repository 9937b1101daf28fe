//! Eureka servers that are told what clients do here.

use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use thiserror::Error;

use super::{Config, Violation};
use crate::http_client::{ServerUrl, ServerUrlError};
use crate::registry::MAX_EUREKA_PEERS;

/// Where Eureka's servers have their API if their URL names no path.
const DEFAULT_PATH: &str = "/eureka";

/// A Eureka server that this cluster replicates to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EurekaPeer {
    /// Of its API, with its path, as Eureka's clients have it in `serviceUrl`.
    pub url: ServerUrl,
    /// Has the password of the user in the URL.
    pub password_file: Option<PathBuf>,
    /// Has the certificate authorities of a server with https; else those count that the system trusts.
    pub ca_file: Option<PathBuf>,
}

/// None, unless some are given. Shown without passwords.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EurekaPeers(Vec<EurekaPeer>);

/// Why a text is no list of Eureka servers. It never has the text in it, in which a password may be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EurekaPeersError {
    #[error("number {number} {cause}")]
    Url { number: usize, cause: ServerUrlError },
    #[error("{0} is there twice")]
    Twice(ServerUrl),
    #[error("there are {0}, and at most {MAX_EUREKA_PEERS} can be")]
    TooMany(usize),
}

impl EurekaPeers {
    fn new(peers: impl IntoIterator<Item = Given>) -> Result<Self, EurekaPeersError> {
        let mut read: Vec<EurekaPeer> = Vec::new();
        for (at, given) in peers.into_iter().enumerate() {
            let url: Result<ServerUrl, _> = given.url.parse();
            let url = url.map_err(|cause| EurekaPeersError::Url { number: at + 1, cause })?;
            let url = url.or_path(DEFAULT_PATH);
            if read.iter().any(|other| other.url.to_string() == url.to_string()) {
                return Err(EurekaPeersError::Twice(url));
            }
            read.push(EurekaPeer { url, password_file: given.password_file, ca_file: given.ca_file });
        }
        match read.len() {
            ..=MAX_EUREKA_PEERS => Ok(Self(read)),
            many => Err(EurekaPeersError::TooMany(many)),
        }
    }
}

impl Deref for EurekaPeers {
    type Target = [EurekaPeer];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl FromStr for EurekaPeers {
    type Err = EurekaPeersError;

    fn from_str(text: &str) -> Result<Self, EurekaPeersError> {
        let urls = text.split(',').map(str::trim).filter(|url| !url.is_empty());
        Self::new(urls.map(|url| Given { url: url.to_owned(), password_file: None, ca_file: None }))
    }
}

impl fmt::Display for EurekaPeers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls: Vec<String> = self.iter().map(|peer| peer.url.to_string()).collect();
        f.write_str(&urls.join(","))
    }
}

/// A table `[[eureka_peer]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    url: String,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

/// In the file it is either the flag's text or tables.
impl<'de> Deserialize<'de> for EurekaPeers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "expected URL,... or tables [[eureka_peer]] with url and, if need be, password_file and ca_file"
        )]
        enum Form {
            Text(String),
            Tables(Vec<Given>),
        }
        let parsed = match Form::deserialize(deserializer)? {
            Form::Text(text) => text.parse(),
            Form::Tables(tables) => Self::new(tables),
        };
        parsed.map_err(D::Error::custom)
    }
}

impl Config {
    /// A node that sends to itself would take each of its own clients for the other's.
    pub(super) fn check_eureka_peers(&self) -> Result<(), Violation> {
        let own = [self.http_addr.to_string(), self.advertised_http_addr().to_string()];
        match self.eureka_peer.iter().find(|peer| own.iter().any(|own| own == peer.url.authority())) {
            None => Ok(()),
            Some(peer) => Err(Violation {
                key: "eureka_peer",
                problem: format!("{} is this node itself; name only Eureka servers", peer.url),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::config::tests::{base, violation};
    use crate::config::{ConfigError, Flags};

    fn of_file(text: &str) -> Result<Config, ConfigError> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("to write");
        Config::load(&Flags::from_pairs(base()), Some(file.path()), [])
    }

    #[test]
    fn a_list_of_urls_is_as_good_as_tables() {
        let text: EurekaPeers = "http://u:p@eureka-1:8761/eureka/, https://eureka-2".parse().unwrap();
        let shown = "http://eureka-1:8761/eureka,https://eureka-2/eureka";
        assert_eq!(text.to_string(), shown);
        let config = of_file(
            "[[eureka_peer]]\nurl = \"http://u@eureka-1:8761/eureka/\"\npassword_file = \"/p\"\n\
             [[eureka_peer]]\nurl = \"https://eureka-2\"\nca_file = \"/ca\"\n",
        );
        let peers = config.expect("a good config").eureka_peer;
        assert_eq!(peers.to_string(), shown);
        assert_eq!(peers[0].password_file.as_deref(), Some("/p".as_ref()));
        assert_eq!(peers[1].ca_file.as_deref(), Some("/ca".as_ref()));
        assert!(
            Config::load(&Flags::from_pairs(base()), None, []).expect("a good config").eureka_peer.is_empty()
        );
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        let error = "http://a,eureka-2:secret".parse::<EurekaPeers>().unwrap_err().to_string();
        assert!(error.starts_with("number 2 is no URL of a server") && !error.contains("secret"), "{error}");
        let twice = "http://u:secret@a/eureka,http://a/eureka/".parse::<EurekaPeers>().unwrap_err();
        assert_eq!(twice.to_string(), "http://a/eureka is there twice");
        let many: Vec<String> = (0..=MAX_EUREKA_PEERS).map(|number| format!("http://e{number}")).collect();
        assert_eq!(
            many.join(",").parse::<EurekaPeers>(),
            Err(EurekaPeersError::TooMany(MAX_EUREKA_PEERS + 1))
        );
        let unknown = of_file("[[eureka_peer]]\nurl = \"http://a\"\nuser = \"u\"\n").unwrap_err().to_string();
        assert!(unknown.contains("[[eureka_peer]]"), "{unknown}");
    }

    #[test]
    fn a_node_does_not_replicate_to_itself() {
        let (key, problem) =
            violation(|config| config.eureka_peer = format!("http://{}", config.http_addr).parse().unwrap());
        assert_eq!(key, "eureka_peer");
        assert!(problem.contains("is this node itself"), "{problem}");
    }
}
