//! XML as XStream prints it: indented by two or all on one line, without a declaration.

use std::io::Write;

/// Appends elements to a buffer.
pub(super) struct XmlWriter<'o> {
    out: &'o mut Vec<u8>,
    /// How deep the next element stands; `None` to write everything on one line.
    level: Option<usize>,
}

impl<'o> XmlWriter<'o> {
    /// Writes indented, the first element at this level.
    pub fn indented(out: &'o mut Vec<u8>, level: usize) -> Self {
        Self { out, level: Some(level) }
    }

    pub fn on_one_line(out: &'o mut Vec<u8>) -> Self {
        Self { out, level: None }
    }

    /// Opens an element that has elements in it; `attributes` starts with a space, or is empty.
    pub fn open(&mut self, name: &str, attributes: &str) {
        self.start_line();
        self.tag(&[b"<", name.as_bytes(), attributes.as_bytes(), b">"]);
        self.end_line();
        self.level = self.level.map(|level| level + 1);
    }

    pub fn close(&mut self, name: &str) {
        self.level = self.level.map(|level| level.saturating_sub(1));
        self.start_line();
        self.tag(&[b"</", name.as_bytes(), b">"]);
        self.end_line();
    }

    /// An element with nothing in it, in its short form.
    pub fn empty(&mut self, name: &str, attributes: &str) {
        self.start_line();
        self.tag(&[b"<", name.as_bytes(), attributes.as_bytes(), b"/>"]);
        self.end_line();
    }

    pub fn text(&mut self, name: &str, text: &str) {
        self.text_with(name, "", text);
    }

    pub fn optional_text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    pub fn number(&mut self, name: &str, number: i64) {
        self.number_with(name, "", number);
    }

    pub fn number_with(&mut self, name: &str, attributes: &str, number: i64) {
        self.start_line();
        self.tag(&[b"<", name.as_bytes(), attributes.as_bytes(), b">"]);
        write!(self.out, "{number}").expect("a Vec takes every write");
        self.tag(&[b"</", name.as_bytes(), b">"]);
        self.end_line();
    }

    fn text_with(&mut self, name: &str, attributes: &str, text: &str) {
        self.start_line();
        self.tag(&[b"<", name.as_bytes(), attributes.as_bytes(), b">"]);
        escape(text, self.out);
        self.tag(&[b"</", name.as_bytes(), b">"]);
        self.end_line();
    }

    fn tag(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.out.extend_from_slice(part);
        }
    }

    fn start_line(&mut self) {
        for _ in 0..self.level.unwrap_or(0) {
            self.out.extend_from_slice(b"  ");
        }
    }

    fn end_line(&mut self) {
        if self.level.is_some() {
            self.out.push(b'\n');
        }
    }
}

/// Appends text, escaped as XStream escapes it. What XML cannot carry at all, not even as a
/// reference, becomes U+FFFD: XStream writes references to it, at which other parsers than its own
/// give up the whole document.
pub(super) fn escape(text: &str, out: &mut Vec<u8>) {
    // Nearly all texts: one look at each byte, many at a time.
    if !text.bytes().fold(false, |found, byte| found | may_need_escape(byte)) {
        return out.extend_from_slice(text.as_bytes());
    }
    let mut clean_from = 0;
    for (at, character) in text.char_indices() {
        let replacement = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&apos;",
            '\r' => "&#xd;",
            '\t' | '\n' => continue,
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}",
            '\u{7f}'..='\u{9f}' => "",
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[clean_from..at]);
        clean_from = at + character.len_utf8();
        if replacement.is_empty() {
            write!(out, "&#x{:x};", u32::from(character)).expect("a Vec takes every write");
        } else {
            out.extend_from_slice(replacement.as_bytes());
        }
    }
    out.extend_from_slice(&text.as_bytes()[clean_from..]);
}

/// Whether a byte is, or begins, something that is not written as it is.
fn may_need_escape(byte: u8) -> bool {
    byte < b' ' || matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'' | 0x7f) || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        escape(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_escaped_as_xstream_does() {
        assert_eq!(escaped("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
        assert_eq!(escaped("it's\r\n\tso"), "it&apos;s&#xd;\n\tso");
        assert_eq!(escaped("żółć ☃ 😀$_"), "żółć ☃ 😀$_");
        assert_eq!(escaped("a\u{7f}\u{85}\u{9f}\u{a0}b"), "a&#x7f;&#x85;&#x9f;\u{a0}b");
    }

    #[test]
    fn characters_are_escaped_also_where_they_stand_alone() {
        let changed: String =
            ('\0'..='\u{9f}').filter(|it| escaped(&it.to_string()) != it.to_string()).collect();
        let controls = |range: std::ops::RangeInclusive<char>| range.filter(|it| !matches!(it, '\t' | '\n'));
        let expected: String =
            controls('\0'..='\u{1f}').chain("\"&'<>".chars()).chain(controls('\u{7f}'..='\u{9f}')).collect();
        assert_eq!(changed, expected);
    }

    #[test]
    fn what_xml_cannot_carry_is_replaced() {
        assert_eq!(escaped("a\0\u{1}\u{1f}\u{fffe}\u{ffff}b"), "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}b");
    }

    #[test]
    fn elements_are_indented_by_two_or_not_at_all() {
        let write = |mut xml: XmlWriter<'_>| {
            xml.open("a", "");
            xml.text("b", "<");
            xml.number_with("c", " d=\"1\"", -5);
            xml.empty("e", " f=\"2\"");
            xml.optional_text("g", None);
            xml.close("a");
        };
        let mut out = Vec::new();
        write(XmlWriter::indented(&mut out, 1));
        let expected = "  <a>\n    <b>&lt;</b>\n    <c d=\"1\">-5</c>\n    <e f=\"2\"/>\n  </a>\n";
        assert_eq!(String::from_utf8_lossy(&out), expected);
        out.clear();
        write(XmlWriter::on_one_line(&mut out));
        assert_eq!(out, b"<a><b>&lt;</b><c d=\"1\">-5</c><e f=\"2\"/></a>");
    }
}
