//! TLS at the port for clients, who show no certificates: they say who they are in each request.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;

use super::pem::PairFiles;
use crate::watched::{Watched, Watcher};

/// What connections of clients are accepted with.
pub type ClientTls = Watched<ServerConfig>;

/// TLS with the certificates of one file and the key of another.
///
/// # Errors
/// If they cannot be read or used.
pub fn client_port(files: PairFiles) -> anyhow::Result<(ClientTls, Watcher<ServerConfig>)> {
    let watched = vec![files.cert_file.clone(), files.key_file.clone()];
    Watcher::new("the certificates for clients", watched, move |contents| match contents {
        [certs, key] => server_config(&files, certs, key),
        _ => anyhow::bail!("a file of certificates and one of a key are wanted"),
    })
}

fn server_config(files: &PairFiles, certs: &[u8], key: &[u8]) -> anyhow::Result<ServerConfig> {
    let pair = files.pair(certs, key)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(pair.certs, pair.key)
        .map_err(|error| files.mismatch(&error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::samples::Authority;

    fn names() -> PairFiles {
        PairFiles { cert_file: "cert.pem".into(), key_file: "key.pem".into() }
    }

    #[test]
    fn a_certificate_goes_with_its_own_key_only() {
        let authority = Authority::new();
        let (one, other) = (authority.issue("localhost"), authority.issue("localhost"));
        let files = names();
        assert!(server_config(&files, one.cert.as_bytes(), one.key.as_bytes()).is_ok());
        let error = server_config(&files, one.cert.as_bytes(), other.key.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with("cert.pem and key.pem do not go together"), "{error}");
    }

    #[test]
    fn halves_that_are_missing_are_named() {
        let issued = Authority::new().issue("localhost");
        let files = names();
        let error = server_config(&files, b"", issued.key.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with("cert.pem has no certificate"), "{error}");
        let error = server_config(&files, issued.cert.as_bytes(), b"").unwrap_err();
        assert!(error.to_string().starts_with("key.pem has no private key"), "{error}");
    }
}
