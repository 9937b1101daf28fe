//! The members that a document may have or not, well or badly written.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;

use super::target::Target;
use super::text::{Scalar, element_name, quoted, status_words, text, texts};

/// When clients said their documents were last changed, milliseconds: around this.
pub const DIRTY_MS: i64 = 1_700_000_000_000;

#[derive(Debug, Clone)]
pub enum Member {
    Scalar(&'static str, Scalar),
    Port(&'static str, Port),
    /// `None` for null.
    Lease(Option<BTreeMap<&'static str, Scalar>>),
    /// `None` for null.
    Metadata(Option<BTreeMap<String, Scalar>>),
    /// One that no server knows, as JSON; of no meaning in XML either.
    Unknown(&'static str),
}

/// A port's number and switch, each of which may be left out.
#[derive(Debug, Clone)]
pub struct Port {
    number: Option<Scalar>,
    enabled: Option<Scalar>,
    form: PortForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PortForm {
    Usual,
    SwitchFirst,
    Null,
    /// Just the number.
    Bare,
    /// `port` and `enabled` instead of `$` and `@enabled`.
    OtherNames,
}

impl Member {
    pub fn name(&self) -> &'static str {
        match self {
            Member::Scalar(name, _) | Member::Port(name, _) => name,
            Member::Lease(_) => "leaseInfo",
            Member::Metadata(_) => "metadata",
            Member::Unknown(_) => "newMember",
        }
    }

    pub fn overrides(&self) -> bool {
        self.name().eq_ignore_ascii_case("overriddenStatus")
    }

    /// Whether a Eureka server refuses it in JSON.
    pub fn needs_lenience(&self) -> bool {
        match self {
            Member::Port(_, port) => matches!(port.form, PortForm::Bare | PortForm::OtherNames),
            Member::Unknown(_) => true,
            _ => false,
        }
    }

    /// Its value in JSON.
    pub fn json(&self, target: Target) -> String {
        match self {
            Member::Scalar(_, value) => value.json(),
            Member::Port(_, port) => port.json(),
            Member::Lease(Some(times)) => object(times.iter().map(|(name, value)| (*name, value))),
            Member::Metadata(pairs) => metadata_json(pairs.as_ref(), target),
            Member::Lease(None) => "null".to_owned(),
            Member::Unknown(value) => (*value).to_owned(),
        }
    }

    /// Its element in XML; empty where there is none.
    pub fn xml(&self) -> String {
        let name = self.name();
        match self {
            Member::Scalar(_, value) => element(name, "", value.xml()),
            Member::Port(_, port) => port.xml(name),
            Member::Lease(Some(times)) => {
                let times: String =
                    times.iter().map(|(name, value)| element(name, "", value.xml())).collect();
                element(name, "", Some(times))
            }
            Member::Metadata(Some(pairs)) => {
                let named = pairs.iter().filter(|(key, _)| !key.is_empty());
                let pairs = named.map(|(key, value)| element(&element_name(key), "", value.xml()));
                element(name, "", Some(pairs.collect()))
            }
            Member::Lease(None) | Member::Metadata(None) => String::new(),
            Member::Unknown(_) => element(name, "", Some("<a><b>1</b></a>".to_owned())),
        }
    }
}

impl Port {
    fn json(&self) -> String {
        let (number_name, switch_name) = match self.form {
            PortForm::Null => return "null".to_owned(),
            PortForm::Bare => return self.number.as_ref().map_or_else(|| "80".to_owned(), Scalar::json),
            PortForm::OtherNames => ("port", "enabled"),
            PortForm::Usual | PortForm::SwitchFirst => ("$", "@enabled"),
        };
        let number = self.number.as_ref().map(|number| (number_name, number));
        let switch = self.enabled.as_ref().map(|switch| (switch_name, switch));
        match self.form {
            PortForm::SwitchFirst => object(switch.into_iter().chain(number)),
            _ => object(number.into_iter().chain(switch)),
        }
    }

    fn xml(&self, name: &str) -> String {
        let enabled = self.enabled.as_ref().and_then(Scalar::xml);
        let attributes = enabled.map_or_else(String::new, |enabled| format!(" enabled=\"{enabled}\""));
        element(name, &attributes, self.number.as_ref().and_then(Scalar::xml))
    }
}

fn metadata_json(pairs: Option<&BTreeMap<String, Scalar>>, target: Target) -> String {
    let id = target.id_in_metadata().map(text);
    match pairs {
        None if id.is_none() => "null".to_owned(),
        pairs => {
            let pairs = pairs.into_iter().flatten().map(|(key, value)| (key.as_str(), value));
            object(pairs.chain(id.as_ref().map(|id| ("instanceId", id))))
        }
    }
}

fn object<'a>(members: impl Iterator<Item = (&'a str, &'a Scalar)>) -> String {
    let members: Vec<String> =
        members.map(|(name, value)| format!("{}:{}", quoted(name), value.json())).collect();
    format!("{{{}}}", members.join(","))
}

fn element(name: &str, attributes: &str, content: Option<String>) -> String {
    content.map_or_else(String::new, |content| format!("<{name}{attributes}>{content}</{name}>"))
}

pub fn members() -> impl Strategy<Value = Vec<Member>> {
    let dirty = dirty_times().prop_map(|time| Member::Scalar("lastDirtyTimestamp", time));
    let members = (proptest::option::weighted(0.8, dirty), proptest::collection::vec(member(), 0..8));
    members.prop_map(|(dirty, members)| dirty.into_iter().chain(members).collect())
}

fn member() -> impl Strategy<Value = Member> {
    let status = prop_oneof![15 => status_words().prop_map(text), 1 => Just(Scalar::Bare("null"))];
    let status = (select(vec!["status"; 1]), status);
    let overridden = prop_oneof![12 => status_words().prop_map(text), 1 => Just(Scalar::Bare("null"))];
    let overridden = (select(vec!["overriddenStatus", "overriddenstatus"]), overridden);
    let scalar = |name_and_value: (&'static str, Scalar)| Member::Scalar(name_and_value.0, name_and_value.1);
    prop_oneof![
        60 => status.prop_map(scalar),
        20 => overridden.prop_map(scalar),
        40 => metadata().prop_map(Member::Metadata),
        30 => (select(vec!["port", "securePort"]), ports()).prop_map(|(name, port)| Member::Port(name, port)),
        20 => leases().prop_map(Member::Lease),
        40 => addresses().prop_map(scalar),
        30 => others().prop_map(scalar),
        1 => select(vec!["{\"a\":1}", "[1]", "{\"a\":{\"b\":[{}]}}"]).prop_map(Member::Unknown),
    ]
}

/// Few times, so that older, equal and newer ones meet; more of them newer than documents are.
pub fn dirty_numbers() -> impl Strategy<Value = i64> {
    prop_oneof![16 => (0..6i64).prop_map(|more| DIRTY_MS + more), 1 => select(vec![0, -1])]
}

fn dirty_times() -> impl Strategy<Value = Scalar> {
    let number = prop_oneof![16 => (0..4i64).prop_map(|more| DIRTY_MS + more), 1 => Just(0)];
    prop_oneof![
        16 => number.prop_map(|number| text(&number.to_string())),
        4 => select(vec!["1700000000000", "1700000000001", "1700000000002"]).prop_map(Scalar::Bare),
        1 => Just(text("soon")),
        1 => Just(Scalar::Bare("null")),
    ]
}

fn ports() -> impl Strategy<Value = Port> {
    let number = prop_oneof![
        4 => select(vec!["8080", "0", "-1", "443"]).prop_map(Scalar::Bare),
        2 => select(vec!["8080", "0", "7001"]).prop_map(text),
        1 => select(vec!["x", "", " 80"]).prop_map(text),
        1 => Just(Scalar::Bare("null")),
    ];
    let enabled = prop_oneof![
        4 => select(vec!["true", "false"]).prop_map(text),
        3 => select(vec!["true", "false", "1", "0", "null"]).prop_map(Scalar::Bare),
        1 => select(vec!["TRUE", "yes", "", "1"]).prop_map(text),
    ];
    let form = prop_oneof![
        20 => Just(PortForm::Usual),
        6 => Just(PortForm::SwitchFirst),
        2 => Just(PortForm::Null),
        1 => select(vec![PortForm::Bare, PortForm::OtherNames]),
    ];
    (proptest::option::weighted(0.9, number), proptest::option::weighted(0.8, enabled), form)
        .prop_map(|(number, enabled, form)| Port { number, enabled, form })
}

/// None that would end while a sequence is played, and none that a 32-bit number of milliseconds
/// cannot hold.
fn leases() -> impl Strategy<Value = Option<BTreeMap<&'static str, Scalar>>> {
    let name = select(vec![
        "renewalIntervalInSecs",
        "durationInSecs",
        "registrationTimestamp",
        "lastRenewalTimestamp",
        "renewalTimestamp",
        "evictionTimestamp",
        "serviceUpTimestamp",
        "evictionDurationInSecs",
    ]);
    let value = prop_oneof![
        5 => select(vec!["90", "60", "0", "-5", "2147483", "1700000000"]).prop_map(Scalar::Bare),
        2 => select(vec!["90", "300"]).prop_map(text),
    ];
    let bounded = |name: &&'static str, value: Scalar| match (*name, value) {
        ("durationInSecs", Scalar::Bare("1700000000")) => Scalar::Bare("100"),
        (_, value) => value,
    };
    let times = proptest::collection::btree_map(name, value, 0..5).prop_map(move |times| {
        times.into_iter().map(|(name, value)| (name, bounded(&name, value))).collect()
    });
    proptest::option::weighted(0.9, times)
}

fn metadata() -> impl Strategy<Value = Option<BTreeMap<String, Scalar>>> {
    let value = prop_oneof![8 => texts(), 1 => Just(Scalar::Bare("null"))];
    let pairs = proptest::collection::btree_map(metadata_keys(), value, 0..5);
    proptest::option::weighted(0.95, pairs)
}

/// None with a colon: a document that names an undeclared namespace cannot be compared by meaning.
pub fn metadata_keys() -> impl Strategy<Value = String> {
    let usual = select(vec!["k", "zone", "management.port", "a_b"]);
    let odd = vec!["$x", "a b", "9lives", "żółw", "a/b<c>", "__", "_-", "😀", "-", "name"];
    let special = select(vec!["@class", ""]);
    prop_oneof![12 => usual, 3 => select(odd), 2 => special].prop_map(str::to_owned)
}

/// Members by which instances are found.
fn addresses() -> impl Strategy<Value = (&'static str, Scalar)> {
    (select(vec!["vipAddress", "secureVipAddress"]), vip_lists().prop_map(text))
}

fn vip_lists() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => select(vec!["v1", "v2", "v1,v2"]),
        1 => select(vec!["V1", " v1 , v2", "ż ó,v1", ",", "v2,,v1,", ""]),
    ]
}

/// Names that [`addresses`] may have listed.
pub fn vip_names() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => select(vec!["v1", "v2"]), 1 => select(vec!["V1", " v2", "ż ó", "v1,v2", "none"])]
}

fn others() -> impl Strategy<Value = (&'static str, Scalar)> {
    let name = select(vec![
        "appGroupName",
        "homePageUrl",
        "statusPageUrl",
        "healthCheckUrl",
        "secureHealthCheckUrl",
        "asgName",
        "sid",
        "newField",
    ]);
    let country = select(vec!["1", "44", "0", "-1"]).prop_map(Scalar::Bare);
    let country = prop_oneof![4 => country, 1 => select(vec!["7", "x", ""]).prop_map(text)];
    let boolean = prop_oneof![select(vec!["true", "false"]).prop_map(Scalar::Bare), Just(text("true"))];
    let action = select(vec!["ADDED", "DELETED", "MODIFIED", "FOO"]).prop_map(text);
    prop_oneof![
        10 => (name, prop_oneof![12 => texts(), 1 => Just(Scalar::Bare("null"))]),
        3 => country.prop_map(|value| ("countryId", value)),
        1 => boolean.prop_map(|value| ("isCoordinatingDiscoveryServer", value)),
        1 => action.prop_map(|value| ("actionType", value)),
        1 => Just(("lastUpdatedTimestamp", Scalar::Bare("5"))),
    ]
}
