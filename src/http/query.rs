//! Every read of the registry, answered from this node's view.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::answer::{Answer, empty, not_modified, page};
use super::error::HttpError;
use super::eureka_routes::Resource;
use super::request::Parameters;
use super::{Facade, request};
use crate::blocking::blocking;
use crate::eureka::{Format, accepts_gzip};
use crate::metrics::PageReads;
use crate::raft::Freshness;
use crate::view::{Bulk, Page, View};

const INDEX: HeaderName = HeaderName::from_static("x-registry-index");
const KNOWN_LEADER: HeaderName = HeaderName::from_static("x-registry-known-leader");
const LAST_CONTACT: HeaderName = HeaderName::from_static("x-registry-last-contact");

/// Their application is encoded in less time than it takes to have another thread do it.
const SMALL_INSTANCES: usize = 32;

/// Waits for what `?consistency=` asks: `linearizable`, or `local`, which is the default.
///
/// # Errors
/// [`HttpError::NoQuorum`] if it is not to be had, [`HttpError::BadParameter`] if it is neither.
pub async fn consistency(facade: &Facade, parameters: &Parameters<'_>) -> Result<(), HttpError> {
    const NAME: &str = "consistency";
    match parameters.first(NAME).as_deref() {
        None | Some("local") => Ok(()),
        Some("linearizable") => Ok(facade.linearizer.wait().await?),
        Some(_) => Err(HttpError::BadParameter(NAME)),
    }
}

/// Answers for a resource of the registry; `None` if it is another's.
pub async fn read(
    facade: &Facade,
    resource: &Resource,
    headers: &HeaderMap,
    format: Format,
) -> Option<Answer> {
    // Before the view: what the header tells is never ahead of the body.
    let index = facade.consensus.machine().last_applied();
    let view = facade.consensus.machine().view();
    let pages = &facade.consensus.metrics().pages;
    let gzip = accepts_gzip(request::joined(headers, &header::ACCEPT_ENCODING).as_deref());
    let found = match resource {
        Resource::Applications => Some(bulk(&view, Bulk::Full, format, gzip, &pages.apps).await),
        Resource::Delta => Some(bulk(&view, Bulk::Delta, format, gzip, &pages.delta).await),
        Resource::Application { app } => application(&view, app.to_uppercase(), format, &pages.app).await,
        Resource::Instance { app, id } => view.instance(app.to_uppercase().as_str(), id, format.full()),
        Resource::InstanceById { id } => {
            let id = id.clone();
            made_aside(&view, move |view| view.instance_by_id(&id, format.full())).await
        }
        Resource::Vip { name } => {
            let name = name.clone();
            Some(made_aside(&view, move |view| view.vip(&name, format)).await)
        }
        Resource::SecureVip { name } => {
            let name = name.clone();
            Some(made_aside(&view, move |view| view.svip(&name, format)).await)
        }
        _ => return None,
    };
    let mut answer = match found {
        None => empty(StatusCode::NOT_FOUND),
        Some(found) => {
            let tag = entity_tag(&view, &found, format);
            match tag.as_ref().is_some_and(|tag| is_known(headers, tag)) {
                true => tagged(not_modified(), tag),
                false => tagged(page(found), tag),
            }
        }
    };
    describe(facade, index, answer.headers_mut());
    Some(answer)
}

async fn bulk(view: &Arc<View>, bulk: Bulk, format: Format, gzip: bool, reads: &PageReads) -> Page {
    let made = view.bulk_if_made(bulk, format, gzip);
    reads.read(made.is_some());
    match made {
        Some(page) => page,
        None => made_aside(view, move |view| view.bulk(bulk, format, gzip)).await,
    }
}

async fn application(view: &Arc<View>, app: String, format: Format, reads: &PageReads) -> Option<Page> {
    let instances = view.application(app.as_str())?.instance_count();
    let made = view.app_if_made(app.as_str(), format);
    reads.read(made.is_some());
    match made {
        Some(page) => Some(page),
        None if instances <= SMALL_INSTANCES => view.app(app.as_str(), format),
        None => made_aside(view, move |view| view.app(app.as_str(), format)).await,
    }
}

/// The first page after a change may take a while to make, which is not for a thread that serves
/// others and answers the leader's heartbeats.
async fn made_aside<T: Send + 'static>(
    view: &Arc<View>,
    make: impl Fn(&View) -> T + Clone + Send + 'static,
) -> T {
    let (shared, making) = (view.clone(), make.clone());
    blocking(move || making(&shared)).await.unwrap_or_else(|_| make(view))
}

/// Weak: the same tag may stand for later renewal times.
fn entity_tag(view: &View, page: &Page, format: Format) -> Option<HeaderValue> {
    let packed = if page.gzip() { "-gzip" } else { "" };
    let tag = ["W/\"", &view.index().to_string(), "-", format.name(), packed, "\""].concat();
    HeaderValue::try_from(tag).ok()
}

pub(super) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let Some(known) = request::joined(headers, &header::IF_NONE_MATCH) else {
        return false;
    };
    known.split(',').map(str::trim).any(|known| known == "*" || known.as_bytes() == tag.as_bytes())
}

fn tagged(mut answer: Answer, tag: Option<HeaderValue>) -> Answer {
    if let Some(tag) = tag {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

/// How fresh this node's answer is.
fn describe(facade: &Facade, index: u64, headers: &mut HeaderMap) {
    let Freshness { last_contact, knows_leader } = facade.consensus.freshness();
    let contact_ms = u64::try_from(last_contact.as_millis()).unwrap_or(u64::MAX);
    let known = if knows_leader { "true" } else { "false" };
    headers.insert(INDEX, HeaderValue::from(index));
    headers.insert(KNOWN_LEADER, HeaderValue::from_static(known));
    headers.insert(LAST_CONTACT, HeaderValue::from(contact_ms));
}
