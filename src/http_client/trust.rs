//! Whose certificates a client takes.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt;
use rustls::client::WantsClientCert;
use rustls::crypto::ring;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

use super::error::HttpClientError;
use crate::tls;

/// Those of the authorities in a file.
pub fn authorities(ca_file: &Path) -> Result<ClientConfig, HttpClientError> {
    let unreadable = |source| HttpClientError::CaFile { file: ca_file.to_owned(), source };
    let contents = fs::read(ca_file).map_err(unreadable)?;
    let roots = tls::roots(ca_file, &contents).map_err(HttpClientError::Authorities)?;
    Ok(anonymous(builder()?.with_root_certificates(roots)))
}

/// Those that the system trusts.
pub fn system() -> Result<ClientConfig, HttpClientError> {
    Ok(anonymous(builder()?.with_native_roots().map_err(HttpClientError::NoRoots)?))
}

/// None, for connections without TLS.
pub fn nobody() -> Result<ClientConfig, HttpClientError> {
    Ok(anonymous(builder()?.with_root_certificates(RootCertStore::empty())))
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, HttpClientError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Ok(builder.with_safe_default_protocol_versions()?)
}

/// Servers ask for a password at most.
fn anonymous(builder: ConfigBuilder<ClientConfig, WantsClientCert>) -> ClientConfig {
    builder.with_no_client_auth()
}
