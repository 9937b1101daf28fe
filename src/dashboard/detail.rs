//! Everything of one instance, and what lately happened to it.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::eureka::Format;
use crate::history::{Difference, Event};
use crate::registry::{Instance, Keeper, Key, Listed, Port, Registration, Status};
use crate::view::View;

#[derive(Debug, Serialize)]
pub struct Detail {
    app: String,
    id: String,
    now_ms: i64,
    status: &'static str,
    overridden: Option<&'static str>,
    lease: Value,
    updated_ms: i64,
    last_dirty_ms: i64,
    /// What it is, by name, as far as it says so.
    facts: Vec<(&'static str, String)>,
    /// Whatever it says is at these places; nothing of it is a link until it is known to be one.
    links: Vec<(&'static str, String)>,
    metadata: Vec<(String, String)>,
    history: Value,
    /// As Eureka's clients get it.
    document: Option<Box<RawValue>>,
}

/// An instance as a view shows it at `now_ms` of the wall clock, with its `keeper`, which views are not told, and its
/// `history`; `None` if it is not there.
pub fn detail(view: &View, key: &Key, keeper: Option<Keeper>, now_ms: i64, history: Value) -> Option<Detail> {
    let found = view.application(&key.app)?.instance(key.id.as_str())?;
    let registration = found.registration();
    let instance = registration.instance.decode();
    let metadata = instance.metadata.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    Some(Detail {
        app: key.app.to_string(),
        id: key.id.to_string(),
        now_ms,
        status: registration.status.as_str(),
        overridden: registration.overridden.map(Status::as_str),
        lease: lease(registration, found.renewed_ms(), keeper, &instance),
        updated_ms: registration.last_updated_ms,
        last_dirty_ms: registration.last_dirty_ms,
        facts: facts(&instance, registration.instance.listed()),
        links: links(&instance),
        metadata: metadata.collect(),
        history,
        document: document(view, key),
    })
}

fn lease(registration: &Registration, renewed_ms: i64, keeper: Option<Keeper>, instance: &Instance) -> Value {
    let lease = &registration.lease;
    let keeper = keeper.and_then(|keeper| match keeper {
        Keeper::Client | Keeper::MovedClient => Some("client"),
        Keeper::Peer => Some("eureka_server"),
        Keeper::Import => Some("import"),
        Keeper::Nobody => None,
    });
    json!({
        "keeper": keeper,
        "duration_ms": lease.duration_ms,
        "renewal_interval_ms": u64::from(instance.renewal_interval_secs) * 1000,
        "registered_ms": lease.registered_ms,
        "renewed_ms": renewed_ms,
        "up_since_ms": Some(lease.service_up_ms).filter(|ms| *ms > 0),
    })
}

fn facts(instance: &Instance, listed: Listed) -> Vec<(&'static str, String)> {
    let port = |port: Port| port.enabled.then(|| port.number.to_string());
    let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    let facts = [
        ("Host", Some(instance.host_name.to_string())),
        ("Address", Some(instance.ip_addr.to_string())),
        ("Port", port(instance.port)),
        ("Secure port", port(instance.secure_port)),
        ("VIP", text(&instance.vip_address)),
        ("Secure VIP", text(&instance.secure_vip_address)),
        ("Zone", listed.zone),
        ("Application group", text(&instance.app_group_name)),
        ("Auto scaling group", text(&instance.asg_name)),
    ];
    let given = facts.into_iter().filter_map(|(name, value)| Some((name, value?)));
    given.filter(|(_, value)| !value.is_empty()).collect()
}

fn links(instance: &Instance) -> Vec<(&'static str, String)> {
    let links = [
        ("Home page", &instance.home_page_url),
        ("Status page", &instance.status_page_url),
        ("Health check", &instance.health_check_url),
        ("Secure health check", &instance.secure_health_check_url),
    ];
    let given = links.into_iter().filter_map(|(name, url)| Some((name, url.as_deref()?.to_owned())));
    given.filter(|(_, url)| !url.is_empty()).collect()
}

fn document(view: &View, key: &Key) -> Option<Box<RawValue>> {
    let chunks: Vec<_> = view.instance(&key.app, key.id.as_str(), Format::Json)?.into_iter().collect();
    serde_json::from_slice(&chunks.concat()).ok()
}

/// What lately happened to an instance, newest first, all of which is known since `since_ms` of the log's time.
pub fn events(events: &[(i64, Event)], since_ms: i64) -> Value {
    let told: Vec<Value> = events.iter().map(|(at_ms, event)| told(*at_ms, event)).collect();
    json!({"since_ms": since_ms, "events": told})
}

fn told(at_ms: i64, event: &Event) -> Value {
    let word = |status: Option<Status>| status.map(Status::as_str);
    match event {
        Event::Cancelled => json!({"at_ms": at_ms, "what": "cancelled"}),
        Event::Expired => json!({"at_ms": at_ms, "what": "expired"}),
        Event::Changed(Difference { status, overridden, is_registered_again, is_another_document }) => {
            json!({
                "at_ms": at_ms,
                "what": if *is_registered_again { "registered_again" } else { "changed" },
                "status": [status.0.as_str(), status.1.as_str()],
                "overridden": [word(overridden.0), word(overridden.1)],
                "is_another_document": is_another_document,
            })
        }
    }
}
