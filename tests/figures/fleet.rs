//! Many instances, and getting them registered.

use std::net::SocketAddr;

use serde_json::json;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::client::{Call, Client};
use super::harness::Document;

const INSTANCES_PER_APP: usize = 100;
const CONNECTIONS: usize = 32;

/// This many small documents in applications of a hundred, named after what they are for.
pub fn documents(name: &str, count: usize, lease_secs: u32) -> Vec<Document> {
    let document = |number: usize| {
        let app = format!("{name}-{}", number / INSTANCES_PER_APP);
        Document::new(&app, &format!("i-{number}")).lease_secs(lease_secs)
    };
    (0..count).map(document).collect()
}

/// The same with documents of the size and the fields of Spring Cloud's, about 1 KB.
pub fn spring_documents(name: &str, count: usize, lease_secs: u32) -> Vec<Document> {
    documents(name, count, lease_secs).into_iter().enumerate().map(spring).collect()
}

fn spring((number, document): (usize, Document)) -> Document {
    let address = [10, 2 + number / 62_500, number / 250 % 250, number % 250].map(|part| part.to_string());
    let host = format!("{}.pods.example.internal", address.join("-"));
    let (home, vip) = (format!("http://{host}:8080/"), document.app.to_lowercase());
    let texts = [
        ("hostName", host.clone()),
        ("ipAddr", address.join(".")),
        ("statusPageUrl", format!("{home}actuator/info")),
        ("healthCheckUrl", format!("{home}actuator/health")),
        ("homePageUrl", home),
        ("vipAddress", vip.clone()),
        ("secureVipAddress", vip),
    ];
    let document = texts.into_iter().fold(document, |document, (name, text)| document.set(name, text.into()));
    document.set("securePort", json!({"$": 443, "@enabled": "false"})).set("countryId", 1.into()).set(
        "metadata",
        json!({"management.port": "8080", "zone": format!("zone-{}", number % 3), "version": "2.31.0"}),
    )
}

/// Registers all of them over many connections to all nodes.
///
/// # Panics
/// When one is not answered 204.
pub fn register(runtime: &Runtime, addrs: &[SocketAddr], documents: &[Document]) {
    let mut connections = JoinSet::new();
    for (place, share) in documents.chunks(documents.len().div_ceil(CONNECTIONS).max(1)).enumerate() {
        let calls: Vec<Call> = share.iter().map(Call::register).collect();
        let mut client = Client::new(addrs[place % addrs.len()]);
        let registering = async move {
            for call in &calls {
                let answer = client.send(call).await.unwrap_or_else(|error| panic!("{call:?}: {error}"));
                assert_eq!(answer.status, 204, "{call:?}");
            }
        };
        connections.spawn_on(registering, runtime.handle());
    }
    runtime.block_on(async {
        while let Some(done) = connections.join_next().await {
            done.unwrap_or_else(|error| panic!("a connection that registers: {error}"));
        }
    });
}
