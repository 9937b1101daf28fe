//! An instance in XML, in full or compact, with the elements and the order of Eureka's codecs.

use crate::registry::{DataCenter, Instance, Lease, Metadata, Port, Registration};

use super::json_encode::{COMPACT_AMAZON_KEYS, action_word, data_center_name};
use super::xml_name;
use super::xml_write::XmlWriter;

const AMAZON_CLASS: &str = " class=\"com.netflix.appinfo.AmazonInfo\"";
const DEFAULT_CLASS: &str = " class=\"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo\"";
const EMPTY_MAP_CLASS: &str = " class=\"java.util.Collections$EmptyMap\"";

/// Writes an `<instance>` with everything Eureka shows.
pub(super) fn instance(registration: &Registration, xml: &mut XmlWriter<'_>) {
    let instance = &registration.instance.decode();
    xml.open("instance", "");
    xml.optional_text("instanceId", instance.instance_id.as_deref());
    xml.text("hostName", &instance.host_name);
    xml.text("app", instance.app.as_str());
    xml.text("ipAddr", &instance.ip_addr);
    xml.optional_text("sid", instance.sid.as_deref());
    xml.text("status", registration.status.as_str());
    xml.text("overriddenstatus", registration.overridden_status().as_str());
    port("port", instance.port, xml);
    port("securePort", instance.secure_port, xml);
    xml.number("countryId", i64::from(instance.country_id));
    data_center(&instance.data_center, |_| true, xml);
    lease(instance, &registration.lease, xml);
    metadata(&instance.metadata, |_| true, xml);
    addresses(instance, xml);
    xml.text("isCoordinatingDiscoveryServer", "false");
    xml.number("lastUpdatedTimestamp", registration.last_updated_ms);
    xml.number("lastDirtyTimestamp", registration.last_dirty_ms);
    xml.text("actionType", action_word(registration.action));
    xml.optional_text("asgName", instance.asg_name.as_deref());
    xml.close("instance");
}

/// Writes an `<instance>` with what a caller needs to reach it.
pub(super) fn compact_instance(registration: &Registration, xml: &mut XmlWriter<'_>) {
    let instance = &registration.instance.decode();
    xml.open("instance", "");
    xml.optional_text("instanceId", instance.instance_id.as_deref());
    xml.text("app", instance.app.as_str());
    xml.text("ipAddr", &instance.ip_addr);
    xml.optional_text("vipAddress", instance.vip_address.as_deref());
    xml.optional_text("secureVipAddress", instance.secure_vip_address.as_deref());
    data_center(&instance.data_center, |key| COMPACT_AMAZON_KEYS.contains(&key), xml);
    xml.text("hostName", &instance.host_name);
    xml.text("status", registration.status.as_str());
    xml.number("lastUpdatedTimestamp", registration.last_updated_ms);
    xml.text("actionType", action_word(registration.action));
    xml.optional_text("asgName", instance.asg_name.as_deref());
    port("port", instance.port, xml);
    port("securePort", instance.secure_port, xml);
    xml.close("instance");
}

fn addresses(instance: &Instance, xml: &mut XmlWriter<'_>) {
    xml.optional_text("appGroupName", instance.app_group_name.as_deref());
    xml.optional_text("homePageUrl", instance.home_page_url.as_deref());
    xml.optional_text("statusPageUrl", instance.status_page_url.as_deref());
    xml.optional_text("healthCheckUrl", instance.health_check_url.as_deref());
    xml.optional_text("secureHealthCheckUrl", instance.secure_health_check_url.as_deref());
    xml.optional_text("vipAddress", instance.vip_address.as_deref());
    xml.optional_text("secureVipAddress", instance.secure_vip_address.as_deref());
}

fn port(name: &str, port: Port, xml: &mut XmlWriter<'_>) {
    let attributes = if port.enabled { " enabled=\"true\"" } else { " enabled=\"false\"" };
    xml.number_with(name, attributes, i64::from(port.number));
}

fn data_center(data_center: &DataCenter, keep: impl Fn(&str) -> bool, xml: &mut XmlWriter<'_>) {
    let amazon = matches!(data_center, DataCenter::Amazon(_));
    let class = if amazon { AMAZON_CLASS } else { DEFAULT_CLASS };
    xml.open("dataCenterInfo", class);
    xml.text("name", data_center_name(data_center));
    if let DataCenter::Amazon(pairs) = data_center {
        metadata(pairs, keep, xml);
    }
    xml.close("dataCenterInfo");
}

fn lease(instance: &Instance, lease: &Lease, xml: &mut XmlWriter<'_>) {
    xml.open("leaseInfo", "");
    xml.number("renewalIntervalInSecs", i64::from(instance.renewal_interval_secs));
    xml.number("durationInSecs", i64::from(instance.duration_secs));
    xml.number("registrationTimestamp", lease.registered_ms);
    xml.number("lastRenewalTimestamp", lease.renewed_ms);
    xml.number("evictionTimestamp", lease.evicted_ms);
    xml.number("serviceUpTimestamp", lease.service_up_ms);
    xml.close("leaseInfo");
}

fn metadata(pairs: &Metadata, keep: impl Fn(&str) -> bool, xml: &mut XmlWriter<'_>) {
    let mut kept = pairs.iter().filter(|(key, _)| keep(key)).peekable();
    if kept.peek().is_none() {
        xml.empty("metadata", EMPTY_MAP_CLASS);
        return;
    }
    xml.open("metadata", "");
    for (key, value) in kept {
        xml.text(&xml_name::encode(key), value);
    }
    xml.close("metadata");
}
