//! XML one node at a time, with everything refused that makes XML a danger: document types, entities
//! of one's own, depth. Comments and processing instructions are skipped.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::decode::{DecodeError, MAX_DEPTH};

pub(super) enum Node<'a> {
    Open(BytesStart<'a>),
    Text(Cow<'a, str>),
    Close,
}

pub(super) struct XmlPull<'a> {
    reader: Reader<&'a [u8]>,
    depth: usize,
}

impl<'a> XmlPull<'a> {
    /// # Errors
    /// When the text holds a character that XML cannot.
    pub fn new(text: &'a str) -> Result<Self, DecodeError> {
        // Nearly all bodies: one look at each byte, many at a time.
        if text.bytes().fold(false, |found, byte| found | may_be_no_xml(byte))
            && let Some(character) = text.chars().find(|character| !is_xml(*character))
        {
            return Err(not_xml(character));
        }
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Ok(Self { reader, depth: 0 })
    }

    /// The start of the root element.
    pub fn root(&mut self) -> Result<BytesStart<'a>, DecodeError> {
        loop {
            match self.next()? {
                Node::Open(start) => return Ok(start),
                Node::Text(text) if text.trim().is_empty() => {}
                Node::Text(_) | Node::Close => {
                    return Err(DecodeError::Xml("text stands before the root element".to_owned()));
                }
            }
        }
    }

    pub fn next(&mut self) -> Result<Node<'a>, DecodeError> {
        loop {
            return Ok(match self.reader.read_event().map_err(malformed)? {
                Event::Start(start) | Event::Empty(start) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(DecodeError::TooDeep);
                    }
                    if start.name().as_ref().is_empty() {
                        return Err(DecodeError::Xml("an element has no name".to_owned()));
                    }
                    check_attributes(&start)?;
                    Node::Open(start)
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Node::Close
                }
                Event::Text(text) => Node::Text(text.xml10_content()),
                Event::CData(text) => Node::Text(text.xml10_content()),
                Event::GeneralRef(reference) => Node::Text(resolve(&reference)?),
                Event::DocType(_) => return Err(DecodeError::DocumentType),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => continue,
                Event::Eof => return Err(DecodeError::Xml("it ends within an element".to_owned())),
            });
        }
    }

    /// The text up to the end of the element just opened, without that of elements within it.
    pub fn text(&mut self) -> Result<String, DecodeError> {
        let mut whole = String::new();
        loop {
            match self.next()? {
                Node::Text(text) => whole.push_str(&text),
                Node::Open(_) => self.skip()?,
                Node::Close => return Ok(whole),
            }
        }
    }

    /// The rest of the document after its root element, in which there may be nothing to read.
    pub fn finish(&mut self) -> Result<(), DecodeError> {
        loop {
            match self.reader.read_event().map_err(malformed)? {
                Event::Eof => return Ok(()),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if text.trim().is_empty() => {}
                Event::DocType(_) => return Err(DecodeError::DocumentType),
                _ => return Err(DecodeError::Xml("something stands after the root element".to_owned())),
            }
        }
    }

    /// Passes over the rest of the element just opened.
    pub fn skip(&mut self) -> Result<(), DecodeError> {
        let mut open = 1usize;
        while open > 0 {
            match self.next()? {
                Node::Open(_) => open += 1,
                Node::Close => open -= 1,
                Node::Text(_) => {}
            }
        }
        Ok(())
    }
}

/// The value of an attribute, if the element has it; the last of several.
pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, DecodeError> {
    let mut found = None;
    // Unchecked, for the check for duplicates compares each attribute with all before it.
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| DecodeError::Xml(error.to_string()))?;
        if attribute.key.as_ref() == name {
            let value =
                attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| DecodeError::Entity)?;
            found = Some(value.into_owned());
        }
    }
    Ok(found)
}

/// Refuses references in attributes too, also in those that nobody reads.
fn check_attributes(start: &BytesStart<'_>) -> Result<(), DecodeError> {
    if !start.attributes_raw().contains('&') {
        return Ok(());
    }
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| DecodeError::Xml(error.to_string()))?;
        attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| DecodeError::Entity)?;
    }
    Ok(())
}

fn resolve<'a>(reference: &BytesRef<'_>) -> Result<Cow<'a, str>, DecodeError> {
    match reference.resolve_char_ref().map_err(malformed)? {
        Some(character) if is_xml(character) => Ok(Cow::Owned(character.to_string())),
        Some(character) => Err(not_xml(character)),
        None => resolve_xml_entity(reference).map(Cow::Borrowed).ok_or(DecodeError::Entity),
    }
}

/// Whether XML 1.0 can hold a character, as it is or as a reference.
fn is_xml(character: char) -> bool {
    !matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether a byte is, or begins, a character that XML cannot hold. Line ends and tabs are in most bodies.
fn may_be_no_xml(byte: u8) -> bool {
    const FIRST_OF_U_FFFE: u8 = 0xef;
    (byte < b' ' && byte != b'\t' && byte != b'\n' && byte != b'\r') || byte == FIRST_OF_U_FFFE
}

fn not_xml(character: char) -> DecodeError {
    DecodeError::Xml(format!("U+{:04X} is no character of XML", u32::from(character)))
}

fn malformed(error: quick_xml::Error) -> DecodeError {
    DecodeError::Xml(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(xml: &str) -> Result<String, DecodeError> {
        let mut pull = XmlPull::new(xml)?;
        pull.root()?;
        let text = pull.text()?;
        pull.finish().map(|()| text)
    }

    #[test]
    fn text_is_put_together_from_its_parts() {
        let xml = "<?xml version=\"1.0\"?>\n<!-- c --><a>x&lt;&#65;&#x142;<!-- c --><![CDATA[<&]]><b>no</b>\r\ny<c/></a>";
        assert_eq!(text_of(xml).as_deref(), Ok("x<Ał<&\ny"));
        assert_eq!(text_of("<a/>").as_deref(), Ok(""));
        assert_eq!(text_of("<a> x </a> <!-- c --><?p?>\n").as_deref(), Ok(" x "));
        assert_eq!(text_of("<a>&#xd;&quot;&apos;&gt;&amp;</a>").as_deref(), Ok("\r\"'>&"));
    }

    #[test]
    fn document_types_and_foreign_entities_are_refused() {
        let billion = "<!DOCTYPE a [<!ENTITY x \"&y;&y;\">]><a>&x;</a>";
        assert_eq!(text_of(billion), Err(DecodeError::DocumentType));
        for xml in ["<a><!DOCTYPE a></a>", "<a/><!DOCTYPE a>"] {
            assert_eq!(text_of(xml), Err(DecodeError::DocumentType), "{xml}");
        }
        for xml in ["<a>&x;</a>", "<a b='&x;'/>", "<a><b><c>&nbsp;</c></b></a>", "<a><b c=\"&x;\"/></a>"] {
            assert_eq!(text_of(xml), Err(DecodeError::Entity), "{xml}");
        }
        for xml in ["<a>&#0;</a>", "<a>&#xd800;</a>", "<a>&#x110000;</a>", "<a>a & b</a>", "<a>&"] {
            assert!(matches!(text_of(xml), Err(DecodeError::Xml(_))), "{xml}");
        }
    }

    #[test]
    fn characters_that_xml_cannot_hold_are_refused() {
        for character in ['\u{1}', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
            let code = u32::from(character);
            for xml in [
                format!("<a>{character}</a>"),
                format!("<a>&#{code};</a>"),
                format!("<a b=\"{character}\"/>"),
                format!("<a><!-- {character} --></a>"),
                format!("<a><b><c>&#x{code:x};</c></b></a>"),
            ] {
                assert!(matches!(text_of(&xml), Err(DecodeError::Xml(_))), "{xml:?}");
            }
        }
        assert_eq!(
            text_of("<a>\t\n&#xd;\u{7f}\u{85}\u{fffd}𝄞</a>").as_deref(),
            Ok("\t\n\r\u{7f}\u{85}\u{fffd}𝄞")
        );
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert_eq!(text_of(&nested(MAX_DEPTH)).as_deref(), Ok(""));
        assert_eq!(text_of(&nested(MAX_DEPTH + 1)), Err(DecodeError::TooDeep));
        assert_eq!(text_of(&"<a>".repeat(300_000)), Err(DecodeError::TooDeep));
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for xml in [
            "",
            "x<a/>",
            "<a>",
            "<a></b>",
            "</a>",
            "<a><b></a>",
            "<a",
            "<!--",
            "<a><![CDATA[</a>",
            "<a/>x",
            "<a/><a/>",
            "<a/></a>",
            "<a/>&lt;",
        ] {
            assert!(matches!(text_of(xml), Err(DecodeError::Xml(_))), "{xml}");
        }
    }

    #[test]
    fn attributes_are_found_whatever_else_there_is() {
        let mut pull = XmlPull::new("<a x='1' enabled = \"tr&#117;e\" enabled='false' z=\"'\"/>").unwrap();
        let start = pull.root().unwrap();
        assert_eq!(attribute(&start, "enabled"), Ok(Some("false".to_owned())));
        assert_eq!(attribute(&start, "z"), Ok(Some("'".to_owned())));
        assert_eq!(attribute(&start, "y"), Ok(None));
        let mut pull = XmlPull::new("<a enabled/>").unwrap();
        let start = pull.root().unwrap();
        assert!(matches!(attribute(&start, "enabled"), Err(DecodeError::Xml(_))));
    }
}
