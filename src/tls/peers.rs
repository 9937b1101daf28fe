//! TLS between nodes: each shows a certificate, and takes only those of one authority.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::pem::{PairFiles, certificates};
use crate::watched::{Watched, Watcher};

/// Both ends of this node's connections with others.
#[derive(Debug)]
pub struct PeerEnds {
    pub accepting: Arc<ServerConfig>,
    pub connecting: Arc<ClientConfig>,
}

pub type PeerTls = Watched<PeerEnds>;

/// A node's own pair, and the file of the authority whose certificates it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerFiles {
    pub pair: PairFiles,
    pub ca_file: PathBuf,
}

/// # Errors
/// If the files cannot be read or used.
pub fn peers(files: PeerFiles) -> anyhow::Result<(PeerTls, Watcher<PeerEnds>)> {
    let watched = vec![files.pair.cert_file.clone(), files.pair.key_file.clone(), files.ca_file.clone()];
    Watcher::new("the certificates for peers", watched, move |contents| match contents {
        [certs, key, authorities] => ends(&files, (certs, key), authorities),
        _ => anyhow::bail!("a file of certificates, one of a key and one of an authority are wanted"),
    })
}

fn ends(files: &PeerFiles, (certs, key): (&[u8], &[u8]), authorities: &[u8]) -> anyhow::Result<PeerEnds> {
    let provider = Arc::new(ring::default_provider());
    let roots = Arc::new(roots(&files.ca_file, authorities)?);
    let pair = files.pair.pair(certs, key)?;
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build()?;
    let mut accepting = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(pair.certs.clone(), pair.key.clone_key())
        .map_err(|error| files.pair.mismatch(&error))?;
    let mut connecting = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(pair.certs, pair.key)
        .map_err(|error| files.pair.mismatch(&error))?;
    accepting.alpn_protocols = vec![b"h2".to_vec()];
    connecting.alpn_protocols = vec![b"h2".to_vec()];
    Ok(PeerEnds { accepting: Arc::new(accepting), connecting: Arc::new(connecting) })
}

/// The authorities of a file.
///
/// # Errors
/// If there is none, or one is not what it says.
pub fn roots(ca_file: &Path, authorities: &[u8]) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(ca_file, authorities)? {
        let added = roots.add(authority);
        added.with_context(|| format!("{} has a certificate that is no authority's", ca_file.display()))?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::samples::Authority;

    #[test]
    fn all_three_files_are_needed() {
        let authority = Authority::new();
        let issued = authority.issue("node");
        let pair = PairFiles { cert_file: "cert.pem".into(), key_file: "key.pem".into() };
        let files = PeerFiles { pair, ca_file: "ca.pem".into() };
        let (cert, key, ca) = (issued.cert.as_bytes(), issued.key.as_bytes(), authority.pem());
        assert!(ends(&files, (cert, key), ca.as_bytes()).is_ok());
        let error = ends(&files, (cert, key), b"").unwrap_err();
        assert!(error.to_string().starts_with("ca.pem has no certificate"), "{error}");
        let other = authority.issue("node");
        let error = ends(&files, (cert, other.key.as_bytes()), ca.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("do not go together"), "{error}");
    }
}
