//! XStream's coding of map keys as element names: what an XML name cannot hold is written as `_.`
//! and four hexadecimal digits for each UTF-16 unit, `_` as `__`, `$` as `_-`.

use std::borrow::Cow;

/// The element that stands for the empty key. XStream writes `<>`, which no parser reads; this is
/// the one name that none of its codes gives.
const EMPTY: &str = "_";

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

/// NameStartChar of XML 1.0 but `_`, within the plane that XStream, working on UTF-16 units, can tell.
fn is_name_start(character: char) -> bool {
    matches!(character,
        ':' | 'A'..='Z' | 'a'..='z'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
        | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fffd}')
}

/// What NameChar adds to NameStartChar.
fn is_name_rest(character: char) -> bool {
    matches!(character,
        '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
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
            ("a-b:c9", "a-b:c9"),
            ("-x", "_.002dx"),
            ("żółć", "żółć"),
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
    fn names_that_are_no_code_stand_for_themselves() {
        for name in ["a_x", "x_", "_.", "_.12", "_.12g4", "_.żó"] {
            assert_eq!(decode(name), name);
        }
        assert_eq!(decode("build_._.0041"), "build_.A");
        assert_eq!(decode("_.d83d"), "\u{fffd}");
        assert_eq!(decode("_.00E9"), "é");
    }
}
