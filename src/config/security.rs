//! Settings of TLS and of what is told of writes.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Deserialize;

use super::{Config, Violation};
use crate::tls::{PairFiles, PeerFiles};

/// Of which writes the log has a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audit {
    None,
    /// All but renewals, of which there are a hundred times as many.
    Changes,
    All,
}

impl Config {
    /// What clients are served with by TLS; `None`: without.
    pub fn client_tls(&self) -> Option<PairFiles> {
        pair_files(&self.tls_cert_file, &self.tls_key_file)
    }

    /// What is shown to peers, and taken of them, by TLS; `None`: without.
    pub fn peer_tls(&self) -> Option<PeerFiles> {
        let pair = pair_files(&self.peer_tls_cert_file, &self.peer_tls_key_file)?;
        Some(PeerFiles { pair, ca_file: self.peer_tls_ca_file.clone()? })
    }

    pub(super) fn check_security(&self) -> Result<(), Violation> {
        together(&[("tls_cert_file", &self.tls_cert_file), ("tls_key_file", &self.tls_key_file)])?;
        together(&[
            ("peer_tls_cert_file", &self.peer_tls_cert_file),
            ("peer_tls_key_file", &self.peer_tls_key_file),
            ("peer_tls_ca_file", &self.peer_tls_ca_file),
        ])
    }
}

/// Settings that mean nothing without each other.
fn together(settings: &[(&'static str, &Option<PathBuf>)]) -> Result<(), Violation> {
    let given = settings.iter().find(|(_, file)| file.is_some());
    let missing = settings.iter().find(|(_, file)| file.is_none());
    match (given, missing) {
        (Some((key, _)), Some((missing, _))) => {
            Err(Violation { key, problem: format!("is set without {missing}; give all of them or none") })
        }
        _ => Ok(()),
    }
}

fn pair_files(cert_file: &Option<PathBuf>, key_file: &Option<PathBuf>) -> Option<PairFiles> {
    Some(PairFiles { cert_file: cert_file.clone()?, key_file: key_file.clone()? })
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::*;
    use crate::config::Flags;
    use crate::config::tests::violation;

    #[test]
    fn insecure_is_a_flag_with_or_without_a_value() {
        let cluster = "--initial-cluster=1=127.0.0.1:9761";
        let needed = ["serve", "--node-id=1", "--data-dir=d", "--http-addr=127.0.0.1:1", cluster];
        let insecure = |more: &[&str]| {
            let line = needed.iter().chain(&["--peer-addr=127.0.0.1:9761"]).chain(more);
            let matches = Flags::augment_args(Command::new("serve")).try_get_matches_from(line);
            let flags = Flags::from_arg_matches(&matches.expect("good flags")).expect("flags");
            Config::load(&flags, None, []).expect("a good config").insecure
        };
        assert!(insecure(&["--insecure"]) && insecure(&["--insecure", "true"]));
        assert!(!insecure(&["--insecure=false"]) && !insecure(&[]));
    }

    #[test]
    fn certificates_and_keys_come_in_pairs() {
        let (key, problem) = violation(|c| c.tls_cert_file = Some("cert.pem".into()));
        assert_eq!((key, problem.contains("tls_key_file")), ("tls_cert_file", true), "{problem}");
        assert_eq!(violation(|c| c.tls_key_file = Some("key.pem".into())).0, "tls_key_file");
        let (key, problem) = violation(|c| {
            c.peer_tls_cert_file = Some("cert.pem".into());
            c.peer_tls_key_file = Some("key.pem".into());
        });
        assert_eq!((key, problem.contains("peer_tls_ca_file")), ("peer_tls_cert_file", true), "{problem}");
    }
}
