//! Differences in XML, which that server does not always write well.

use serde_json::{Value, json};

use super::super::action::Action;
use super::super::harness::Request;
use super::super::step::{JSON, Manner};
use super::super::target::Spelling;
use super::{Case, Onward};

/// What some documents here hold and XML cannot.
const UNHOLDABLE: [char; 2] = ['\u{1}', '\u{ffff}'];

pub fn empty_key(case: &mut Case<'_>) -> Onward {
    mend(case, with_empty_keys_named)
}

pub fn unholdable(case: &mut Case<'_>) -> Onward {
    if is_missing_compact_xml(case) {
        let mut read = case.step.clone();
        read.manner = Manner { accept: JSON.accept, gzip: false, ..read.manner };
        let compact = (case.ask)(&read.request());
        let document = as_xml(&compact["body"]);
        if compact["status"] == 200 && document.to_string().contains('\u{fffd}') {
            case.want(200, "application/xml", document);
            case.wanted["coding"] = case.answered["coding"].clone();
        }
    }
    mend(case, with_references_replaced)
}

/// Whether compact XML was asked for, and nothing came.
fn is_missing_compact_xml(case: &Case<'_>) -> bool {
    let manner = &case.step.manner;
    let is_compact = manner.eureka_accept.is_some_and(|accept| accept.eq_ignore_ascii_case("compact"));
    let is_read = matches!(case.step.action, Action::Read { place } if !place.is_instance());
    let nothing_came = case.status() == 404 || (case.status() == 200 && case.reference.body.is_empty());
    is_compact && is_read && !case.asked_in_json() && nothing_came
}

/// A compact document's JSON as XML says it.
fn as_xml(json: &Value) -> Value {
    match json {
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, member)| (name.clone(), as_xml(member))).collect())
        }
        Value::Array(members) => Value::Array(members.iter().map(as_xml).collect()),
        Value::String(text) => {
            json!(text.strip_prefix("number ").unwrap_or(text).replace(UNHOLDABLE, "\u{fffd}"))
        }
        other => json!(other.to_string()),
    }
}

/// Mends what is not well-formed; what stays so is left to the next rule.
fn mend(case: &mut Case<'_>, mend: impl Fn(&str) -> String) -> Onward {
    if case.wanted["type"] == "application/xml"
        && let Some(text) = case.wanted["body"].as_str()
    {
        let mended = mend(text);
        if mended != text {
            case.wanted = case.reread("application/xml", &mended);
        }
    }
    Onward::Together
}

/// XML mended in every way.
pub fn mended(xml: &str) -> String {
    with_references_replaced(&with_empty_keys_named(xml))
}

fn with_empty_keys_named(xml: &str) -> String {
    xml.replace("<>", "<_>").replace("</>", "</_>")
}

fn with_references_replaced(xml: &str) -> String {
    UNHOLDABLE.iter().fold(xml.to_owned(), |xml, character| {
        xml.replace(&format!("&#x{:x};", u32::from(*character)), "\u{fffd}")
    })
}

pub fn status_of_version_1(case: &mut Case<'_>) -> Onward {
    let shown = &case.wanted["body"]["instance"]["status"];
    if case.wanted["type"] != "application/xml" || shown != "DOWN" || case.asked_in_json() {
        return Onward::Together;
    }
    let truth = case.asked_again_in_json();
    let instance = &mut case.wanted["body"]["instance"];
    // Of two with one id the one that is wanted may be the other, taken from a list that shows it as it is.
    if let status @ Value::String(_) = &truth["status"]
        && truth["app"] == instance["app"]
    {
        instance["status"] = status.clone();
    }
    Onward::Together
}

impl Case<'_> {
    /// The instance that was answered, in JSON.
    fn asked_again_in_json(&mut self) -> Value {
        let path = match self.step.action {
            Action::Read { .. } => self.step.request().path().to_owned(),
            _ => format!("/eureka/apps/{}", self.step.target.segments(Spelling::AsIs)),
        };
        let again = (self.ask)(&Request::get(&path).accept_json());
        again["body"]["instance"].clone()
    }
}
