//! Lists of instances: searched, filtered, sorted, one page at a time. Goes through all instances of a view, and keeps
//! little of each: only what is on the page is read as a whole.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::registry::{AppName, InstanceId, Listed, Status};
use crate::view::{AppView, InstanceView, View};

pub const MAX_LIMIT: usize = 200;
const DEFAULT_LIMIT: usize = 50;
const MAX_TEXT_BYTES: usize = 256;
/// Zones that are named; most have a handful.
const MAX_ZONES: usize = 100;

/// Which instances, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// All of these have to occur, each anywhere in the instance's names and addresses. In lower case.
    words: Vec<String>,
    app: Option<String>,
    status: Option<Status>,
    zone: Option<String>,
    sort: Sort,
    is_descending: bool,
    offset: usize,
    limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Application,
    Instance,
    Host,
    Zone,
    Status,
    Renewed,
    Changed,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    #[error("there is no parameter {0:?}; there are q, app, status, zone, sort, order, offset and limit")]
    Unknown(String),
    #[error("{name} has to be {wanted}")]
    Value { name: &'static str, wanted: &'static str },
}

impl Query {
    /// # Errors
    /// What is wrong with the parameters, in words.
    pub fn parse(parameters: impl IntoIterator<Item = (String, String)>) -> Result<Self, BadQuery> {
        let mut query = Self {
            words: Vec::new(),
            app: None,
            status: None,
            zone: None,
            sort: Sort::Application,
            is_descending: false,
            offset: 0,
            limit: DEFAULT_LIMIT,
        };
        for (name, value) in parameters {
            query.set(name, value)?;
        }
        Ok(query)
    }

    fn set(&mut self, name: String, value: String) -> Result<(), BadQuery> {
        let bad = |name, wanted| BadQuery::Value { name, wanted };
        match name.as_str() {
            "q" if value.len() > MAX_TEXT_BYTES => return Err(bad("q", "at most 256 bytes long")),
            "q" => self.words = value.to_lowercase().split_whitespace().map(str::to_owned).collect(),
            "app" => self.app = Some(value.to_uppercase()),
            "status" => {
                let status = Status::from_exact(&value);
                self.status = Some(status.ok_or_else(|| bad("status", "a status, such as UP"))?);
            }
            "zone" => self.zone = Some(value),
            "sort" => self.sort = Sort::parse(&value).ok_or_else(|| bad("sort", Sort::WANTED))?,
            "order" => {
                self.is_descending = match value.as_str() {
                    "asc" => false,
                    "desc" => true,
                    _ => return Err(bad("order", "asc or desc")),
                }
            }
            "offset" => self.offset = value.parse().map_err(|_| bad("offset", "a number"))?,
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
                self.limit = limit.ok_or_else(|| bad("limit", "a number from 1 to 200"))?;
            }
            _ => return Err(BadQuery::Unknown(name)),
        }
        Ok(())
    }

    fn wants(&self, found: &Found, listed: &Listed) -> bool {
        self.status.is_none_or(|status| found.view.registration().status == status)
            && self.zone.as_ref().is_none_or(|zone| listed.zone.as_deref().unwrap_or_default() == zone)
            && self.has_words(found, listed)
    }

    fn has_words(&self, found: &Found, listed: &Listed) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let vip = listed.vip_address.as_deref().unwrap_or_default();
        let texts = [found.app.as_str(), found.id.as_str(), &listed.host_name, &listed.ip_addr, vip];
        let texts = texts.map(str::to_lowercase);
        self.words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
    }
}

impl Sort {
    const WANTED: &str = "application, instance, host, zone, status, renewed or changed";

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "application" => Sort::Application,
            "instance" => Sort::Instance,
            "host" => Sort::Host,
            "zone" => Sort::Zone,
            "status" => Sort::Status,
            "renewed" => Sort::Renewed,
            "changed" => Sort::Changed,
            _ => return None,
        })
    }

    fn rank(self, found: &Found, listed: Listed) -> Rank {
        let registration = found.view.registration();
        match self {
            Sort::Application => Rank::App(found.app.clone()),
            Sort::Instance => Rank::Id(found.id.clone()),
            Sort::Host => Rank::Text(listed.host_name),
            Sort::Zone => Rank::Text(listed.zone.unwrap_or_default()),
            Sort::Status => Rank::Status(registration.status),
            Sort::Renewed => Rank::Time(found.view.renewed_ms()),
            Sort::Changed => Rank::Time(registration.last_updated_ms),
        }
    }
}

/// What an instance is sorted by; those of one list are of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    App(AppName),
    Id(InstanceId),
    Text(String),
    Status(Status),
    Time(i64),
}

#[derive(Clone, Copy)]
struct Found<'v> {
    app: &'v AppName,
    id: &'v InstanceId,
    view: &'v InstanceView,
}

/// A page of a list, and what there is beside it.
#[derive(Debug, Serialize)]
pub struct Listing<'v> {
    view_index: u64,
    now_ms: i64,
    total: usize,
    matched: usize,
    offset: usize,
    statuses: BTreeMap<&'static str, u64>,
    /// Of all instances, with their numbers; without a zone they are not counted.
    zones: Vec<(String, usize)>,
    /// Those with an instance on the page.
    applications: BTreeMap<&'v str, Application>,
    instances: Vec<Row<'v>>,
}

#[derive(Debug, Serialize)]
struct Application {
    instances: usize,
    up: usize,
}

#[derive(Debug, Serialize)]
struct Row<'v> {
    app: &'v str,
    id: &'v str,
    host: String,
    ip: String,
    port: Option<i32>,
    secure_port: Option<i32>,
    vip: Option<String>,
    zone: Option<String>,
    status: &'static str,
    overridden: Option<&'static str>,
    duration_ms: u64,
    renewed_ms: i64,
    updated_ms: i64,
}

/// The page of a view's instances that is asked for, at `now_ms` of the wall clock.
pub fn listing<'v>(view: &'v View, query: &Query, now_ms: i64) -> Listing<'v> {
    let mut zones: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for app in view.applications() {
        let is_asked_for = query.app.as_ref().is_none_or(|name| app.name().as_str() == name);
        for (id, instance) in app.instances() {
            let (candidate, listed) =
                (Found { app: app.name(), id, view: instance }, instance.registration().instance.listed());
            if let Some(zone) = &listed.zone {
                count(&mut zones, zone);
            }
            if is_asked_for && query.wants(&candidate, &listed) {
                found.push((query.sort.rank(&candidate, listed), candidate));
            }
        }
    }
    // Stable: those of one rank stay in the order of their names.
    found.sort_by(|(one, _), (other, _)| match query.is_descending {
        false => one.cmp(other),
        true => other.cmp(one),
    });
    let page = found.iter().skip(query.offset).take(query.limit);
    let instances: Vec<Row> = page.map(|(_, found)| row(found)).collect();
    let shown = instances.iter().filter_map(|row| Some((row.app, application(view.application(row.app)?))));
    Listing {
        view_index: view.index(),
        now_ms,
        total: view.instance_count(),
        matched: found.len(),
        offset: query.offset,
        statuses: Status::ALL.map(|status| (status.as_str(), view.statuses().count(status))).into(),
        zones: zones.into_iter().collect(),
        applications: shown.collect(),
        instances,
    }
}

/// Beyond so many zones new ones are left out: somebody may give each instance one of its own.
fn count(zones: &mut BTreeMap<String, usize>, zone: &str) {
    if let Some(number) = zones.get_mut(zone) {
        *number += 1;
    } else if zones.len() < MAX_ZONES {
        zones.insert(zone.to_owned(), 1);
    }
}

fn application(app: &AppView) -> Application {
    let up = app.instances().filter(|(_, instance)| instance.registration().status == Status::Up);
    Application { instances: app.instance_count(), up: up.count() }
}

fn row<'v>(found: &Found<'v>) -> Row<'v> {
    let registration = found.view.registration();
    let listed = registration.instance.listed();
    Row {
        app: found.app.as_str(),
        id: found.id.as_str(),
        host: listed.host_name,
        ip: listed.ip_addr,
        port: listed.port,
        secure_port: listed.secure_port,
        vip: listed.vip_address,
        zone: listed.zone,
        status: registration.status.as_str(),
        overridden: registration.overridden.map(Status::as_str),
        duration_ms: registration.lease.duration_ms,
        renewed_ms: found.view.renewed_ms(),
        updated_ms: registration.last_updated_ms,
    }
}
