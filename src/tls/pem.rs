//! Certificates and keys out of PEM files.

use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsError;

/// A file of certificates, the node's own first and then those that vouch for it, and the file of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairFiles {
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
}

/// What the files hold.
pub struct Pair {
    pub certs: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

impl PairFiles {
    /// # Errors
    /// If a certificate or the key is missing in what the files hold, or is not what it says.
    pub fn pair(&self, certs: &[u8], key: &[u8]) -> Result<Pair, TlsError> {
        let certs = certificates(&self.cert_file, certs)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| TlsError::NoKey {
            file: self.key_file.display().to_string(),
            reason: error.to_string(),
        })?;
        Ok(Pair { certs, key })
    }

    /// The error for a pair whose halves are good but do not go together.
    pub fn mismatch(&self, error: &rustls::Error) -> TlsError {
        TlsError::Pair {
            cert_file: self.cert_file.display().to_string(),
            key_file: self.key_file.display().to_string(),
            reason: error.to_string(),
        }
    }
}

/// Every certificate of a file.
///
/// # Errors
/// If there is none, or one is not what it says.
pub fn certificates(file: &Path, contents: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let none = |reason: String| TlsError::NoCertificate { file: file.display().to_string(), reason };
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(contents).collect();
    let read = read.map_err(|error| none(error.to_string()))?;
    match read.is_empty() {
        true => Err(none("nothing in it begins with BEGIN CERTIFICATE".to_owned())),
        false => Ok(read),
    }
}
