//! What an `Authorization` header says.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Longer secrets are nobody's, and hashing them takes time.
const MAX_BYTES: usize = 1024;
const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, ANY_PADDING);

/// How one says who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `Basic`, as clients send what stands before the host in a URL.
    User,
    /// `Bearer NAME.SECRET`.
    Token,
}

/// No `Debug`: it holds a secret.
pub struct Credentials {
    pub kind: Kind,
    pub name: String,
    pub secret: Vec<u8>,
}

impl Credentials {
    /// `None` if the header says nothing that could be somebody's.
    pub fn parse(header: &[u8]) -> Option<Self> {
        let space = header.iter().position(|byte| *byte == b' ')?;
        let (scheme, value) = (&header[..space], header[space..].trim_ascii());
        let credentials = match () {
            () if scheme.eq_ignore_ascii_case(b"basic") => {
                Self::split(Kind::User, &BASE64.decode(value).ok()?, b':')
            }
            () if scheme.eq_ignore_ascii_case(b"bearer") => Self::split(Kind::Token, value, b'.'),
            () => None,
        };
        credentials.filter(|credentials| (1..=MAX_BYTES).contains(&credentials.secret.len()))
    }

    fn split(kind: Kind, value: &[u8], separator: u8) -> Option<Self> {
        let end = value.iter().position(|byte| *byte == separator)?;
        let name = std::str::from_utf8(&value[..end]).ok()?.to_owned();
        Some(Self { kind, name, secret: value[end + 1..].to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(header: &str) -> Option<(Kind, String, Vec<u8>)> {
        Credentials::parse(header.as_bytes()).map(|found| (found.kind, found.name, found.secret))
    }

    #[test]
    fn both_kinds_are_read_with_or_without_padding() {
        let user = Some((Kind::User, "eve".to_owned(), b"a:b".to_vec()));
        assert_eq!(parsed("Basic ZXZlOmE6Yg=="), user);
        assert_eq!(parsed("basic  ZXZlOmE6Yg"), user);
        assert_eq!(parsed("Bearer ci.x.y"), Some((Kind::Token, "ci".to_owned(), b"x.y".to_vec())));
    }

    #[test]
    fn anything_else_is_nobodys() {
        let long = format!("Bearer ci.{}", "x".repeat(MAX_BYTES + 1));
        for header in
            ["", "Basic", "Basic %%%", "Basic ZXZl", "Bearer secret", "Bearer ci.", "Digest a.b", &long]
        {
            assert!(parsed(header).is_none(), "{header}");
        }
    }
}
