//! Bodies for tests: recorded ones of a real Eureka server (Spring Cloud Netflix 5.0.2), and the
//! shapes in which other clients write.

use serde_json::Value;

use super::decode::decode_document;
use super::format::RequestFormat;
use crate::registry::{Action, Keeper, Lease, Registration, Status};

macro_rules! recorded {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/eureka/", $name))
    };
}

pub const APPS_JSON: &str = recorded!("apps.json");
pub const APPS_XML: &str = recorded!("apps.xml");
/// The compact ones were recorded with `registeredApplicationsEmpty`, a getter that leaks into the
/// newest servers' answers and is left out here.
pub const APPS_COMPACT_JSON: &str = recorded!("apps_compact.json");
pub const APPS_COMPACT_XML: &str = recorded!("apps_compact.xml");
pub const REGISTER_ALL_FIELDS: &str = recorded!("register_all_fields.json");
pub const INSTANCE_ALL_FIELDS_JSON: &str = recorded!("instance_all_fields.json");
pub const INSTANCE_ALL_FIELDS_XML: &str = recorded!("instance_all_fields.xml");
/// Recorded with an element `<>` too, which is not XML.
pub const INSTANCE_XML: &str = recorded!("instance_odd_keys.xml");
/// One item of each action, from the batches that a real server sent its peer.
pub const BATCH_SENT: &str = recorded!("batch_sent.json");

pub const REGISTER_AMAZON: &str = r#"{"instance":{"instanceId":"i-0123456789abcdef0","hostName":"mini.local","app":"AWSAPP","ipAddr":"10.2.2.2","dataCenterInfo":{"@class":"com.netflix.appinfo.AmazonInfo","name":"Amazon","metadata":{"ami-id":"ami-0abcdef1","instance-id":"i-0123456789abcdef0","availability-zone":"us-east-1a"}}}}"#;

/// As fargo posts it by default: no class, an empty override, a lease of zeros.
pub const FARGO_XML: &str = "<instance><instanceId>i-1</instanceId><hostName>h1</hostName><app>BILLING</app>\
<ipAddr>10.1.2.3</ipAddr><vipAddress>billing</vipAddress><secureVipAddress></secureVipAddress>\
<status>UP</status><overriddenstatus></overriddenstatus><port enabled=\"true\">7101</port>\
<securePort enabled=\"false\">0</securePort><countryId>1</countryId><dataCenterInfo><name>MyOwn</name>\
</dataCenterInfo><leaseInfo><renewalIntervalInSecs>0</renewalIntervalInSecs><durationInSecs>0\
</durationInSecs><registrationTimestamp>0</registrationTimestamp><lastRenewalTimestamp>0\
</lastRenewalTimestamp><evictionTimestamp>0</evictionTimestamp><serviceUpTimestamp>0\
</serviceUpTimestamp></leaseInfo><metadata></metadata></instance>";

/// The same instance of application billing on port 7101, as clients other than Netflix's write it.
pub const OTHER_CLIENTS: [&str; 7] = [
    // Spring: true JSON types, nulls for what is not set, ports and metadata at the end.
    r#"{"instance":{"instanceId":"h1:billing:7101","app":"BILLING","appGroupName":null,"ipAddr":"10.1.2.3","sid":"na","homePageUrl":"http://h1:7101/","statusPageUrl":null,"healthCheckUrl":null,"secureHealthCheckUrl":null,"vipAddress":"billing","secureVipAddress":"billing","countryId":1,"dataCenterInfo":{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"},"hostName":"h1","status":"UP","overriddenStatus":"UNKNOWN","leaseInfo":{"renewalIntervalInSecs":30,"durationInSecs":90,"registrationTimestamp":0,"lastRenewalTimestamp":0,"evictionTimestamp":0,"serviceUpTimestamp":0},"isCoordinatingDiscoveryServer":false,"lastUpdatedTimestamp":1700000000000,"lastDirtyTimestamp":1700000000000,"actionType":null,"asgName":null,"port":{"$":7101,"@enabled":"true"},"securePort":{"$":443,"@enabled":"false"},"metadata":{"management.port":"7102"}}}"#,
    // Steeltoe: the override in lower case, lease times as texts.
    r#"{"instance":{"instanceId":"h1:billing:7101","app":"BILLING","ipAddr":"10.1.2.3","sid":"na","port":{"@enabled":"true","$":7101},"securePort":{"@enabled":"false","$":0},"vipAddress":"billing","secureVipAddress":"billing","countryId":1,"dataCenterInfo":{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"},"hostName":"h1","status":"UP","overriddenstatus":"UNKNOWN","leaseInfo":{"renewalIntervalInSecs":30,"durationInSecs":90,"registrationTimestamp":"0","lastRenewalTimestamp":"0","renewalTimestamp":"0","evictionTimestamp":"0","serviceUpTimestamp":"0"},"metadata":{"@class":"java.util.Collections$EmptyMap"},"lastUpdatedTimestamp":"1700000000000","lastDirtyTimestamp":"1700000000000"}}"#,
    // py-eureka-client.
    r#"{"instance": {"instanceId": "h1:billing:7101", "hostName": "h1", "app": "BILLING", "ipAddr": "10.1.2.3", "port": {"$": 7101, "@enabled": "true"}, "securePort": {"$": 9443, "@enabled": "false"}, "countryId": 1, "dataCenterInfo": {"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn"}, "leaseInfo": {"renewalIntervalInSecs": 30, "durationInSecs": 90, "registrationTimestamp": 0, "lastRenewalTimestamp": 0, "evictionTimestamp": 0, "serviceUpTimestamp": 0}, "metadata": {}, "homePageUrl": "", "vipAddress": "billing", "isCoordinatingDiscoveryServer": "false", "lastUpdatedTimestamp": "1700000000000", "lastDirtyTimestamp": "1700000000000", "status": "UP", "overriddenstatus": "UNKNOWN"}}"#,
    // fargo as JSON: ports as texts, a data center class of its own.
    r#"{"instance":{"instanceId":"i-1","hostName":"h1","app":"BILLING","ipAddr":"10.1.2.3","vipAddress":"billing","secureVipAddress":"","status":"UP","overriddenstatus":"","port":{"$":"7101","@enabled":"true"},"securePort":{"$":"0","@enabled":"false"},"homePageUrl":"","statusPageUrl":"","healthCheckUrl":"","countryId":0,"dataCenterInfo":{"name":"MyOwn","@class":"com.netflix.appinfo.MyDataCenterInfo"},"leaseInfo":{"renewalIntervalInSecs":0,"durationInSecs":0,"registrationTimestamp":0,"lastRenewalTimestamp":0,"evictionTimestamp":0,"serviceUpTimestamp":0},"metadata":null}}"#,
    // go-eureka-client: no id, no times, a lease of one odd field.
    r#"{"instance":{"hostName":"h1","app":"billing","ipAddr":"10.1.2.3","vipAddress":"billing","secureVipAddress":"billing","status":"UP","port":{"$":7101,"@enabled":true},"securePort":{"$":0,"@enabled":false},"dataCenterInfo":{"name":"MyOwn","@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo"},"leaseInfo":{"evictionDurationInSecs":30},"metadata":{"foo":"bar"}}}"#,
    // eureka-js-client: what its user typed.
    r#"{"instance":{"app":"billing","hostName":"h1","ipAddr":"10.1.2.3","port":{"$":7101,"@enabled":true},"vipAddress":"billing","dataCenterInfo":{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"},"registerWithEureka":true,"tags":["a"],"status":"UP"}}"#,
    // Java clients of old, through Jettison, and hand-written scripts: bare ports, texts for all.
    r#"{"hostName":"h1","app":"BILLING","ipAddr":"10.1.2.3","port":"7101","securePort":7102,"countryId":"1","dataCenterInfo":{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"},"leaseInfo":{"renewalIntervalInSecs":"30","durationInSecs":"90"},"isCoordinatingDiscoveryServer":"false","identifyingAttribute":{"a":"b"},"lastDirtyTimestamp":"1700000000000"}"#,
];

/// The instance of [`APPS_JSON`].
pub fn demo() -> Registration {
    let page: Value = serde_json::from_str(APPS_JSON).unwrap();
    let raw = &APPS_JSON[APPS_JSON.find(r#"{"instanceId""#).unwrap()..APPS_JSON.rfind("]}]}}").unwrap()];
    let times = &page["applications"]["application"][0]["instance"][0];
    shown(&format!(r#"{{"instance":{raw}}}"#), times)
}

/// An instance as a recorded answer shows it.
pub fn answered(answer: &str) -> Registration {
    let document: Value = serde_json::from_str(answer).unwrap();
    shown(answer, &document["instance"])
}

/// An instance as a recorded request registers it.
pub fn registered(request: &str) -> Registration {
    let document = decode_document(RequestFormat::Json, request.as_bytes()).unwrap();
    let app = document.app.clone();
    let accepted = document.into_registration(&app).unwrap();
    Registration {
        status: accepted.instance.status,
        overridden: Some(accepted.instance.overridden_status).filter(|status| *status != Status::Unknown),
        last_dirty_ms: accepted.last_dirty_ms.unwrap_or(1_700_000_000_000),
        last_updated_ms: 1_700_000_000_000,
        action: Action::Added,
        lease: Lease {
            duration_ms: u64::from(accepted.instance.duration_secs) * 1000,
            registered_ms: 1_700_000_000_000,
            renewed_ms: 1_700_000_000_000,
            evicted_ms: 0,
            service_up_ms: 1_700_000_000_000,
            renew_seq: 1,
            keeper: Keeper::Client,
        },
        instance: accepted.instance.into(),
    }
}

fn shown(answer: &str, document: &Value) -> Registration {
    let mut registration = registered(answer);
    let lease = &document["leaseInfo"];
    let time = |value: &Value| value.as_i64().unwrap();
    registration.lease.registered_ms = time(&lease["registrationTimestamp"]);
    registration.lease.renewed_ms = time(&lease["lastRenewalTimestamp"]);
    registration.lease.evicted_ms = time(&lease["evictionTimestamp"]);
    registration.lease.service_up_ms = time(&lease["serviceUpTimestamp"]);
    registration.last_updated_ms = document["lastUpdatedTimestamp"].as_str().unwrap().parse().unwrap();
    registration
}
