//! Registrations in XML.

use rs_registry::eureka::{RequestFormat, decode_document};

use super::{MOST_BODY_BYTES, Shape, filled};

/// Opens an instance that has all it needs; an element may follow.
const OPEN: &str = "<instance><app>a</app><hostName>h</hostName><ipAddr>i</ipAddr><dataCenterInfo><name>MyOwn</name></dataCenterInfo>";
const CLOSE: &str = "</instance>";

pub fn shapes() -> Vec<Shape> {
    [elements(), texts(), broken()].into_iter().flatten().collect()
}

fn document(name: &'static str, input: fn(usize) -> Vec<u8>) -> Shape {
    let read = |input: &[u8]| {
        let Ok(document) = decode_document(RequestFormat::Xml, input) else { return false };
        document.into_registration("a").is_ok()
    };
    Shape { name, most: MOST_BODY_BYTES, input, read, taken: true }
}

fn elements() -> Vec<Shape> {
    vec![
        document("XML: unknown elements", |n| filled(n, OPEN, |i| format!("<k{i}/>"), CLOSE)),
        document("XML: a text repeated", |n| {
            filled(n, OPEN, |_| "<vipAddress>v</vipAddress>".to_owned(), CLOSE)
        }),
        document("XML: ports repeated", |n| {
            filled(n, OPEN, |_| "<port enabled='true'>1</port>".to_owned(), CLOSE)
        }),
        document("XML: metadata repeated", |n| {
            filled(n, OPEN, |_| "<metadata><k>v</k></metadata>".to_owned(), CLOSE)
        }),
        document("XML: metadata of many names", |n| metadata(n, |i| format!("<k{i:x}/>"))),
        document("XML: metadata of one name", |n| metadata(n, |_| "<k/>".to_owned())),
        document("XML: metadata of names of codes", |n| {
            metadata(n, |i| format!("<k{i}{}/>", "__".repeat(100)))
        }),
        document("XML: metadata of @class", |n| metadata(n, |_| "<_.0040class/>".to_owned())),
        document("XML: metadata with elements in it", |n| metadata(n, |_| "<k>a<b>c</b>d</k>".to_owned())),
        document("XML: data centers repeated", |n| {
            let one = "<dataCenterInfo><name>Amazon</name><metadata><k/></metadata></dataCenterInfo>";
            filled(n, OPEN, |_| one.to_owned(), CLOSE)
        }),
        document("XML: nested and wide", |n| {
            filled(n, OPEN, |_| format!("{}{}", "<a>".repeat(30), "</a>".repeat(30)), CLOSE)
        }),
        document("XML: attributes", |n| {
            filled(n, &format!("{OPEN}<port"), |i| format!(" a{i}='b'"), ">1</port></instance>")
        }),
        document("XML: attributes of one name", |n| {
            filled(n, &format!("{OPEN}<port"), |_| " enabled='&lt;'".to_owned(), ">1</port></instance>")
        }),
        document("XML: an attribute of references", |n| {
            filled(n, &format!("{OPEN}<port enabled='"), |_| "&#65;".to_owned(), "'>1</port></instance>")
        }),
        document("XML: namespaces", |n| {
            filled(n, &format!("{OPEN}<a"), |i| format!(" xmlns:n{i}='b'"), "/></instance>")
        }),
        document("XML: an element's long name", |n| {
            filled(n, &format!("{OPEN}<"), |_| "a:_.0041".to_owned(), "/></instance>")
        }),
        document("XML: comments", |n| filled(n, OPEN, |_| "<!---->".to_owned(), CLOSE)),
        document("XML: a comment of minus signs", |n| {
            filled(n, &format!("{OPEN}<!-- "), |_| "- ".to_owned(), " --></instance>")
        }),
        document("XML: instructions", |n| filled(n, OPEN, |_| "<?a?>".to_owned(), CLOSE)),
        document("XML: an instruction of question marks", |n| {
            filled(n, &format!("{OPEN}<?a "), |_| "?".to_owned(), "?></instance>")
        }),
        document("XML: space", |n| filled(n, OPEN, |_| " \r\n".to_owned(), CLOSE)),
        document("XML: space before the root", |n| {
            filled(n, "", |_| "\n".to_owned(), &format!("{OPEN}{CLOSE}"))
        }),
        document("XML: space after the root", |n| {
            filled(n, &format!("{OPEN}{CLOSE}"), |_| "\n".to_owned(), "")
        }),
        document("XML: space in a tag", |n| {
            filled(n, &format!("{OPEN}<a"), |_| " ".to_owned(), "/></instance>")
        }),
    ]
}

fn texts() -> Vec<Shape> {
    vec![
        document("XML: a long text", |n| text(n, "x")),
        document("XML: a text of entities", |n| text(n, "&lt;")),
        document("XML: a text of references", |n| text(n, "&#65;")),
        document("XML: a text of line ends", |n| text(n, "\r\n\r")),
        document("XML: a text of comments", |n| text(n, "x<!---->")),
        document("XML: a text of elements", |n| text(n, "x<a/>")),
        document("XML: a text of CDATA", |n| text(n, "<![CDATA[x]]>")),
        document("XML: a text of one CDATA", |n| {
            filled(
                n,
                &format!("{OPEN}<homePageUrl><![CDATA["),
                |_| "]] ]>".to_owned(),
                "]]></homePageUrl></instance>",
            )
        }),
        document("XML: a long reference", |n| {
            filled(n, &format!("{OPEN}<homePageUrl>&#"), |_| "0".to_owned(), "65;</homePageUrl></instance>")
        }),
        document("XML: capitals that grow", |n| {
            filled(n, &format!("{OPEN}<status>"), |_| "ΐ".to_owned(), "</status></instance>")
        }),
        document("XML: a time of digits", |n| {
            filled(
                n,
                &format!("{OPEN}<lastDirtyTimestamp>1."),
                |_| "0".to_owned(),
                "</lastDirtyTimestamp></instance>",
            )
        }),
    ]
}

fn broken() -> Vec<Shape> {
    let shape = |name, input| Shape { taken: false, ..document(name, input) };
    vec![
        shape("XML: less-than signs", |n| vec![b'<'; n]),
        shape("XML: open elements", |n| filled(n, "", |_| "<a>".to_owned(), "")),
        shape("XML: ampersands", |n| filled(n, OPEN, |_| "&".to_owned(), CLOSE)),
        shape("XML: an open reference", |n| filled(n, &format!("{OPEN}&"), |_| "a".to_owned(), "")),
        shape("XML: an open comment", |n| filled(n, &format!("{OPEN}<!--"), |_| "--".to_owned(), "")),
        shape("XML: an open CDATA", |n| filled(n, &format!("{OPEN}<![CDATA["), |_| "]]".to_owned(), "")),
        shape("XML: an open instruction", |n| filled(n, "<?", |_| "a".to_owned(), "")),
        shape("XML: an open tag", |n| filled(n, &format!("{OPEN}<a"), |_| " b='<'".to_owned(), "")),
        shape("XML: an open quote", |n| filled(n, &format!("{OPEN}<a b='"), |_| ">".to_owned(), "")),
        shape("XML: a document type of brackets", |n| filled(n, "<!DOCTYPE a [", |_| "<[\"'".to_owned(), "")),
        shape("XML: a document type of entities", |n| {
            filled(n, "<!DOCTYPE a [", |i| format!("<!ENTITY e{i} '&e{};'>", i.saturating_sub(1)), "]><a/>")
        }),
        shape("XML: closing tags", |n| filled(n, OPEN, |_| "</a>".to_owned(), "")),
        shape("XML: a wrong end", |n| filled(n, OPEN, |i| format!("<k{i}/>"), "</b>")),
        shape("XML: a foreign entity at the end", |n| {
            filled(n, OPEN, |_| "&lt;".to_owned(), "&a;</instance>")
        }),
        shape("XML: a metadata name of codes", |n| {
            filled(n, &format!("{OPEN}<metadata><a"), |_| "__".to_owned(), "/></metadata></instance>")
        }),
    ]
}

fn metadata(length: usize, pair: fn(usize) -> String) -> Vec<u8> {
    filled(length, &format!("{OPEN}<metadata>"), pair, "</metadata></instance>")
}

fn text(length: usize, piece: &str) -> Vec<u8> {
    filled(length, &format!("{OPEN}<homePageUrl>"), |_| piece.to_owned(), "</homePageUrl></instance>")
}
