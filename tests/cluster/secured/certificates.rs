//! Files of certificates, and clients who trust those who issued them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};

use crate::samples::Authority;

/// Where all nodes of a test run.
pub const HOST: &str = "127.0.0.1";

/// A certificate and its key on disk.
pub struct Files {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Files {
    /// Issues a certificate for [`HOST`] and writes it below `dir`.
    pub fn issued(authority: &Authority, dir: &Path, name: &str) -> Self {
        let files =
            Self { cert: dir.join(format!("{name}-cert.pem")), key: dir.join(format!("{name}-key.pem")) };
        files.issue_again(authority);
        files
    }

    /// Writes a new certificate in place of the old one.
    pub fn issue_again(&self, authority: &Authority) {
        let issued = authority.issue(HOST);
        fs::write(&self.cert, issued.cert).expect("a written certificate");
        fs::write(&self.key, issued.key).expect("a written key");
    }

    /// The flags that name these files.
    pub fn flags(&self, cert_flag: &str, key_flag: &str) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        vec![cert_flag.to_owned(), path(&self.cert), key_flag.to_owned(), path(&self.key)]
    }
}

impl Files {
    /// What a client needs that shows this certificate to one whom it trusts by this authority.
    pub fn shown_to(&self, authority: &Authority) -> Arc<ClientConfig> {
        let cert = CertificateDer::from_pem_file(&self.cert).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(&self.key).expect("a key");
        let config = trusts(authority).with_client_auth_cert(vec![cert], key);
        Arc::new(config.expect("a pair"))
    }
}

/// What a client needs that trusts this authority alone.
pub fn trusting(authority: &Authority) -> Arc<ClientConfig> {
    Arc::new(trusts(authority).with_no_client_auth())
}

fn trusts(authority: &Authority) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    let cert = CertificateDer::from_pem_slice(authority.pem().as_bytes()).expect("a certificate");
    roots.add(cert).expect("an authority");
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_root_certificates(roots)
}
