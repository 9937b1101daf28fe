//! Names, checked once at the edge and trusted from there on.

use std::borrow::{Borrow, Cow};
use std::fmt;

use arcstr::ArcStr;

/// Longest name accepted, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 1024;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("{what} is empty")]
    Empty { what: &'static str },
    #[error("{what} is {bytes} bytes long; at most {MAX_NAME_BYTES} are accepted")]
    TooLong { what: &'static str, bytes: usize },
    #[error("{what} contains a NUL character")]
    Nul { what: &'static str },
}

/// Refuses what no name may be, whatever it names: empty, over [`MAX_NAME_BYTES`], or with a NUL
/// (which separates names in stored keys).
///
/// # Errors
/// The [`NameError`] that says which of the three it is.
pub fn check_name(what: &'static str, text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { what });
    }
    if text.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong { what, bytes: text.len() });
    }
    if text.contains('\0') {
        return Err(NameError::Nul { what });
    }
    Ok(())
}

/// An application's name: upper case, as the registry keeps and compares it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppName(ArcStr);

impl AppName {
    /// Upper-cases and checks a name.
    ///
    /// # Errors
    /// [`NameError`] if it is empty, too long, or holds a NUL.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        // As every name is that was parsed before.
        let is_upper = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_lowercase());
        let upper = if is_upper { Cow::Borrowed(text) } else { Cow::Owned(text.to_uppercase()) };
        check_name("application name", &upper)?;
        Ok(Self(upper.as_ref().into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An instance's id within its application: case-sensitive, used verbatim.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(ArcStr);

impl InstanceId {
    /// # Errors
    /// [`NameError`] if it is empty, too long, or holds a NUL.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check_name("instance id", text)?;
        Ok(Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! text_like {
    ($name:ident) => {
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}
text_like!(AppName);
text_like!(InstanceId);

/// What identifies a lease: the application and the instance in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub app: AppName,
    pub id: InstanceId,
}

impl Key {
    pub fn new(app: AppName, id: InstanceId) -> Self {
        Self { app, id }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.app, self.id)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn application_names_are_in_capitals_whatever_they_came_in() {
        for (said, kept) in [
            ("demo-1", "DEMO-1"),
            ("DEMO_1", "DEMO_1"),
            ("DEMo", "DEMO"),
            ("ŻÓŁW", "ŻÓŁW"),
            ("żółw", "ŻÓŁW"),
            ("ß", "SS"),
        ] {
            assert_eq!(AppName::parse(said).unwrap().as_str(), kept);
        }
        assert_eq!(AppName::parse(""), Err(NameError::Empty { what: "application name" }));
    }
}
