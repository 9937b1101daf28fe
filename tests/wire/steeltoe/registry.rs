//! Steeltoe's registry: what it reads of an answer, and how strictly (`JsonApplications`,
//! `JsonInstanceInfo` and the converters beside them in its `Transport` directory), and how it merges
//! a delta (`ApplicationInfoCollection`).

#![expect(dead_code, reason = "fields are what Steeltoe reads, whether a test looks at them or not")]

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// `System.DateTime` begins with the year 1 and ends with 9999; Steeltoe gives up an answer with another time.
const FIRST_MS: i64 = -62_135_596_800_000;
const LAST_MS: i64 = 253_402_300_799_999;

#[derive(Debug, Deserialize)]
pub struct Root {
    pub applications: Applications,
}

#[derive(Debug, Deserialize)]
pub struct Applications {
    #[serde(rename = "apps__hashcode")]
    pub hash: Option<String>,
    #[serde(rename = "versions__delta", deserialize_with = "number_or_text")]
    _version: i64,
    application: Vec<Application>,
}

#[derive(Debug, Deserialize)]
struct Application {
    name: String,
    instance: Vec<Instance>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    instance_id: Option<String>,
    app: String,
    host_name: String,
    ip_addr: String,
    port: Port,
    secure_port: Port,
    country_id: Option<i32>,
    data_center_info: DataCenter,
    pub status: Option<Status>,
    overridden_status: Option<Status>,
    lease_info: Option<Lease>,
    is_coordinating_discovery_server: Text,
    pub metadata: Option<BTreeMap<String, Option<String>>>,
    #[serde(deserialize_with = "time")]
    last_updated_timestamp: i64,
    #[serde(deserialize_with = "time")]
    last_dirty_timestamp: i64,
    action_type: Option<Action>,
}

#[derive(Debug, Clone, Deserialize)]
struct Port {
    #[serde(rename = "@enabled")]
    enabled: Text,
    #[serde(rename = "$")]
    number: i32,
}

#[derive(Debug, Clone, Deserialize)]
struct DataCenter {
    name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lease {
    renewal_interval_in_secs: i32,
    duration_in_secs: i32,
    #[serde(deserialize_with = "time")]
    registration_timestamp: i64,
    #[serde(deserialize_with = "time")]
    last_renewal_timestamp: i64,
    #[serde(deserialize_with = "time")]
    eviction_timestamp: i64,
    #[serde(deserialize_with = "time")]
    service_up_timestamp: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    Down,
    OutOfService,
    Starting,
    Unknown,
    Up,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Action {
    Added,
    Modified,
    Deleted,
}

/// A boolean, or one in a string.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "BoolOrText")]
struct Text(bool);

#[derive(Deserialize)]
#[serde(untagged)]
enum BoolOrText {
    Bool(bool),
    Text(String),
}

impl TryFrom<BoolOrText> for Text {
    type Error = std::str::ParseBoolError;

    fn try_from(value: BoolOrText) -> Result<Self, Self::Error> {
        match value {
            BoolOrText::Bool(value) => Ok(Self(value)),
            BoolOrText::Text(text) => text.parse().map(Self),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(i64),
    Text(String),
}

fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    match NumberOrText::deserialize(deserializer)? {
        NumberOrText::Number(number) => Ok(number),
        NumberOrText::Text(text) => parsed(&text),
    }
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    match number_or_text(deserializer)? {
        ms if (FIRST_MS..=LAST_MS).contains(&ms) => Ok(ms),
        ms => Err(D::Error::custom(format!("{ms} is no time"))),
    }
}

fn parsed<T: FromStr<Err: Display>, E: Error>(text: &str) -> Result<T, E> {
    text.parse().map_err(|error| E::custom(format!("{text}: {error}")))
}

/// What a client has fetched, by application and id.
#[derive(Debug, Default)]
pub struct Registry(BTreeMap<String, BTreeMap<String, Instance>>);

impl Registry {
    pub fn of(applications: Applications) -> Self {
        let mut registry = Self::default();
        for application in applications.application {
            for instance in application.instance {
                registry.add(&application.name, instance);
            }
        }
        registry
    }

    pub fn merge(&mut self, delta: Applications) {
        for application in delta.application {
            for instance in application.instance {
                match instance.action_type {
                    Some(Action::Added | Action::Modified) => self.add(&application.name, instance),
                    Some(Action::Deleted) => self.remove(&application.name, &instance),
                    None => {}
                }
            }
        }
    }

    /// `ComputeHashCode`.
    pub fn hash(&self) -> String {
        let mut counts = BTreeMap::new();
        for instance in self.0.values().flat_map(BTreeMap::values) {
            *counts.entry(instance.status.unwrap_or(Status::Unknown)).or_insert(0) += 1;
        }
        counts.into_iter().map(|(status, count)| format!("{}_{count}_", status.name())).collect()
    }

    pub fn get(&self, app: &str, id: &str) -> Option<&Instance> {
        self.0.get(app)?.get(id)
    }

    /// An instance that lacks what Steeltoe needs is left out.
    fn add(&mut self, app: &str, instance: Instance) {
        let needed = [&instance.app, &instance.host_name, &instance.ip_addr, &instance.data_center_info.name];
        if let (Some(id), false) = (&instance.instance_id, needed.iter().any(|text| text.trim().is_empty())) {
            self.0.entry(app.to_owned()).or_default().insert(id.clone(), instance);
        }
    }

    fn remove(&mut self, app: &str, instance: &Instance) {
        if let (Some(instances), Some(id)) = (self.0.get_mut(app), &instance.instance_id) {
            instances.remove(id);
        }
    }
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Down => "DOWN",
            Self::OutOfService => "OUT_OF_SERVICE",
            Self::Starting => "STARTING",
            Self::Unknown => "UNKNOWN",
            Self::Up => "UP",
        }
    }
}
