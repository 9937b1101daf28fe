//! Values as documents and paths spell them.

use proptest::prelude::*;
use proptest::sample::select;

/// A scalar of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    Text(String),
    /// A number, a boolean or null in JSON's own spelling; the same as text in XML.
    Bare(&'static str),
}

impl Scalar {
    pub fn json(&self) -> String {
        match self {
            Scalar::Text(text) => quoted(text),
            Scalar::Bare(word) => (*word).to_owned(),
        }
    }

    /// As XML's text; `None` for null, which XML says by saying nothing.
    pub fn xml(&self) -> Option<String> {
        match self {
            Scalar::Text(text) => Some(escaped(text)),
            Scalar::Bare("null") => None,
            Scalar::Bare(word) => Some((*word).to_owned()),
        }
    }
}

pub fn text(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}

/// A JSON string.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// XML's text; what XML cannot hold stands as a reference, or as it is.
fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).replace('\u{1}', "&#x1;")
}

/// The element that stands for a metadata key, as XStream names it.
pub fn element_name(key: &str) -> String {
    let mut name = String::new();
    for character in key.chars() {
        match character {
            '_' => name.push_str("__"),
            '$' => name.push_str("_-"),
            'a'..='z' | 'A'..='Z' => name.push(character),
            '0'..='9' | '-' | '.' if !name.is_empty() => name.push(character),
            _ => {
                let units = character.encode_utf16(&mut [0; 2]).to_vec();
                name.extend(units.into_iter().map(|unit| format!("_.{unit:04x}")));
            }
        }
    }
    name
}

/// A path's segment or a query's name or value, every character but letters and digits encoded.
pub fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A status, or what is taken for one.
pub fn statuses() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just("UP"),
        3 => Just("OUT_OF_SERVICE"),
        3 => Just("DOWN"),
        2 => Just("STARTING"),
        1 => Just("UNKNOWN"),
    ]
}

/// [`statuses`], and words that are none.
pub fn status_words() -> impl Strategy<Value = &'static str> {
    prop_oneof![12 => statuses(), 1 => select(vec!["up", "FOO", ""])]
}

/// Any text that a client may put in a member.
pub fn texts() -> impl Strategy<Value = Scalar> {
    let odd =
        vec!["", " x ", "żółw ☃ 𝄞", "<a & \"b\">'", "tab\tand\nline", "\u{1}", "\u{ffff}", "na", "unknown"];
    prop_oneof![
        6 => select(vec!["x", "http://host.local:8080/?a=1&b=2", "Group-ß"]).prop_map(text),
        3 => select(odd).prop_map(text),
        1 => select(vec!["null", "5", "1.50", "1e3", "true", "false"]).prop_map(Scalar::Bare),
    ]
}
