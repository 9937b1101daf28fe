//! Everyone there is, and who of them has shown that lately.
//!
//! A secret's hash takes some hundredths of a second to verify, and clients send their secret with each request. So what was
//! verified is remembered by a keyed hash, until the file is read again: all of this is then made anew.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ring::hmac;
use subtle::ConstantTimeEq;

use super::Principal;
use super::credentials::{Credentials, Kind};
use super::secret::{self, SecretError};

/// No `Debug`: it holds hashes of secrets.
pub struct Account {
    pub principal: Arc<Principal>,
    pub hash: String,
}

/// What credentials are remembered by: without the key it tells nothing of them.
#[derive(Clone, Copy)]
pub struct Tag([u8; TAG_BYTES]);

/// Where a tag is looked for: a part of it.
pub type Place = [u8; PLACE_BYTES];

const TAG_BYTES: usize = 32;
const PLACE_BYTES: usize = 8;

impl Tag {
    pub fn place(&self) -> Place {
        let mut place = [0; PLACE_BYTES];
        place.copy_from_slice(&self.0[..PLACE_BYTES]);
        place
    }

    /// In a time that does not tell how much is equal.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

pub struct Accounts {
    known: HashMap<(Kind, String), Account>,
    /// What those are who do not say who they are, if they may do anything.
    anonymous: Option<Arc<Principal>>,
    /// Verified for names that are nobody's, so that the time of an answer does not tell them.
    decoy: String,
    key: hmac::Key,
    /// At most as many as there are accounts, since each has one secret.
    verified: RwLock<HashMap<Place, (Tag, Arc<Principal>)>>,
}

impl Accounts {
    /// # Errors
    /// [`SecretError`] if the system has no randomness.
    pub fn new(
        known: HashMap<(Kind, String), Account>,
        anonymous: Option<Arc<Principal>>,
    ) -> Result<Self, SecretError> {
        let decoy = secret::hash(&secret::random::<TAG_BYTES>()?)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret::random::<TAG_BYTES>()?);
        Ok(Self { known, anonymous, decoy, key, verified: RwLock::default() })
    }

    pub fn anonymous(&self) -> Option<&Arc<Principal>> {
        self.anonymous.as_ref()
    }

    pub fn tag(&self, credentials: &Credentials) -> Tag {
        let mut keyed = hmac::Context::with_key(&self.key);
        keyed.update(&[credentials.kind as u8]);
        keyed.update(&(credentials.name.len() as u64).to_le_bytes());
        keyed.update(credentials.name.as_bytes());
        keyed.update(&credentials.secret);
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(keyed.sign().as_ref());
        Tag(tag)
    }

    /// Whose credentials they are, if that was verified before.
    pub fn remembered(&self, tag: &Tag) -> Option<Arc<Principal>> {
        let verified = self.verified.read().unwrap_or_else(PoisonError::into_inner);
        let (seen, principal) = verified.get(&tag.place())?;
        seen.is(tag).then(|| principal.clone())
    }

    /// Whose credentials they are, if anyone's; takes its time.
    pub fn verify(&self, credentials: &Credentials, tag: Tag) -> Option<Arc<Principal>> {
        let account = self.known.get(&(credentials.kind, credentials.name.clone()));
        let hash = account.map_or(&self.decoy, |account| &account.hash);
        let is_right = secret::verify(hash, &credentials.secret);
        let principal = account.filter(|_| is_right)?.principal.clone();
        let mut verified = self.verified.write().unwrap_or_else(PoisonError::into_inner);
        verified.insert(tag.place(), (tag, principal.clone()));
        Some(principal)
    }
}
