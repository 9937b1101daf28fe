//! Differences in how answers are written.

use serde_json::{Value, json};

use super::super::action::{Action, Place};
use super::{Case, Onward, everywhere};

/// The class of metadata without any pair.
const EMPTY_MAP: &str = "java.util.Collections$EmptyMap";

pub fn label(case: &mut Case<'_>) -> Onward {
    let body = String::from_utf8_lossy(&case.reference.decoded().unwrap_or_default()).into_owned();
    let media_type = match body.chars().next() {
        Some('{') => "application/json",
        Some('<') => "application/xml",
        Some(_) if case.reference.status == 400 => {
            case.wanted["type"] =
                json!(if case.asked_in_json() { "application/json" } else { "application/xml" });
            return Onward::Together;
        }
        _ => return Onward::Together,
    };
    let labelled = case.reference.header("content-type").unwrap_or_default();
    if case.reference.status == 200 && labelled != media_type {
        case.wanted = case.reread(media_type, &body);
    }
    Onward::Together
}

pub fn error_page(case: &mut Case<'_>) -> Onward {
    let status = case.reference.status;
    if matches!(status, 404 | 405 | 406 | 415 | 500) {
        case.want_empty(status);
    }
    Onward::Together
}

pub fn leaked_getter(case: &mut Case<'_>) -> Onward {
    if let Some(applications) = case.wanted.pointer_mut("/body/applications").and_then(Value::as_object_mut) {
        applications.remove("registeredApplicationsEmpty");
    }
    Onward::Together
}

pub fn one_of_two(case: &mut Case<'_>) -> Onward {
    let app = |meaning: &Value| meaning["body"]["instance"]["app"].as_str().map(str::to_owned);
    let (Some(there), Some(here)) = (app(&case.wanted), app(case.answered)) else { return Onward::Together };
    let media_type = case.wanted["type"].as_str().unwrap_or_default().to_owned();
    let by_id = matches!(case.step.action, Action::Read { place: Place::InstanceById });
    if by_id && there != here {
        let listed = case.listed(&media_type, &here, &case.step.target.id());
        case.want(200, &media_type, json!({"instance": listed}));
    }
    Onward::Together
}

pub fn negotiated_instance(case: &mut Case<'_>) -> Onward {
    let media_type = if case.asked_in_json() { "application/json" } else { "application/xml" };
    let instance = &case.wanted["body"]["instance"];
    if !instance.is_object() || case.wanted["type"] == media_type {
        return Onward::Together;
    }
    let app = instance["app"].as_str().unwrap_or_default().to_owned();
    let id = case.step.target.id();
    let listed = case.listed(media_type, &app, &id).unwrap_or_default();
    case.want(case.reference.status, media_type, json!({"instance": listed}));
    Onward::Together
}

pub fn class_key(case: &mut Case<'_>) -> Onward {
    everywhere(&mut case.wanted["body"], &mut |members| {
        let Some(Value::Object(pairs)) = members.get_mut("metadata") else { return };
        let is_marker = pairs.get("@class").is_some_and(|class| class == EMPTY_MAP);
        let removed = [pairs.remove("_.0040class"), pairs.remove("@class")];
        if pairs.is_empty() && (is_marker || removed.iter().any(Option::is_some)) {
            pairs.insert("@class".to_owned(), json!(EMPTY_MAP));
        }
    });
    Onward::Together
}

pub fn renewal_time(case: &mut Case<'_>) -> Onward {
    everywhere(&mut case.wanted["body"], &mut |members| {
        let Some(time) = members.get_mut("lastRenewalTimestamp") else { return };
        if let Some(rest) = time.as_str().and_then(|text| text.strip_suffix("<later>")) {
            *time = json!(format!("{rest}<clock>"));
        }
    });
    Onward::Together
}
