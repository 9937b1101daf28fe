//! JSON one level at a time: a value stays the text it was sent as until someone asks what it is.
//! So numbers keep their spelling, what nobody asks for costs one look, and nothing recurses.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::decode::{DecodeError, MAX_DEPTH};

/// A JSON value as it stands in the body, without surrounding space.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a>(&'a str);

/// The first value of a body, once its nesting is known to be bounded. Nothing after it is read.
pub(super) fn root(text: &str) -> Result<Value<'_>, DecodeError> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r']);
    if text.starts_with(['{', '['])
        && let Some(len) = nested_len(text)?
    {
        // Whether it is well-formed is found out when its members are read, all of which are.
        return Ok(Value(&text[..len]));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let raw: &RawValue = serde::Deserialize::deserialize(&mut deserializer).map_err(malformed)?;
    Ok(Value(raw.get()))
}

impl<'a> Value<'a> {
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    fn is_array(self) -> bool {
        self.0.starts_with('[')
    }

    fn is_string(self) -> bool {
        self.0.starts_with('"')
    }

    /// Any scalar as text; null as none. `member` names the value in the error.
    pub fn text(self, member: &str) -> Result<Option<Cow<'a, str>>, DecodeError> {
        if self.is_null() {
            return Ok(None);
        }
        if self.is_object() || self.is_array() {
            return Err(DecodeError::wrong_type(member, "a text"));
        }
        self.unquoted().map(Some)
    }

    /// Any value as text: a string as what it says, everything else as its JSON.
    pub fn unquoted(self) -> Result<Cow<'a, str>, DecodeError> {
        if !self.is_string() {
            return Ok(Cow::Borrowed(self.0));
        }
        serde_json::Deserializer::from_str(self.0).deserialize_str(Text).map_err(malformed)
    }

    /// Whether this says yes: `true`, that word in small letters, or a number other than 0.
    pub fn is_yes(self) -> Result<bool, DecodeError> {
        if self.is_string() {
            return Ok(self.unquoted()?.trim() == "true");
        }
        Ok(self.0 == "true" || integer(self.0) != 0)
    }

    /// Calls `each` with the members of this object in order, until it fails. `member` names the
    /// object in the error.
    pub fn each_member(
        self,
        member: &str,
        each: impl FnMut(Cow<'a, str>, Value<'a>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        if !self.is_object() {
            return Err(DecodeError::wrong_type(member, "an object"));
        }
        let mut failure = None;
        let visitor = Members { each, failure: &mut failure };
        let result = serde_json::Deserializer::from_str(self.0).deserialize_map(visitor);
        failure.map_or_else(|| result.map_err(malformed), Err)
    }

    /// Calls `each` with the elements of this array in order, until it fails. `member` names the
    /// array in the error.
    pub fn each_element(
        self,
        member: &str,
        each: impl FnMut(Value<'a>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        if !self.is_array() {
            return Err(DecodeError::wrong_type(member, "an array"));
        }
        let mut failure = None;
        let visitor = Elements { each, failure: &mut failure };
        let result = serde_json::Deserializer::from_str(self.0).deserialize_seq(visitor);
        failure.map_or_else(|| result.map_err(malformed), Err)
    }
}

/// The whole number a text or number gives, as Jackson takes it: fractions are cut off, what is out
/// of range becomes the nearest bound, and what is no number 0.
pub(super) fn integer(text: &str) -> i64 {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return number;
    }
    // `f64` also reads words such as `inf`, which no JSON number is.
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    match text.parse::<f64>() {
        Ok(number) if numeric => number as i64,
        _ => 0,
    }
}

/// How long the object or array is that a text starts with, if it is whole, though perhaps malformed. Refuses
/// one that is nested too deeply, before anything else looks at it.
fn nested_len(text: &str) -> Result<Option<usize>, DecodeError> {
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(found) =
        bytes[at..].iter().position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']'))
    {
        at += found + 1;
        match bytes[at - 1] {
            b'"' => match string_len(&bytes[at..]) {
                Some(len) => at += len,
                None => return Ok(None),
            },
            b'{' | b'[' if depth == MAX_DEPTH => return Err(DecodeError::TooDeep),
            b'{' | b'[' => depth += 1,
            _ if depth <= 1 => return Ok(Some(at)),
            _ => depth -= 1,
        }
    }
    Ok(None)
}

/// How long the rest of a string is after its opening quote, with the closing one.
fn string_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn malformed(error: serde_json::Error) -> DecodeError {
    DecodeError::Json(error.to_string())
}

/// Reads a string, borrowed from the body where nothing in it is escaped.
struct Text;

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

struct Members<'f, F> {
    each: F,
    failure: &'f mut Option<DecodeError>,
}

impl<'de, F> Visitor<'de> for Members<'_, F>
where
    F: FnMut(Cow<'de, str>, Value<'de>) -> Result<(), DecodeError>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key_seed(Text)? {
            let value: &'de RawValue = members.next_value()?;
            if let Err(error) = (self.each)(name, Value(value.get())) {
                *self.failure = Some(error);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

struct Elements<'f, F> {
    each: F,
    failure: &'f mut Option<DecodeError>,
}

impl<'de, F> Visitor<'de> for Elements<'_, F>
where
    F: FnMut(Value<'de>) -> Result<(), DecodeError>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while let Some(value) = elements.next_element::<&'de RawValue>()? {
            if let Err(error) = (self.each)(Value(value.get())) {
                *self.failure = Some(error);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_keep_their_spelling() {
        let text = |json| root(json).unwrap().text("x").unwrap().map(Cow::into_owned);
        assert_eq!(text(r#" "a\u017c\"b" tail"#).as_deref(), Some("aż\"b"));
        for number in ["1.10", "1e3", "123456789012345678901234567890", "-0", "true"] {
            assert_eq!(text(number).as_deref(), Some(number));
        }
        assert_eq!(text("null"), None);
        assert!(root("{}").unwrap().text("x").is_err());
        assert!(root("[]").unwrap().text("x").is_err());
    }

    #[test]
    fn numbers_are_read_as_jackson_reads_them() {
        for (text, expected) in [
            ("8080", 8080),
            (" 45 ", 45),
            ("-5", -5),
            ("1.9", 1),
            ("1e3", 1000),
            ("abc", 0),
            ("", 0),
            ("inf", 0),
            ("NaN", 0),
            ("true", 0),
            ("99999999999999999999", i64::MAX),
            ("-99999999999999999999", i64::MIN),
        ] {
            assert_eq!(integer(text), expected, "{text:?}");
        }
    }

    #[test]
    fn yes_is_true_or_a_number_other_than_none() {
        for (json, expected) in [
            ("true", true),
            ("\"true\"", true),
            ("\" true \"", true),
            ("\"True\"", false),
            ("1", true),
            ("-1", true),
            ("false", false),
            ("0", false),
            ("\"yes\"", false),
            ("\"1\"", false),
            ("\"\"", false),
        ] {
            assert_eq!(root(json).unwrap().is_yes(), Ok(expected), "{json}");
        }
    }

    #[test]
    fn members_come_in_order_until_one_fails() {
        let value = root(r#"{"a":1,"b":[{}],"a":"\n","c":2}"#).unwrap();
        let mut seen = Vec::new();
        let result = value.each_member("x", |name, value| {
            if name == "c" {
                return Err(DecodeError::MissingApp);
            }
            seen.push(format!("{name}={}", value.unquoted()?));
            Ok(())
        });
        assert_eq!(result, Err(DecodeError::MissingApp));
        assert_eq!(seen, ["a=1", "b=[{}]", "a=\n"]);
    }

    #[test]
    fn depth_is_bounded_and_brackets_in_strings_do_not_count() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(root(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(root(&nested(MAX_DEPTH + 1)).unwrap_err(), DecodeError::TooDeep);
        assert_eq!(root(&"{\"a\":".repeat(200_000)).unwrap_err(), DecodeError::TooDeep);
        let quoted = format!(r#"{{"\"{0}":"{0}\\"}}"#, "[".repeat(100));
        assert!(root(&quoted).is_ok());
        assert!(root(&format!("{{}}{}", "[".repeat(100))).is_ok());
    }

    #[test]
    fn a_value_ends_where_its_brackets_do() {
        for (text, len) in [
            (r#"{}"#, Some(2)),
            (r#"{"a":[{}]} }"#, Some(10)),
            (r#"["]\"]\\"]]"#, Some(10)),
            (r#"{"a":1] }"#, Some(7)),
            (r#"{"a":{}"#, None),
            (r#"{"a"#, None),
            (r#"{"a\"#, None),
            (r#"{"a\\"#, None),
            ("{", None),
        ] {
            assert_eq!(nested_len(text), Ok(len), "{text}");
        }
        for text in [r#"{"a":1] }"#, "{]}", "[}", r#"{"a":1,}"#, r#"{"a" 1}"#] {
            let value = root(text).unwrap();
            let result = match value.is_object() {
                true => value.each_member("x", |_, _| Ok(())),
                false => value.each_element("x", |_| Ok(())),
            };
            assert!(matches!(result, Err(DecodeError::Json(_))), "{text}");
        }
    }

    #[test]
    fn malformed_values_are_errors() {
        for json in ["", "{", "[1", "\"", "nul", "{\"a\"}", "\"\\x\"", "\"\u{1}\""] {
            let result = root(json).and_then(|value| {
                if value.is_object() {
                    return value.each_member("x", |_, _| Ok(()));
                }
                value.unquoted().map(drop)
            });
            assert!(matches!(result, Err(DecodeError::Json(_))), "{json:?} {result:?}");
        }
    }
}
