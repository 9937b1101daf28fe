//! Instances in JSON as text, so that numbers have any spelling, names any escapes, and members repeat.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const TEXTS: &str = "instanceId hostName ipAddr sid app appGroupName homePageUrl statusPageUrl healthCheckUrl \
     secureHealthCheckUrl vipAddress secureVipAddress asgName identifyingAttribute";
const OTHERS: &str = "status overriddenStatus overriddenstatus port securePort countryId leaseInfo metadata \
     dataCenterInfo lastDirtyTimestamp lastUpdatedTimestamp actionType";
const NAMES: &str = "$ @enabled enabled port @class name metadata instance-id instanceId a:b xmlns _ durationInSecs \
     renewalIntervalInSecs \\u0061 \\u0000";
const SCALARS: &str = r#"null true false 0 -0 1 8080 -1 1.5 1e3 1E-3 1e999 99999999999999999999 -99999999999999999999
    0.1e0 "" "UP" "up" "OUT_OF_SERVICE" "true" "8080" "1e3" "inf" "na" "unknown" "MyOwn" "Amazon"
    "com.netflix.appinfo.AmazonInfo" "\ud83d\ude00" "\u0000\u001f\ufffe" "\ud800" "a,b,\u0020,c" "\"\\\/\b\f\n\r\t""#;
const DEFAULT_CLASS: &str = "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo";

pub fn registration() -> impl Strategy<Value = String> {
    let wrapped = instance().prop_map(|instance| format!("{{\"instance\":{instance}}}"));
    prop_oneof![4 => wrapped, 1 => instance()]
}

pub fn batch() -> impl Strategy<Value = String> {
    let action = select(vec!["Register", "Heartbeat", "Cancel", "StatusUpdate", "DeleteStatusOverride"]);
    let item = (instance(), action, words(SCALARS)).prop_map(|(instance, action, scalar)| {
        format!(
            r#"{{"appName":"FUZZ","id":"i","action":"{action}","status":{scalar},"instanceInfo":{instance}}}"#
        )
    });
    vec(item, 0..4).prop_map(|items| format!("{{\"replicationList\":[{}]}}", items.join(",")))
}

/// What a server may answer to a read of all, or of recent changes.
pub fn applications() -> impl Strategy<Value = String> {
    let instances = prop_oneof![
        3 => vec(instance(), 0..4).prop_map(|instances| format!("[{}]", instances.join(","))),
        1 => instance(),
        1 => value(),
    ];
    let application = (instances, words(SCALARS), text()).prop_map(|(instances, hash, name)| {
        format!(
            r#"{{"applications":{{"apps__hashcode":{hash},"application":[{{"name":{name},"instance":{instances}}}]}}}}"#
        )
    });
    let answer = value()
        .prop_map(|value| format!(r#"{{"applications":{{"application":{value}}},"responseList":{value}}}"#));
    prop_oneof![4 => application, 1 => answer]
}

/// One of the words of a text.
pub fn words(text: &'static str) -> impl Strategy<Value = &'static str> + Clone {
    select(text.split_whitespace().collect::<Vec<_>>())
}

/// An object of everything an instance needs, and of members that may spoil it.
fn instance() -> impl Strategy<Value = String> {
    let needed = [
        r#""app":"fuzz""#.to_owned(),
        r#""hostName":"h""#.to_owned(),
        r#""ipAddr":"10.0.0.1""#.to_owned(),
        format!(r#""dataCenterInfo":{{"@class":"{DEFAULT_CLASS}","name":"MyOwn"}}"#),
    ];
    vec(member(), 0..8)
        .prop_map(move |members| needed.iter().cloned().chain(members).collect())
        .prop_shuffle()
        .prop_map(|members: Vec<String>| format!("{{{}}}", members.join(",")))
}

fn member() -> impl Strategy<Value = String> {
    let pair = |(name, value): (&str, String)| format!("\"{name}\":{value}");
    prop_oneof![
        6 => (words(TEXTS), text()).prop_map(pair),
        2 => (words(TEXTS), value()).prop_map(pair),
        4 => (words(OTHERS), value()).prop_map(pair),
        4 => object(text()).prop_map(|pairs| format!("\"metadata\":{pairs}")),
        2 => object(value()).prop_map(|pairs| format!("\"metadata\":{pairs}")),
        1 => object(text()).prop_map(|pairs| {
            format!(r#""dataCenterInfo":{{"@class":"com.netflix.appinfo.AmazonInfo","metadata":{pairs}}}"#)
        }),
        1 => object(value()).prop_map(|pairs| format!("\"leaseInfo\":{pairs}")),
        1 => (text(), value()).prop_map(|(name, value)| format!("{name}:{value}")),
    ]
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let quoted = |name: &str| format!("\"{name}\"");
    let name = prop_oneof![words(NAMES).prop_map(quoted), Just(r#""""#.to_owned()), text()];
    let pair = (name, value).prop_map(|(name, value)| format!("{name}: {value}"));
    vec(pair, 0..5).prop_map(|pairs| format!("{{{}}}", pairs.join(" ,")))
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![words(SCALARS).prop_map(str::to_owned), text()];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let list = vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(",")));
        prop_oneof![list, object(inner)]
    })
}

/// Any text, quoted.
fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..6).prop_map(|text| serde_json::Value::from(String::from_iter(text)).to_string())
}
