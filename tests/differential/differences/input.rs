//! Differences in what is taken and refused.

use serde_json::json;

use super::super::action::{Action, BodyForm, Dirty, Place};
use super::{Case, Onward, is_status};

const CANNOT_PARSE: &str = "{\"error\": \"cannot parse request body\"}";
const CANNOT_PARSE_XML: &str = "<error><message>cannot parse request body</message></error>";

pub fn lenient_members(case: &mut Case<'_>) -> Onward {
    let Action::Register { document, body, .. } = &case.step.action else { return Onward::Together };
    if !matches!(body, BodyForm::Json | BodyForm::JsonWithCharset) || !document.needs_lenience() {
        return Onward::Together;
    }
    accept(case)
}

pub fn unwrapped(case: &mut Case<'_>) -> Onward {
    match case.step.action {
        Action::Register { body: BodyForm::JsonUnwrapped, .. } => accept(case),
        _ => Onward::Together,
    }
}

pub fn packed(case: &mut Case<'_>) -> Onward {
    match case.step.action {
        Action::Register { body: BodyForm::JsonPacked, .. } => accept(case),
        _ => Onward::Together,
    }
}

/// Wants the registration that was refused.
fn accept(case: &mut Case<'_>) -> Onward {
    if case.status() != 400 {
        return Onward::Together;
    }
    case.want_empty(204);
    Onward::Parted
}

pub fn derailed(case: &mut Case<'_>) -> Onward {
    let Action::Register { document, body, .. } = &case.step.action else { return Onward::Together };
    let in_json = matches!(body, BodyForm::Json | BodyForm::JsonWithCharset);
    if !in_json || !document.derails(case.step.target) || case.status() == 406 {
        return Onward::Together;
    }
    let taken_there = case.status() == 204;
    case.want(400, "application/json", json!(CANNOT_PARSE));
    if taken_there { Onward::Parted } else { Onward::Together }
}

pub fn slash_in_path(case: &mut Case<'_>) -> Onward {
    let target = case.step.target;
    let Action::Read { place: Place::Instance | Place::InstanceById } = case.step.action else {
        return Onward::Together;
    };
    if target.fits_a_path() || case.status() != 400 {
        return Onward::Together;
    }
    let media_type = match case.step.manner.accept {
        Some("text/plain") => {
            case.want_empty(406);
            return Onward::Together;
        }
        Some(accept) if accept.contains("json") => "application/json",
        _ => "application/xml",
    };
    match case.listed(media_type, target.app(), &target.id()) {
        Some(instance) => case.want(200, media_type, json!({"instance": instance})),
        None => case.want_empty(404),
    }
    Onward::Together
}

pub fn null_body(case: &mut Case<'_>) -> Onward {
    if matches!(case.step.action, Action::Register { body: BodyForm::Null, .. }) && case.status() == 500 {
        case.want(400, "application/json", json!(CANNOT_PARSE));
    }
    Onward::Together
}

pub fn error_of_charset(case: &mut Case<'_>) -> Onward {
    let told = case.status() == 400 && case.wanted["body"] == CANNOT_PARSE_XML;
    if told && matches!(case.step.action, Action::Register { body: BodyForm::JsonWithCharset, .. }) {
        case.wanted["body"] = json!(CANNOT_PARSE);
    }
    Onward::Together
}

pub fn bad_parameter(case: &mut Case<'_>) -> Onward {
    let good = |word: &Option<&str>| word.is_none_or(is_status);
    let failed_there = case.status() == 500;
    // That server first changes the status, a renewal's to that of an override, and then looks at the
    // other parameters.
    let (changed, words_are_good, parted) = match &case.step.action {
        Action::Renew { changed, overridden, replicated, .. } => {
            (changed, !replicated || good(overridden), case.memory.has_adopted(case.step.target))
        }
        Action::SetStatus { value, changed, .. } => {
            (changed, value.is_some() && good(value), failed_there && good(value))
        }
        Action::RemoveStatus { value, changed, .. } => (changed, good(value), failed_there && good(value)),
        _ => return Onward::Together,
    };
    let time_is_good = !matches!(changed.dirty, Some(Dirty::Word(_)));
    if case.status() == 406 || (words_are_good && time_is_good) {
        return Onward::Together;
    }
    case.want_empty(400);
    if parted { Onward::Parted } else { Onward::Together }
}

pub fn broken_batch(case: &mut Case<'_>) -> Onward {
    if matches!(case.step.action, Action::BrokenBatch { .. }) && case.status() == 500 {
        case.want(400, "application/json", json!(CANNOT_PARSE));
    }
    Onward::Together
}
