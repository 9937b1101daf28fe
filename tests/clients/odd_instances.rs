//! Instances that bite: registered by a request each, so that every client has to read them along
//! with what it looks for.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::harness::Document;

/// The application they belong to; registered in lower case.
pub const APP: &str = "ODD";

/// A VIP address that one of them has among others. All but the one without a lease have the
/// application's name as another.
pub const VIP: &str = "odd-alternative";

const OTHER_STATUSES: [&str; 4] = ["DOWN", "OUT_OF_SERVICE", "STARTING", "UNKNOWN"];

/// Longer than any test.
const LEASE_SECS: u32 = 3_600;

/// Registers all of them at a node.
pub fn register(addr: SocketAddr) {
    for document in all() {
        let response = document.register().expect(addr);
        assert_eq!(response.status, 204, "{}: {response:?}", document.json());
    }
}

/// The ids of those that are `UP`, in order.
pub fn up_ids() -> Vec<String> {
    let mut ids: Vec<String> = up().into_iter().map(|document| document.id).collect();
    ids.sort();
    ids
}

/// Renews the one lease that is too short to last through a test by itself.
pub fn renew(addr: SocketAddr) {
    assert_eq!(without_lease().renew().expect(addr).status, 200, "renewal of the lease that was not set");
}

fn all() -> Vec<Document> {
    let others = OTHER_STATUSES
        .map(|status| odd(&format!("odd-{}", status.to_lowercase())).set("status", json!(status)));
    let on_hosts_of_their_own = |(number, document): (usize, Document)| {
        document.set("hostName", json!(format!("odd-{number}.local")))
    };
    up().into_iter().chain(others).enumerate().map(on_hosts_of_their_own).collect()
}

fn up() -> Vec<Document> {
    vec![
        odd("10.2.2.2:odd:8080"),
        odd("odd#1.[3.?]! 50%/x&y=z;a+b"),
        odd("żółw-☃"),
        odd("odd-metadata").set("metadata", odd_metadata()),
        odd("odd-empty-metadata").set("metadata", json!({"@class": "java.util.Collections$EmptyMap"})),
        odd("odd-null-metadata").set("metadata", Value::Null),
        odd("i-odd-amazon").set("dataCenterInfo", amazon()),
        odd("odd-ports-disabled")
            .set("port", json!({"$": 0, "@enabled": "false"}))
            .set("securePort", json!({"$": 0, "@enabled": "false"})),
        odd("odd-ports-as-text")
            .set("port", json!({"$": "8080", "@enabled": "true"}))
            .set("securePort", json!({"$": "8443", "@enabled": "true"})),
        odd("odd-vips")
            .set("vipAddress", json!(format!("odd,{VIP},http://odd:8080/")))
            .set("secureVipAddress", json!(format!("{VIP},odd-secure"))),
        odd("odd-urls")
            .set("homePageUrl", json!("http://10.2.2.2:8080/?a=1&b=<2>"))
            .set("statusPageUrl", json!("http://10.2.2.2:8080/\"quoted\"/it's")),
        without_lease(),
    ]
}

fn odd(id: &str) -> Document {
    let app = APP.to_lowercase();
    Document::new(&app, id).set("vipAddress", json!(app)).lease_secs(LEASE_SECS)
}

fn without_lease() -> Document {
    Document::new(&APP.to_lowercase(), "odd-no-lease-info")
}

fn odd_metadata() -> Value {
    json!({
        "a:b": "colon",
        "key with space": "a\tb\nc",
        "9lives": "",
        "under_score": "<a href=\"x\">&amp;</a>",
        "$dollar": "it's 100 %",
        "żółw ☃": "😀",
        "xml": "xmlns:a",
        "number": 12,
        "yes": true,
        "nothing": null,
    })
}

fn amazon() -> Value {
    json!({
        "@class": "com.netflix.appinfo.AmazonInfo",
        "name": "Amazon",
        "metadata": {
            "instance-id": "i-odd-amazon",
            "availability-zone": "us-east-1c",
            "public-hostname": "ec2-1.example.org",
            "local-ipv4": "10.2.2.2",
        },
    })
}
