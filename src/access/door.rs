//! From a request's credentials to whose they are.
//!
//! Verifying takes long, so only so many are verified at once, and more are turned away at once: a flood of wrong
//! passwords holds up none of those who were verified before. Requests with the same credentials wait for one
//! verification, as when all instances of a service come back together.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::accounts::{Accounts, Place, Tag};
use super::addresses::Addresses;
use super::credentials::Credentials;
use super::{Principal, auth_file};
use crate::blocking::blocking;
use crate::watched::{Watched, Watcher};

/// Credentials verified at once.
const VERIFYING_AT_ONCE: usize = 2;
/// Of one address, in a second and at once: more guesses it does not get, whoever it is.
const GUESSES_PER_SECOND: NonZeroU32 = NonZeroU32::new(5).expect("not zero");
const GUESSES_AT_ONCE: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

/// Why a request is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It does not say who sends it, or that is not true.
    Unknown,
    /// Too many others are being verified.
    Busy,
    /// Too many guesses came from its address; how long to wait.
    TooManyGuesses(Duration),
}

type Verdict = Option<Option<Arc<Principal>>>;
type Verifying = HashMap<Place, (Tag, watch::Receiver<Verdict>)>;

pub struct Door {
    accounts: Watched<Accounts>,
    verifying: Arc<Mutex<Verifying>>,
    guesses: Addresses,
}

/// A door for those of a file, and what keeps it up to date.
///
/// # Errors
/// If the file cannot be read or used.
pub fn door(auth_file: PathBuf) -> anyhow::Result<(Door, Watcher<Accounts>)> {
    let files = vec![auth_file.clone()];
    let (accounts, watcher) = Watcher::new("users and tokens", files, move |contents| {
        auth_file::accounts(&auth_file, contents.first().map_or(&[], Vec::as_slice))
    })?;
    let guesses = Addresses::new(GUESSES_PER_SECOND, GUESSES_AT_ONCE);
    Ok((Door { accounts, verifying: Arc::default(), guesses }, watcher))
}

impl Door {
    /// Who sends a request with this `Authorization` header.
    ///
    /// # Errors
    /// [`Refusal`] if that cannot be told.
    pub async fn who(&self, header: Option<&[u8]>, from: IpAddr) -> Result<Arc<Principal>, Refusal> {
        let accounts = self.accounts.current();
        let Some(header) = header else {
            return accounts.anonymous().cloned().ok_or(Refusal::Unknown);
        };
        let credentials = Credentials::parse(header).ok_or(Refusal::Unknown)?;
        let tag = accounts.tag(&credentials);
        if let Some(principal) = accounts.remembered(&tag) {
            return Ok(principal);
        }
        let mut verdict = self.verification(accounts, credentials, tag, from)?;
        let verdict = verdict.wait_for(Option::is_some).await;
        let principal = verdict.map_err(|_| Refusal::Busy)?.clone().flatten();
        principal.ok_or(Refusal::Unknown)
    }

    /// The verification of these credentials, which is under way or begins.
    fn verification(
        &self,
        accounts: Arc<Accounts>,
        credentials: Credentials,
        tag: Tag,
        from: IpAddr,
    ) -> Result<watch::Receiver<Verdict>, Refusal> {
        let mut verifying = self.verifying.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, verdict)) = verifying.get(&tag.place()).filter(|(other, _)| other.is(&tag)) {
            return Ok(verdict.clone());
        }
        if verifying.len() >= VERIFYING_AT_ONCE {
            return Err(Refusal::Busy);
        }
        self.guesses.check(from).map_err(Refusal::TooManyGuesses)?;
        let (tell, verdict) = watch::channel(None);
        verifying.insert(tag.place(), (tag, verdict.clone()));
        drop(verifying);
        let place = Taken { verifying: self.verifying.clone(), tag };
        // A task of its own: others may wait for it when this request is given up.
        tokio::spawn(async move {
            let name = credentials.name.clone();
            let verified = blocking(move || accounts.verify(&credentials, tag)).await;
            drop(place);
            if let Ok(principal) = verified {
                if principal.is_none() {
                    tracing::warn!(target: crate::audit::TARGET, who = name.as_str(), %from, "wrong credentials");
                }
                tell.send_replace(Some(principal));
            }
        });
        Ok(verdict)
    }
}

/// Given up when the verification has ended, however it did.
struct Taken {
    verifying: Arc<Mutex<Verifying>>,
    tag: Tag,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.verifying.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.tag.place());
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use futures_util::future::join_all;

    use super::*;
    use crate::access::secret::hash;

    const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const SECRET: &str = "long enough";

    fn open(anonymous: &str) -> Door {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("auth.toml");
        let hash = hash(SECRET.as_bytes()).unwrap();
        let user = format!("[[user]]\nname = \"eve\"\npassword_hash = \"{hash}\"\nrole = \"write\"\n");
        std::fs::write(&file, format!("anonymous = \"{anonymous}\"\n{user}")).unwrap();
        door(file).unwrap().0
    }

    fn basic(secret: &str) -> Vec<u8> {
        format!("Basic {}", BASE64_STANDARD.encode(format!("eve:{secret}"))).into_bytes()
    }

    #[tokio::test]
    async fn many_with_the_same_credentials_share_one_verification() {
        let (door, right) = (open("none"), basic(SECRET));
        let many = 2 * GUESSES_AT_ONCE.get();
        let all = join_all((0..many).map(|_| door.who(Some(&right), FROM))).await;
        assert!(all.iter().all(|who| who.as_ref().is_ok_and(|who| &*who.name == "eve")), "{all:?}");
    }

    #[tokio::test]
    async fn so_many_guesses_are_verified_at_once_and_the_rest_is_turned_away() {
        let door = open("none");
        let guesses: Vec<_> = (0..10).map(|n| basic(&format!("guess {n}"))).collect();
        let all = join_all(guesses.iter().map(|guess| door.who(Some(guess), FROM))).await;
        let count = |refusal: &Refusal| all.iter().filter(|who| who.as_ref().err() == Some(refusal)).count();
        assert_eq!(count(&Refusal::Unknown), VERIFYING_AT_ONCE);
        assert_eq!(count(&Refusal::Busy), all.len() - VERIFYING_AT_ONCE);
        assert!(door.who(Some(&basic(SECRET)), FROM).await.is_ok(), "the places are not given up");
    }

    #[tokio::test]
    async fn an_address_has_only_so_many_guesses_but_one_that_is_known_needs_none() {
        let (door, right) = (open("none"), basic(SECRET));
        assert!(door.who(Some(&right), FROM).await.is_ok());
        while door.guesses.check(FROM).is_ok() {}
        let refusal = door.who(Some(&basic("wrong")), FROM).await.unwrap_err();
        assert!(matches!(refusal, Refusal::TooManyGuesses(_)), "{refusal:?}");
        assert!(door.who(Some(&right), FROM).await.is_ok());
    }

    #[tokio::test]
    async fn who_says_nothing_is_anonymous_and_who_says_something_wrong_is_not() {
        assert_eq!(open("none").who(None, FROM).await, Err(Refusal::Unknown));
        let door = open("read");
        assert_eq!(door.who(None, FROM).await.unwrap().role, crate::access::Role::Read);
        assert_eq!(door.who(Some(&basic("wrong")), FROM).await, Err(Refusal::Unknown));
    }
}
