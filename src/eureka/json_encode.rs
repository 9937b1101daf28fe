//! An instance in JSON, in full or compact, with the members, the order and the types of Eureka's
//! codecs. All three are load-bearing: clients refuse members they do not know.

use serde::Serialize;

use crate::registry::{Action, DataCenter, Instance, Lease, Metadata, Port, Registration};

use super::data_center_json::{AMAZON_CLASS, DEFAULT_CLASS};
use super::json_decode::CLASS_KEY;

/// The class that stands for metadata without any pair.
const EMPTY_MAP_CLASS: &str = "java.util.Collections$EmptyMap";

/// What compact forms keep of Amazon's metadata.
pub(super) const COMPACT_AMAZON_KEYS: [&str; 5] =
    ["instance-id", "public-ipv4", "public-hostname", "local-ipv4", "availability-zone"];

/// Writes an object with everything Eureka shows.
pub(super) fn instance(registration: &Registration, out: &mut Vec<u8>) {
    let instance = &registration.instance.decode();
    let mut json = Object::open(out);
    json.optional("instanceId", instance.instance_id.as_deref());
    json.member("hostName", &*instance.host_name);
    json.member("app", instance.app.as_str());
    json.member("ipAddr", &*instance.ip_addr);
    json.optional("sid", instance.sid.as_deref());
    json.member("status", registration.status.as_str());
    json.member("overriddenStatus", registration.overridden_status().as_str());
    port(instance.port, json.name("port"));
    port(instance.secure_port, json.name("securePort"));
    json.member("countryId", instance.country_id);
    data_center(&instance.data_center, |_| true, json.name("dataCenterInfo"));
    lease(instance, &registration.lease, json.name("leaseInfo"));
    metadata(&instance.metadata, json.name("metadata"));
    addresses(instance, &mut json);
    json.member("isCoordinatingDiscoveryServer", "false");
    json.digits("lastUpdatedTimestamp", registration.last_updated_ms);
    json.digits("lastDirtyTimestamp", registration.last_dirty_ms);
    json.member("actionType", action_word(registration.action));
    json.optional("asgName", instance.asg_name.as_deref());
    json.close();
}

/// Writes an object with what a caller needs to reach the instance.
pub(super) fn compact_instance(registration: &Registration, out: &mut Vec<u8>) {
    let instance = &registration.instance.decode();
    let mut json = Object::open(out);
    json.optional("instanceId", instance.instance_id.as_deref());
    json.member("app", instance.app.as_str());
    json.member("ipAddr", &*instance.ip_addr);
    json.optional("vipAddress", instance.vip_address.as_deref());
    json.optional("secureVipAddress", instance.secure_vip_address.as_deref());
    let keep = |key: &str| COMPACT_AMAZON_KEYS.contains(&key);
    data_center(&instance.data_center, keep, json.name("dataCenterInfo"));
    json.member("hostName", &*instance.host_name);
    json.member("status", registration.status.as_str());
    json.member("lastUpdatedTimestamp", registration.last_updated_ms);
    json.member("actionType", action_word(registration.action));
    json.optional("asgName", instance.asg_name.as_deref());
    port(instance.port, json.name("port"));
    port(instance.secure_port, json.name("securePort"));
    json.close();
}

/// Appends a text or number.
pub(super) fn scalar(value: impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, &value).expect("a Vec takes every write, and scalars have no bad keys");
}

pub(super) const fn action_word(action: Action) -> &'static str {
    match action {
        Action::Added => "ADDED",
        Action::Modified => "MODIFIED",
        Action::Deleted => "DELETED",
    }
}

pub(super) const fn data_center_name(data_center: &DataCenter) -> &'static str {
    match data_center {
        DataCenter::MyOwn => "MyOwn",
        DataCenter::Netflix => "Netflix",
        DataCenter::Amazon(_) => "Amazon",
    }
}

fn addresses(instance: &Instance, json: &mut Object<'_>) {
    json.optional("appGroupName", instance.app_group_name.as_deref());
    json.optional("homePageUrl", instance.home_page_url.as_deref());
    json.optional("statusPageUrl", instance.status_page_url.as_deref());
    json.optional("healthCheckUrl", instance.health_check_url.as_deref());
    json.optional("secureHealthCheckUrl", instance.secure_health_check_url.as_deref());
    json.optional("vipAddress", instance.vip_address.as_deref());
    json.optional("secureVipAddress", instance.secure_vip_address.as_deref());
}

fn port(port: Port, out: &mut Vec<u8>) {
    let mut json = Object::open(out);
    json.member("$", port.number);
    json.member("@enabled", if port.enabled { "true" } else { "false" });
    json.close();
}

fn data_center(data_center: &DataCenter, keep: impl Fn(&str) -> bool, out: &mut Vec<u8>) {
    let amazon = matches!(data_center, DataCenter::Amazon(_));
    let mut json = Object::open(out);
    json.member(CLASS_KEY, if amazon { AMAZON_CLASS } else { DEFAULT_CLASS });
    json.member("name", data_center_name(data_center));
    if let DataCenter::Amazon(pairs) = data_center {
        let mut inner = Object::open(json.name("metadata"));
        for (key, value) in pairs.iter().filter(|(key, _)| keep(key)) {
            inner.escaped_name(key);
            scalar(value, inner.out);
        }
        inner.close();
    }
    json.close();
}

fn lease(instance: &Instance, lease: &Lease, out: &mut Vec<u8>) {
    let mut json = Object::open(out);
    json.member("renewalIntervalInSecs", instance.renewal_interval_secs);
    json.member("durationInSecs", instance.duration_secs);
    json.member("registrationTimestamp", lease.registered_ms);
    json.member("lastRenewalTimestamp", lease.renewed_ms);
    json.member("evictionTimestamp", lease.evicted_ms);
    json.member("serviceUpTimestamp", lease.service_up_ms);
    json.close();
}

fn metadata(pairs: &Metadata, out: &mut Vec<u8>) {
    let mut json = Object::open(out);
    if pairs.is_empty() {
        json.member(CLASS_KEY, EMPTY_MAP_CLASS);
    }
    for (key, value) in pairs.iter() {
        json.escaped_name(key);
        scalar(value, json.out);
    }
    json.close();
}

/// Appends the members of an object, with commas between them.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl<'o> Object<'o> {
    pub fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    pub fn close(self) {
        self.out.push(b'}');
    }

    pub fn member(&mut self, name: &str, value: impl Serialize) {
        scalar(value, self.name(name));
    }

    pub fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.member(name, text);
        }
    }

    /// A number that clients expect as a text.
    fn digits(&mut self, name: &str, number: i64) {
        let out = self.name(name);
        out.push(b'"');
        scalar(number, out);
        out.push(b'"');
    }

    /// A name of ours, in which nothing needs escaping; its value is to follow.
    pub fn name(&mut self, name: &str) -> &mut Vec<u8> {
        self.comma();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A name of a client's; its value is to follow.
    fn escaped_name(&mut self, name: &str) {
        self.comma();
        scalar(name, self.out);
        self.out.push(b':');
    }

    fn comma(&mut self) {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
    }
}
