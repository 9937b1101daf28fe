//! What must hold of whatever arrives, for the tests here and for the targets in `fuzz/`. Each function
//! takes any bytes and panics where something does not hold.

use axum::http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rs_registry::eureka::{
    Accepted, Format, RequestFormat, accepts_gzip, application_document, decode_applications, decode_batch,
    decode_batch_response, decode_document, instance_document, instance_fragment, request_format,
    response_format,
};
use rs_registry::gunzip::unpack;
use rs_registry::http::{Action, Parameters, Resource, route};
use rs_registry::registry::{Action as Change, Instance, Keeper, Lease, Registration, Status};
use serde_json::Value;

/// A body of `POST apps/{app}`.
pub fn register(format: RequestFormat, body: &[u8]) {
    let Ok(document) = decode_document(format, body) else { return };
    let app = document.app.clone();
    if let Ok(accepted) = document.into_registration(&app) {
        reads_back(accepted);
    }
}

/// A body of `POST peerreplication/batch`.
pub fn batch(body: &[u8]) {
    for item in decode_batch(body).unwrap_or_default() {
        let accepted = item.instance.and_then(|document| document.into_registration(&item.app).ok());
        accepted.into_iter().for_each(reads_back);
    }
}

/// What another server answers to `GET apps` or to a batch.
pub fn answer(body: &[u8]) {
    let _ = decode_batch_response(body);
    let _ = decode_applications(body, |instance| match instance {
        Ok(listed) => {
            let app = listed.document.app.clone();
            listed.document.into_registration(&app).into_iter().for_each(reads_back);
        }
        Err(unreadable) => {
            let told = unreadable.to_string();
            assert!(told.len() < 2_000 && !told.contains('\n'), "{told}");
        }
    });
}

/// What is accepted is the same when read from its own JSON, but for what JSON writes in capitals, and from its
/// own XML, but for what XML cannot carry; other parsers read both.
pub fn reads_back(accepted: Accepted) {
    let shown = registration(accepted.instance, accepted.last_dirty_ms);
    let json = written(Format::Json, &shown);
    let tree: Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    let instance = shown.instance.decode();
    let app = instance.app.as_str();
    let mut again = read(RequestFormat::Json, &json, app).unwrap_or_else(|error| panic!("{error}: {json}"));
    if instance.instance_id.is_none() && again.instance.metadata.get("instanceId").is_some() {
        // Spring's rule for its first clients, which takes an id from the metadata, holds in JSON only.
        again.instance.instance_id = None;
    }
    // Capitals are JSON's rule; a group's name that came in XML has been left as it was.
    let mut expected = instance.clone();
    expected.app_group_name = expected.app_group_name.map(|name| name.to_uppercase().into());
    assert_eq!(again.instance, expected, "through {json}");
    assert_eq!(again.last_dirty_ms, Some(shown.last_dirty_ms), "through {json}");

    let xml = written(Format::Xml, &shown);
    roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
    let carried = xml.contains('\u{fffd}');
    match read(RequestFormat::Xml, &xml, &carry(app)) {
        Ok(accepted) => {
            let again = registration(accepted.instance, accepted.last_dirty_ms);
            assert_eq!(written(Format::Xml, &again), xml);
            let other: Value = serde_json::from_str(&written(Format::Json, &again)).expect("checked above");
            assert_eq!(other, carried_by_xml(tree), "through {xml}");
        }
        // A name may become too long by what stands in for characters that XML has not.
        Err(error) => assert!(carried, "{error}: {xml}"),
    }
    compact_forms_are_well_formed(&shown);
}

/// Path and query of a request, as one text.
pub fn path_and_query(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (path, query) = text.split_once('?').map_or((&*text, None), |(path, query)| (path, Some(query)));
    for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        if let Ok(action) = route(&method, path) {
            leads_to_itself(&method, action);
        }
    }
    let parameters = Parameters::new(query);
    let pairs: Vec<(String, String)> = parameters.pairs().collect();
    let again = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
    assert_eq!(Parameters::new(Some(&again)).pairs().collect::<Vec<_>>(), pairs, "{query:?}");
    for name in ["value", "lastDirtyTimestamp", ""] {
        let first = pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        assert_eq!(parameters.first(name), first, "{name} of {query:?}");
    }
    // What they read must not matter; that they come back must.
    let _ = (parameters.last_dirty_ms(), parameters.status("value"));
}

/// The value of a header that negotiates.
pub fn header(bytes: &[u8]) {
    let value = String::from_utf8_lossy(bytes);
    for compact in [None, Some("compact"), Some(&*value)] {
        if let Ok(format) = response_format(Some(&value), compact) {
            let json = matches!(format, Format::Json | Format::CompactJson);
            assert_eq!(json, value.contains("json"), "{value}");
        }
    }
    let _ = (request_format(Some(&value)), accepts_gzip(Some(&value)));
}

/// A body that says it is gzip.
pub fn gzip(bytes: &[u8]) {
    const MOST: usize = 4096;
    if let Ok(Some(unpacked)) = unpack(bytes, MOST) {
        assert!(unpacked.len() <= MOST, "{} bytes", unpacked.len());
        assert_eq!(unpack(bytes, unpacked.len()).expect("unpacked before"), Some(unpacked));
    }
}

/// The registration that a document makes, at fixed times.
fn registration(instance: Instance, last_dirty_ms: Option<i64>) -> Registration {
    Registration {
        status: instance.status,
        overridden: Some(instance.overridden_status).filter(|status| *status != Status::Unknown),
        last_dirty_ms: last_dirty_ms.unwrap_or(1),
        last_updated_ms: 2,
        action: Change::Added,
        lease: Lease {
            duration_ms: u64::from(instance.duration_secs) * 1000,
            registered_ms: 3,
            renewed_ms: 4,
            evicted_ms: 0,
            service_up_ms: 5,
            renew_seq: 1,
            keeper: Keeper::Client,
        },
        instance: instance.into(),
    }
}

fn written(format: Format, registration: &Registration) -> String {
    String::from_utf8(instance_document(format, registration)).expect("what is written is UTF-8")
}

fn read(format: RequestFormat, text: &str, app: &str) -> Result<Accepted, String> {
    let document = decode_document(format, text.as_bytes()).map_err(|error| error.to_string())?;
    document.into_registration(app).map_err(|refusal| refusal.to_string())
}

fn compact_forms_are_well_formed(registration: &Registration) {
    let mut json = Vec::new();
    instance_fragment(Format::CompactJson, registration, &mut json);
    serde_json::from_slice::<Value>(&json).unwrap_or_else(|error| panic!("{error} in compact JSON"));
    let xml = application_document(
        Format::CompactXml,
        &registration.instance.decode().app,
        [registration].into_iter(),
    );
    let xml = String::from_utf8(xml).expect("what is written is UTF-8");
    roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
}

/// Text as XML carries it.
fn carry(text: &str) -> String {
    let carry = |character| match character {
        '\t' | '\n' | '\r' => character,
        '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        _ => character,
    };
    text.chars().map(carry).collect()
}

/// A tree of JSON with all texts, but not the names, as XML carries them.
fn carried_by_xml(tree: Value) -> Value {
    match tree {
        Value::String(text) => Value::String(carry(&text)),
        Value::Array(list) => list.into_iter().map(carried_by_xml).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (name, carried_by_xml(member))).collect()
        }
        other => other,
    }
}

/// The names that a path was taken to hold lead back to the same, written in the plainest way.
fn leads_to_itself(method: &Method, action: Action) {
    let (kind, names) = match &action {
        Action::Read(Resource::Application { app }) | Action::Register { app } => ("apps", vec![app]),
        Action::Read(Resource::Instance { app, id })
        | Action::Renew { app, id }
        | Action::Cancel { app, id } => ("apps", vec![app, id]),
        Action::Read(Resource::InstanceById { id }) => ("instances", vec![id]),
        Action::Read(Resource::Vip { name }) => ("vips", vec![name]),
        Action::Read(Resource::SecureVip { name }) => ("svips", vec![name]),
        _ => return,
    };
    // What is left of a segment may be nothing, as of `;a=b`; no other path leads there.
    if names.iter().any(|name| name.is_empty()) {
        return;
    }
    let encoded = names.iter().map(|name| utf8_percent_encode(name, NON_ALPHANUMERIC).to_string());
    let path = format!("/eureka/{kind}/{}", encoded.collect::<Vec<_>>().join("/"));
    assert_eq!(route(method, &path), Ok(action), "{path}");
}
