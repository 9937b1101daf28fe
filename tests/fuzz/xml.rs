//! Instances in XML as text, with all that may stand between the text of an element.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::json::words;

const TEXTS: &str = "instanceId hostName ipAddr sid app appGroupName homePageUrl vipAddress secureVipAddress \
     asgName status overriddenstatus overriddenStatus lastDirtyTimestamp unknown";
/// Of which not every text is a good one.
const OTHERS: &str = "port securePort countryId leaseInfo durationInSecs name metadata dataCenterInfo";
const KEYS: &str = "a a:b xmlns xmlns:a _ __ _- _. _.003a _.d83d_.de00 _.d83d _.0000 _.fffe ż ĳ a.b-c instanceId \
     instance-id _.0040class metadata 1 a=b";
/// What may stand in any text.
const GOOD: [&str; 26] = [
    "a",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\u{1}",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{fffe}",
    "\u{feff}",
    "😀",
    "&lt;",
    "&amp;",
    "&#65;",
    "&#xd;",
    "&#x1;",
    "&#xFFFE;",
    "<!-- c -->",
    "<![CDATA[<&]]>",
    "<![CDATA[\r\n]]>",
    "<?p i?>",
    "<x/>",
    "]]>",
    "UP",
    "1e9",
];
const BAD: [&str; 6] = ["&#0;", "&nope;", "&", "</a>", "<", "<!DOCTYPE a>"];

pub fn registration() -> impl Strategy<Value = String> {
    let needed = [
        "<app>fuzz</app>",
        "<hostName>h</hostName>",
        "<ipAddr>10.0.0.1</ipAddr>",
        "<dataCenterInfo class=\"c\"><name>MyOwn</name></dataCenterInfo>",
    ];
    let elements = vec(element(), 0..8).prop_map(move |elements| {
        let needed = needed.iter().map(|element| (*element).to_owned());
        needed.chain(elements).collect::<Vec<String>>()
    });
    let around = || {
        let good = select(vec!["", " ", "<!-- c -->", "<?p?>"]);
        prop_oneof![20 => good, 1 => select(vec!["<!DOCTYPE a>", "x", "<a/>"])]
    };
    (elements.prop_shuffle(), around(), around()).prop_map(|(elements, before, after)| {
        format!("{before}<instance>{}</instance>{after}", elements.concat())
    })
}

fn element() -> impl Strategy<Value = String> {
    let whole =
        |(name, attributes, inner): (&str, &str, String)| format!("<{name}{attributes}>{inner}</{name}>");
    let number = any::<i32>().prop_map(|number| number.to_string());
    let within =
        |(outer, name, text): (&str, &str, String)| format!("<{outer}><{name}>{text}</{name}></{outer}>");
    prop_oneof![
        12 => (words(TEXTS), attributes(), text()).prop_map(whole),
        4 => (words("port securePort countryId"), attributes(), number).prop_map(whole),
        8 => metadata(),
        2 => metadata().prop_map(|pairs| format!("<dataCenterInfo><name>Amazon</name>{pairs}</dataCenterInfo>")),
        2 => (Just("leaseInfo"), words("durationInSecs renewalIntervalInSecs"), text()).prop_map(within),
        1 => (words(OTHERS), attributes(), text()).prop_map(whole),
        1 => (words(OTHERS), words(OTHERS), text()).prop_map(within),
    ]
}

fn attributes() -> impl Strategy<Value = &'static str> {
    let good = [
        "",
        " enabled=\"true\"",
        " enabled='FALSE'",
        " enabled=\"&#116;rue\"",
        " a='&lt;'",
        " xmlns:a='b'",
        " c:d=''",
    ];
    prop_oneof![30 => select(good.to_vec()), 1 => select(vec![" a", " a='&b;'", " =", " a=b"])]
}

fn metadata() -> impl Strategy<Value = String> {
    let pair = (words(KEYS), text()).prop_map(|(key, text)| format!("<{key}>{text}</{key}>"));
    vec(pair, 0..5).prop_map(|pairs| format!("<metadata>{}</metadata>", pairs.concat()))
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![200 => select(GOOD.to_vec()), 1 => select(BAD.to_vec())];
    vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}
