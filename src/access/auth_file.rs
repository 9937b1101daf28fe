//! The file of users and tokens.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;

use super::accounts::{Account, Accounts};
use super::credentials::Kind;
use super::secret::check_hash;
use super::{Principal, Role};

const MAX_NAME_LEN: usize = 64;
/// What an audit line calls one who has not said who they are.
pub const ANONYMOUS: &str = "anonymous";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthFile {
    #[serde(default)]
    anonymous: Anonymous,
    #[serde(default)]
    user: Vec<User>,
    #[serde(default)]
    token: Vec<Token>,
}

/// What may be done by those who do not say who they are.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Anonymous {
    #[default]
    None,
    Read,
    Write,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    name: String,
    password_hash: String,
    role: Role,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    name: String,
    token_hash: String,
    role: Role,
}

/// # Errors
/// What is wrong, and where. No hash is told: the message goes into the log.
pub fn accounts(file: &Path, contents: &[u8]) -> anyhow::Result<Accounts> {
    read(contents).with_context(|| format!("auth_file {}", file.display()))
}

fn read(contents: &[u8]) -> anyhow::Result<Accounts> {
    let text = std::str::from_utf8(contents).context("it is not UTF-8")?;
    let file: AuthFile = toml::from_str(text).map_err(|error| {
        let end = error.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(end).filter(|byte| *byte == b'\n').count();
        anyhow!("line {line}: {}", error.message())
    })?;
    let users = file.user.into_iter().map(|user| (Kind::User, user.name, user.password_hash, user.role));
    let tokens = file.token.into_iter().map(|token| (Kind::Token, token.name, token.token_hash, token.role));
    let mut known = HashMap::new();
    for (kind, name, hash, role) in users.chain(tokens) {
        let what = match kind {
            Kind::User => "user",
            Kind::Token => "token",
        };
        check_name(kind, &name).with_context(|| format!("{what} {name:?}"))?;
        check_hash(&hash).with_context(|| format!("the hash of {what} {name:?}"))?;
        let principal = Arc::new(Principal { name: name.as_str().into(), role });
        if known.insert((kind, name), Account { principal, hash }).is_some() {
            bail!("two {what}s have one name");
        }
    }
    let anonymous = match file.anonymous {
        Anonymous::None => None,
        Anonymous::Read => Some(Role::Read),
        Anonymous::Write => Some(Role::Write),
    };
    let anonymous = anonymous.map(|role| Arc::new(Principal { name: ANONYMOUS.into(), role }));
    Accounts::new(known, anonymous).context("no hash can be made")
}

/// Names that can be told apart in a header and in a log line.
fn check_name(kind: Kind, name: &str) -> anyhow::Result<()> {
    let more: &[u8] = match kind {
        Kind::User => b"_-.@",
        Kind::Token => b"_-",
    };
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte));
    if name.is_empty() || name.len() > MAX_NAME_LEN || !plain {
        let more = String::from_utf8_lossy(more);
        bail!("a name is 1 to {MAX_NAME_LEN} of a-z A-Z 0-9 {more}");
    }
    if name == ANONYMOUS {
        bail!("this is what those are called who have no name");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::secret::hash;

    fn error(text: &str) -> String {
        format!("{:#}", read(text.as_bytes()).err().expect("an error"))
    }

    #[test]
    fn what_is_wrong_is_told_without_the_hash() {
        let hash = hash(b"long enough").unwrap();
        let user = |name: &str, role: &str| {
            format!("[[user]]\nname = \"{name}\"\npassword_hash = \"{hash}\"\nrole = \"{role}\"\n")
        };
        assert!(read(user("eve", "write").as_bytes()).is_ok());
        let twice = user("eve", "write") + &user("eve", "read");
        for (text, told) in [
            (user("eve", "root"), "line 4"),
            (user("anonymous", "read"), "who have no name"),
            (user("e ve", "read"), "a name is"),
            (twice, "two users have one name"),
            (user("eve", "read").replace("$argon2id", "x"), "the hash of user \"eve\""),
            ("anonymous = \"admin\"".to_owned(), "line 1"),
            ("users = 1".to_owned(), "unknown field"),
        ] {
            let error = error(&text);
            assert!(error.contains(told), "{told}: {error}");
            assert!(!error.contains("m=19456"), "{error}");
        }
    }
}
