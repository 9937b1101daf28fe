//! Steps of a sequence as HTTP requests.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::action::{Action, BodyForm, Changed, Dirty, Item, Place};
use super::harness::Request;
use super::target::{Spelling, Target};
use super::text::{encode, quoted};

/// One request.
#[derive(Debug, Clone)]
pub struct Step {
    pub target: Target,
    pub action: Action,
    pub manner: Manner,
    /// The targets of a batch's items.
    pub targets: Vec<Target>,
}

/// How something is asked for, whatever it is.
#[derive(Debug, Clone)]
pub struct Manner {
    pub accept: Option<&'static str>,
    pub eureka_accept: Option<&'static str>,
    pub gzip: bool,
    pub regions: Option<&'static str>,
    pub v2: bool,
    pub slash: bool,
    pub spelling: Spelling,
}

pub const JSON: Manner = Manner {
    accept: Some("application/json"),
    eureka_accept: None,
    gzip: false,
    regions: None,
    v2: false,
    slash: false,
    spelling: Spelling::AsIs,
};
pub const XML: Manner = Manner { accept: Some("application/xml"), ..JSON };

impl Step {
    pub fn request(&self) -> Request {
        let (method, place, query) = self.method_place_query();
        let prefix = if self.manner.v2 { "/eureka/v2" } else { "/eureka" };
        let slash = if self.manner.slash { "/" } else { "" };
        let query = if query.is_empty() { query } else { format!("?{query}") };
        let mut request = Request::new(method, &format!("{prefix}/{place}{slash}{query}"));
        for (name, value) in self.headers() {
            request = request.header(name, value);
        }
        match self.body() {
            Some(body) => request.body(body),
            None => request,
        }
    }

    fn method_place_query(&self) -> (&'static str, String, String) {
        let app = self.manner.spelling.segment(self.target.app());
        let instance = self.target.segments(self.manner.spelling);
        match &self.action {
            Action::Register { .. } => ("POST", format!("apps/{app}"), String::new()),
            Action::Renew { changed, overridden, .. } => {
                ("PUT", format!("apps/{instance}"), changed.query("overriddenstatus", *overridden))
            }
            Action::SetStatus { value, changed, .. } => {
                ("PUT", format!("apps/{instance}/status"), changed.query("value", *value))
            }
            Action::RemoveStatus { value, changed, .. } => {
                ("DELETE", format!("apps/{instance}/status"), changed.query("value", *value))
            }
            Action::PutMetadata { pairs } => ("PUT", format!("apps/{instance}/metadata"), pairs_query(pairs)),
            Action::Cancel { .. } => ("DELETE", format!("apps/{instance}"), String::new()),
            Action::Batch { .. } | Action::BrokenBatch { .. } => {
                ("POST", "peerreplication/batch".to_owned(), String::new())
            }
            Action::Read { place } => {
                let regions =
                    self.manner.regions.map_or_else(String::new, |regions| format!("regions={regions}"));
                let place = match place {
                    Place::Applications => "apps".to_owned(),
                    Place::Delta => "apps/delta".to_owned(),
                    Place::Application => format!("apps/{app}"),
                    Place::Instance => format!("apps/{instance}"),
                    Place::InstanceById => format!("instances/{}", encode(&self.target.id())),
                    Place::Vip(name) => format!("vips/{}", encode(name)),
                    Place::SecureVip(name) => format!("svips/{}", encode(name)),
                };
                ("GET", place, regions)
            }
        }
    }

    fn headers(&self) -> Vec<(&'static str, &'static str)> {
        let mut headers = Vec::new();
        headers.extend(self.manner.accept.map(|accept| ("Accept", accept)));
        headers.extend(self.manner.eureka_accept.map(|accept| ("X-Eureka-Accept", accept)));
        headers.extend(self.manner.gzip.then_some(("Accept-Encoding", "gzip")));
        let replicated = match &self.action {
            Action::Register { replicated, .. }
            | Action::Renew { replicated, .. }
            | Action::SetStatus { replicated, .. }
            | Action::RemoveStatus { replicated, .. }
            | Action::Cancel { replicated } => *replicated,
            _ => false,
        };
        headers.extend(replicated.then_some(("x-netflix-discovery-replication", "true")));
        headers.extend(self.content_type().map(|value| ("Content-Type", value)));
        if matches!(self.action, Action::Register { body: BodyForm::JsonPacked, .. }) {
            headers.push(("Content-Encoding", "gzip"));
        }
        headers
    }

    fn content_type(&self) -> Option<&'static str> {
        match &self.action {
            Action::Register { body, .. } => body.content_type(),
            Action::Batch { .. } | Action::BrokenBatch { .. } => Some("application/json"),
            Action::Renew { with_body: true, .. } => Some("application/json"),
            _ => None,
        }
    }

    fn body(&self) -> Option<Vec<u8>> {
        match &self.action {
            Action::Register { document, body, .. } => {
                Some(body.body(document.json(self.target), || document.xml(self.target)))
            }
            Action::Renew { with_body: true, .. } => Some(b"{}".to_vec()),
            Action::Batch { items } => {
                let items = items.iter().zip(&self.targets).map(|(item, target)| item.json(*target));
                let items: Vec<String> = items.collect();
                Some(format!("{{\"replicationList\":[{}]}}", items.join(",")).into_bytes())
            }
            Action::BrokenBatch { body } => Some(body.as_bytes().to_vec()),
            _ => None,
        }
    }
}

impl BodyForm {
    fn content_type(self) -> Option<&'static str> {
        match self {
            BodyForm::Xml => Some("application/xml"),
            BodyForm::JsonWithCharset => Some("application/json;charset=UTF-8"),
            BodyForm::JsonAsText => Some("text/plain"),
            BodyForm::JsonOfNoType => None,
            _ => Some("application/json"),
        }
    }

    fn body(self, json: String, xml: impl FnOnce() -> String) -> Vec<u8> {
        let wrapped = || format!("{{\"instance\":{json}}}").into_bytes();
        match self {
            BodyForm::Xml => xml().into_bytes(),
            BodyForm::JsonUnwrapped => json.into_bytes(),
            BodyForm::JsonPacked => {
                let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
                packed.write_all(&wrapped()).expect("a Vec takes every write");
                packed.finish().expect("a Vec takes every write")
            }
            BodyForm::Null => b"null".to_vec(),
            BodyForm::CutOff => json.into_bytes()[..10].to_vec(),
            BodyForm::Json | BodyForm::JsonWithCharset | BodyForm::JsonAsText | BodyForm::JsonOfNoType => {
                wrapped()
            }
        }
    }
}

impl Changed {
    fn query(&self, name: &str, value: Option<&str>) -> String {
        let dirty = self.dirty.as_ref().map(|dirty| match dirty {
            Dirty::Number(number) => number.to_string(),
            Dirty::Word(word) => (*word).to_owned(),
        });
        let pairs = [
            ("status", self.status.map(str::to_owned)),
            (name, value.map(str::to_owned)),
            ("lastDirtyTimestamp", dirty),
        ];
        let pairs = pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", encode(&value?))));
        pairs.collect::<Vec<_>>().join("&")
    }
}

impl Item {
    fn json(&self, target: Target) -> String {
        let dirty = self.dirty.map(|dirty| match self.dirty_as_text {
            true => quoted(&dirty.to_string()),
            false => dirty.to_string(),
        });
        let members = [
            ("appName", Some(quoted(&self.spelling.of(target.app())))),
            ("id", Some(quoted(&target.id()))),
            ("lastDirtyTimestamp", dirty),
            ("status", self.status.map(quoted)),
            ("overriddenStatus", self.overridden.map(quoted)),
            ("instanceInfo", self.document.as_ref().map(|document| document.json(target))),
            ("action", Some(quoted(self.action))),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some(format!("\"{name}\":{}", value?)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

fn pairs_query(pairs: &[(String, Option<String>)]) -> String {
    let pair = |(key, value): &(String, Option<String>)| match value {
        Some(value) => format!("{}={}", encode(key), encode(value)),
        None => encode(key),
    };
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}
