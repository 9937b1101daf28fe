//! Any registration, for property tests.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::acceptance::{MAX_DURATION_SECS, MAX_RENEWAL_INTERVAL_SECS};
use super::dirty_time::RANGE_MS;
use crate::registry::{
    Action, AppName, DataCenter, Instance, Keeper, Lease, Metadata, Port, Registration, Status,
};

/// Any text, with a liking for what is special to one syntax or the other.
pub fn text() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        "\"",
        "\\",
        "<script>",
        "</a>",
        "]]>",
        "<![CDATA[",
        "&amp;",
        "&",
        "'",
        "\0",
        "\u{1}",
        "\u{1f}",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{fffe}",
        "\u{ffff}",
        "\u{feff}",
        "😀",
        "ż",
        "☃",
        "_",
        "__",
        "_.",
        "_-",
        "$",
        ".",
        "-",
        ":",
        " ",
        "1",
        "a",
        "{",
        "}",
    ]);
    let piece =
        prop_oneof![special.prop_map(String::from), any::<char>().prop_map(String::from), "[a-z]{1,8}"];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// A text that can be a name.
fn name() -> impl Strategy<Value = String> {
    text().prop_map(|text| format!("n{}", text.replace('\0', "")))
}

fn optional() -> impl Strategy<Value = Option<Box<str>>> {
    option::of(text().prop_map(Box::from))
}

/// Keys other than the two that mean something else: a map's class, and Spring's instance id.
fn metadata() -> impl Strategy<Value = Metadata> {
    let key = text().prop_filter("means something else", |key| key != "@class" && key != "instanceId");
    vec((key, text()), 0..5).prop_map(Metadata::from_pairs)
}

fn data_center() -> impl Strategy<Value = DataCenter> {
    let amazon = (name(), metadata()).prop_map(|(id, pairs)| {
        DataCenter::Amazon(pairs.merged(&Metadata::from_pairs([("instance-id", id)])))
    });
    prop_oneof![Just(DataCenter::MyOwn), Just(DataCenter::Netflix), amazon]
}

fn status() -> impl Strategy<Value = Status> {
    prop::sample::select(Status::ALL.to_vec())
}

fn port() -> impl Strategy<Value = Port> {
    (any::<i32>(), any::<bool>()).prop_map(|(number, enabled)| Port { number, enabled })
}

fn instance() -> impl Strategy<Value = Instance> {
    let names = (option::of(prop_oneof![Just(String::new()), name()]), name(), name(), name(), optional());
    let numbers = (port(), port(), any::<i32>(), 1..=MAX_RENEWAL_INTERVAL_SECS, 1..=MAX_DURATION_SECS);
    let groups = (optional(), optional(), optional(), optional());
    let addresses = (optional(), optional(), optional(), optional());
    (names, numbers, status(), data_center(), metadata(), groups, addresses).prop_map(
        |(names, numbers, status, data_center, metadata, groups, addresses)| Instance {
            instance_id: names.0.map(Box::from),
            host_name: names.1.into(),
            app: AppName::parse(&names.2).unwrap(),
            ip_addr: names.3.into(),
            sid: names.4.filter(|sid| !matches!(&**sid, "na" | "unknown")),
            status,
            overridden_status: Status::Unknown,
            port: numbers.0,
            secure_port: numbers.1,
            country_id: numbers.2,
            data_center,
            renewal_interval_secs: numbers.3,
            duration_secs: numbers.4,
            metadata,
            app_group_name: groups.0.map(|group| group.to_uppercase().into()),
            home_page_url: groups.1,
            status_page_url: groups.2,
            health_check_url: groups.3,
            secure_health_check_url: addresses.0,
            vip_address: addresses.1,
            secure_vip_address: addresses.2,
            asg_name: addresses.3,
        },
    )
}

pub fn registration() -> impl Strategy<Value = Registration> {
    let action = prop::sample::select(vec![Action::Added, Action::Modified, Action::Deleted]);
    let keeper = prop::sample::select(vec![
        Keeper::Client,
        Keeper::Peer,
        Keeper::Import,
        Keeper::Nobody,
        Keeper::MovedClient,
    ]);
    let times = (any::<i64>(), any::<i64>(), any::<i64>(), any::<i64>(), any::<i64>());
    (instance(), option::of(status()), RANGE_MS, (action, keeper), times).prop_map(
        |(instance, overridden, last_dirty_ms, (action, keeper), times)| Registration {
            status: instance.status,
            overridden,
            last_dirty_ms,
            last_updated_ms: times.0,
            action,
            lease: Lease {
                duration_ms: u64::from(instance.duration_secs) * 1000,
                registered_ms: times.1,
                renewed_ms: times.2,
                evicted_ms: times.3,
                service_up_ms: times.4,
                renew_seq: 1,
                keeper,
            },
            instance: instance.into(),
        },
    )
}
