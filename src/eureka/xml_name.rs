//! XStream's coding of map keys as element names: what an XML name cannot hold is written as `_.`
//! and four hexadecimal digits for each UTF-16 unit, `_` as `__`, `$` as `_-`.
//!
//! More is coded than XStream codes: the colon, which makes a namespace's prefix of what stands before
//! it, and letters that not every parser takes in a name. A parser gives up the whole document for one
//! such name, and with it the registry; XStream's decoder reads all codes alike.

use std::borrow::Cow;

use crate::registry::Metadata;

/// Longest element name written, in characters: the longest that Java's parsers read
/// (`jdk.xml.maxXMLNameLimit`). They give up the whole document for a longer one.
pub const MAX_ELEMENT_NAME_CHARS: usize = 1000;

/// A metadata name is too long for XML, where what is coded takes 6 or 12 characters instead of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a metadata name takes {chars} characters as the name of an XML element; \
     at most {MAX_ELEMENT_NAME_CHARS} are accepted"
)]
pub struct MetadataNameTooLong {
    pub chars: usize,
}

/// The element that stands for the empty key. XStream writes `<>`, which no parser reads; this is
/// the one name that none of its codes gives.
const EMPTY: &str = "_";

/// Refuses metadata that not every reader of XML could read.
///
/// # Errors
/// [`MetadataNameTooLong`] for the first name that is.
pub fn check_metadata_names(metadata: &Metadata) -> Result<(), MetadataNameTooLong> {
    let lengths = metadata.iter().map(|(key, _)| encode(key).chars().count());
    match { lengths }.find(|chars| *chars > MAX_ELEMENT_NAME_CHARS) {
        Some(chars) => Err(MetadataNameTooLong { chars }),
        None => Ok(()),
    }
}

/// The element name for a key.
pub(super) fn encode(key: &str) -> Cow<'_, str> {
    if key.is_empty() {
        return Cow::Borrowed(EMPTY);
    }
    if key.char_indices().all(|(at, character)| stands_for_itself(character, at)) {
        return Cow::Borrowed(key);
    }
    let mut name = String::with_capacity(key.len() + 16);
    for (at, character) in key.char_indices() {
        match character {
            '_' => name.push_str("__"),
            '$' => name.push_str("_-"),
            _ if stands_for_itself(character, at) => name.push(character),
            _ => encode_units(character, &mut name),
        }
    }
    Cow::Owned(name)
}

/// The key that an element name stands for. What is no code of XStream's stands for itself.
pub(super) fn decode(name: &str) -> Cow<'_, str> {
    if !name.contains('_') {
        return Cow::Borrowed(name);
    }
    if name == EMPTY {
        return Cow::Borrowed("");
    }
    let mut units = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('_') {
        units.extend(rest[..at].encode_utf16());
        let (unit, length) = decode_one(&rest[at..]);
        units.push(unit);
        rest = &rest[at + length..];
    }
    units.extend(rest.encode_utf16());
    Cow::Owned(String::from_utf16_lossy(&units))
}

/// The unit that a text starting with `_` gives first, and the bytes it takes there.
fn decode_one(text: &str) -> (u16, usize) {
    match text.as_bytes() {
        [_, b'_', ..] => (u16::from(b'_'), 2),
        [_, b'-', ..] => (u16::from(b'$'), 2),
        [_, b'.', digits @ ..] => match digits.first_chunk::<4>().and_then(hexadecimal) {
            Some(unit) => (unit, 6),
            None => (u16::from(b'_'), 1),
        },
        _ => (u16::from(b'_'), 1),
    }
}

fn hexadecimal(digits: &[u8; 4]) -> Option<u16> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(number * 16 + digit as u16)
    })
}

fn stands_for_itself(character: char, at: usize) -> bool {
    is_name_start(character) || (at > 0 && is_name_rest(character))
}

fn encode_units(character: char, name: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        name.push_str("_.");
        for shift in [12, 8, 4, 0] {
            name.extend(char::from_digit(u32::from(*unit >> shift) & 0xf, 16));
        }
    }
}

/// Letters of the scripts in wide use that every edition of XML 1.0 takes: expat (Python's parser), Go's
/// and Java's know only those of the fourth and before. `_` and `:` are not among them.
fn is_name_start(character: char) -> bool {
    matches!(character,
        'A'..='Z' | 'a'..='z'
        // Latin
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{131}' | '\u{134}'..='\u{13e}'
        | '\u{141}'..='\u{148}' | '\u{14a}'..='\u{17e}'
        // Greek
        | '\u{388}'..='\u{38a}' | '\u{38c}' | '\u{38e}'..='\u{3a1}' | '\u{3a3}'..='\u{3ce}'
        // Cyrillic
        | '\u{401}'..='\u{40c}' | '\u{40e}'..='\u{44f}' | '\u{451}'..='\u{45c}' | '\u{45e}'..='\u{481}'
        // Hebrew, Arabic
        | '\u{5d0}'..='\u{5ea}' | '\u{621}'..='\u{63a}' | '\u{641}'..='\u{64a}'
        // Hiragana, Katakana, Han, Hangul
        | '\u{3041}'..='\u{3094}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fa5}'
        | '\u{ac00}'..='\u{d7a3}')
}

/// What may stand in a name but not at its start.
fn is_name_rest(character: char) -> bool {
    matches!(character, '-' | '.' | '0'..='9')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_the_recorded_names() {
        for (key, name) in [
            ("a b", "a_.0020b"),
            ("$x", "_-x"),
            ("a/b", "a_.002fb"),
            ("a_b", "a__b"),
            ("1abc", "_.0031abc"),
            ("a<b", "a_.003cb"),
            ("my key", "my_.0020key"),
            ("9lives", "_.0039lives"),
            ("management.port", "management.port"),
            ("a-b.c9", "a-b.c9"),
            ("a:b", "a_.003ab"),
            (":", "_.003a"),
            ("xmlns:a", "xmlns_.003aa"),
            ("-x", "_.002dx"),
            ("żółć", "żółć"),
            ("キー", "キ_.30fc"),
            ("☃", "_.2603"),
            ("😀", "_.d83d_.de00"),
            ("a\u{1}\0", "a_.0001_.0000"),
            ("_", "__"),
            ("", "_"),
        ] {
            assert_eq!(encode(key), name);
            assert_eq!(decode(name), key);
        }
    }

    #[test]
    fn every_character_comes_back_from_any_place() {
        for character in ('\0'..='\u{ffff}').chain(['\u{10000}', '😀', char::MAX]) {
            for key in [character.to_string(), format!("a{character}b")] {
                assert_eq!(decode(&encode(&key)), key);
            }
        }
    }

    #[test]
    fn names_are_as_long_as_java_reads_them() {
        let check =
            |key: String| check_metadata_names(&Metadata::from_pairs([("k".to_owned(), ""), (key, "")]));
        assert_eq!(check("a".repeat(1000)), Ok(()));
        assert_eq!(check("ż".repeat(1000)), Ok(()));
        assert_eq!(check("a".repeat(1001)), Err(MetadataNameTooLong { chars: 1001 }));
        assert_eq!(check(" ".repeat(166)), Ok(()));
        assert_eq!(check("😀".repeat(84)), Err(MetadataNameTooLong { chars: 1008 }));
    }

    #[test]
    fn names_that_are_no_code_stand_for_themselves() {
        for name in ["a_x", "x_", "_.", "_.12", "_.12g4", "_.żó"] {
            assert_eq!(decode(name), name);
        }
        assert_eq!(decode("build_._.0041"), "build_.A");
        assert_eq!(decode("_.d83d"), "\u{fffd}");
        assert_eq!(decode("_.00E9"), "é");
        assert_eq!(decode("a:b"), "a:b");
    }
}
