//! Formats: numbers for the form in which a cluster writes its log and its disks, and its nodes speak to each other.
//!
//! A program reads a range of them. A cluster writes one at a time, which is a part of the replicated state: the
//! first, until every member reads a newer one and the leader raises it by a command in the log. Until then any node
//! may go back to the program it had before.
//!
//! What a program of an older format would take for something else, or could not read, needs a new one. A field that
//! it may leave out of account does not.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Format(u32);

impl Format {
    pub const FIRST: Self = Self(1);

    /// A format as it is stored and sent, where the first one is left out.
    pub fn from_stored(number: u32) -> Self {
        Self(number).max(Self::FIRST)
    }

    pub fn to_stored(self) -> u32 {
        if self == Self::FIRST { 0 } else { self.0 }
    }

    pub fn number(self) -> u32 {
        self.0
    }
}

impl Default for Format {
    fn default() -> Self {
        Self::FIRST
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The formats that a program reads, each of which it can also write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formats {
    oldest: Format,
    newest: Format,
}

/// Why something is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    #[error(
        "{what} is of format {found}, and this program reads none newer than {newest}: start the newer program that the \
         cluster runs"
    )]
    Newer { what: &'static str, found: Format, newest: Format },
    #[error(
        "{what} is of format {found}, and this program reads none older than {oldest}: upgrade by way of a version that \
         reads both"
    )]
    Older { what: &'static str, found: Format, oldest: Format },
}

impl Default for Formats {
    fn default() -> Self {
        Self::THIS
    }
}

impl Formats {
    /// Those of this program.
    pub const THIS: Self = Self { oldest: Format::FIRST, newest: Format::FIRST };

    /// Those of this program and one more: what the program after the next change of the format will read.
    #[must_use]
    pub fn and_the_next(self) -> Self {
        Self { newest: Format(self.newest.0 + 1), ..self }
    }

    pub fn from_stored(oldest: u32, newest: u32) -> Self {
        Self { oldest: Format::from_stored(oldest), newest: Format::from_stored(newest) }
    }

    pub fn oldest(self) -> Format {
        self.oldest
    }

    pub fn newest(self) -> Format {
        self.newest
    }

    /// # Errors
    /// [`FormatError`] if a program of these formats does not read `what`, which is of the format `found`.
    pub fn check(self, what: &'static str, found: Format) -> Result<(), FormatError> {
        if found > self.newest {
            return Err(FormatError::Newer { what, found, newest: self.newest });
        }
        if found < self.oldest {
            return Err(FormatError::Older { what, found, oldest: self.oldest });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_the_range_is_refused_with_the_way_out() {
        let two = Format::from_stored(2);
        let both = Formats::default().and_the_next();
        assert_eq!(both.check("it", Format::FIRST), Ok(()));
        assert_eq!(both.check("it", two), Ok(()));
        let newer = Formats::default().check("the snapshot", two).expect_err("newer").to_string();
        assert!(newer.starts_with("the snapshot is of format 2"), "{newer}");
        assert!(newer.contains("start the newer program"), "{newer}");
        let older = Formats::from_stored(2, 3).check("the snapshot", Format::FIRST).expect_err("older");
        assert!(older.to_string().contains("by way of a version that reads both"), "{older}");
    }

    #[test]
    fn the_first_format_is_what_was_stored_without_one() {
        assert_eq!(Format::from_stored(0), Format::FIRST);
        assert_eq!(Format::FIRST.to_stored(), 0);
        assert_eq!(Format::from_stored(2).to_stored(), 2);
    }
}
