//! Who may do what: users and tokens of a file, which is read again when it changes.

mod accounts;
mod addresses;
mod auth_file;
mod credentials;
mod door;
mod secret;

use std::sync::Arc;

pub use accounts::Accounts;
pub use addresses::Addresses;
pub use auth_file::ANONYMOUS;
pub use door::{Door, Refusal, door};
pub use secret::{SecretError, hash};

/// What one may do; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Read,
    Write,
    Admin,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// One who has shown who they are, or who need not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub name: Arc<str>,
    pub role: Role,
}
