//! Secrets as they are stored: argon2id, as a PHC string.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params};
use ring::rand::{SecureRandom, SystemRandom};

/// What a hash may cost to verify at most: more would let few requests hold up a node.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_ROUNDS: u32 = 16;
const SALT_BYTES: usize = 16;
const MIN_SECRET_BYTES: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("a secret of at least {MIN_SECRET_BYTES} bytes is wanted")]
    TooShort,
    #[error("the system has no randomness to give")]
    NoRandomness,
    #[error("it is not the PHC string of an argon2id hash; `rs-registry hash` makes one: {0}")]
    NotAHash(String),
    #[error(
        "it takes too much to verify: at most {MAX_MEMORY_KIB} KiB and {MAX_ROUNDS} rounds; make it with `rs-registry hash`"
    )]
    TooCostly,
    #[error("it cannot be hashed: {0}")]
    Hashing(String),
}

/// The hash of a secret, to be stored.
///
/// # Errors
/// [`SecretError`] if it is too short, or there is no randomness.
pub fn hash(secret: &[u8]) -> Result<String, SecretError> {
    if secret.len() < MIN_SECRET_BYTES {
        return Err(SecretError::TooShort);
    }
    let salt = SaltString::encode_b64(&random::<SALT_BYTES>()?);
    let salt = salt.map_err(|error| SecretError::Hashing(error.to_string()))?;
    let hash = Argon2::default().hash_password(secret, &salt);
    hash.map(|hash| hash.to_string()).map_err(|error| SecretError::Hashing(error.to_string()))
}

/// # Errors
/// [`SecretError`] if the system has none.
pub fn random<const N: usize>() -> Result<[u8; N], SecretError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SecretError::NoRandomness)?;
    Ok(bytes)
}

/// # Errors
/// [`SecretError`] if it is no hash that [`verify`] may be used with.
pub fn check_hash(phc: &str) -> Result<(), SecretError> {
    let not_a_hash = |error: argon2::password_hash::Error| SecretError::NotAHash(error.to_string());
    let hash = PasswordHash::new(phc).map_err(not_a_hash)?;
    if hash.algorithm != Algorithm::Argon2id.ident() || hash.hash.is_none() || hash.salt.is_none() {
        return Err(SecretError::NotAHash(format!("the algorithm is {}", hash.algorithm)));
    }
    let params = Params::try_from(&hash).map_err(not_a_hash)?;
    match params.m_cost() > MAX_MEMORY_KIB || params.t_cost() > MAX_ROUNDS {
        true => Err(SecretError::TooCostly),
        false => Ok(()),
    }
}

/// Whether a hash is that of a secret. Takes some hundredths of a second; the comparison's time tells nothing.
pub fn verify(phc: &str, secret: &[u8]) -> bool {
    PasswordHash::new(phc).is_ok_and(|hash| Argon2::default().verify_password(secret, &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_its_secret_alone() {
        let (one, other) = (hash(b"long enough").unwrap(), hash(b"long enough").unwrap());
        assert_ne!(one, other, "no salt");
        check_hash(&one).unwrap();
        assert!(verify(&one, b"long enough") && verify(&other, b"long enough"));
        assert!(!verify(&one, b"long enougH") && !verify("", b"long enough"));
    }

    #[test]
    fn short_secrets_and_other_hashes_are_refused() {
        assert!(matches!(hash(b"short"), Err(SecretError::TooShort)));
        let argon2i = "$argon2i$v=19$m=4096,t=3,p=1$c29tZXNhbHQ$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A";
        for phc in ["plain", "$2y$10$abcdefghijklmnopqrstuv", argon2i, "$argon2id$v=19$m=19456,t=2,p=1"] {
            assert!(matches!(check_hash(phc), Err(SecretError::NotAHash(_))), "{phc}");
        }
        let costly = hash(b"long enough").unwrap().replace("t=2", "t=99");
        assert!(matches!(check_hash(&costly), Err(SecretError::TooCostly)));
    }
}
