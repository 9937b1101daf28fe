//! Reads at every node, all the time: no instance that lives may be missing, ended, or registered
//! anew.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::client::{Answer, Client};
use super::harness::Request;
use super::record::{Kind, Record};

const INTERVAL: Duration = Duration::from_millis(300);
const LIMIT: Duration = Duration::from_secs(2);

/// Id to the time of its registration, as documents tell it.
pub type Registered = BTreeMap<String, u64>;

/// Begins to read at every node, on the runtime this is called in.
pub fn start(addrs: &[SocketAddr], registered: &Arc<Registered>, record: &Arc<Record>) {
    for addr in addrs {
        let watch = Watch {
            addr: *addr,
            client: Client::new(LIMIT),
            registered: registered.clone(),
            record: record.clone(),
        };
        tokio::spawn(watch.read_on());
    }
}

/// The instances of a body of `/eureka/apps`, whether they live or not, that `wanted` wants.
pub fn registered(body: &[u8], wanted: impl Fn(&str) -> bool) -> Result<Registered, String> {
    let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let mut registered = Registered::new();
    for instance in instances(&body) {
        let id = instance["instanceId"].as_str().ok_or("an instance without an id")?;
        let since = instance["leaseInfo"]["registrationTimestamp"].as_u64().ok_or("no timestamp")?;
        if wanted(id) {
            registered.insert(id.to_owned(), since);
        }
    }
    Ok(registered)
}

fn instances(body: &Value) -> impl Iterator<Item = &Value> {
    let apps = body["applications"]["application"].as_array().into_iter().flatten();
    apps.flat_map(|app| app["instance"].as_array().into_iter().flatten())
}

struct Watch {
    addr: SocketAddr,
    client: Client,
    registered: Arc<Registered>,
    record: Arc<Record>,
}

impl Watch {
    async fn read_on(self) {
        let (mut all, mut delta) = (None, None);
        loop {
            sleep(INTERVAL).await;
            if let Some(answer) = self.read("/eureka/apps", &mut all).await {
                self.check_all(&answer.body);
            }
            if let Some(answer) = self.read("/eureka/apps/delta", &mut delta).await {
                self.check_delta(&answer.body);
            }
        }
    }

    /// A body other than the last, if the node can be reached and has one.
    async fn read(&self, path: &str, etag: &mut Option<String>) -> Option<Answer> {
        let mut request = Request::get(path).accept_json();
        if let Some(etag) = etag {
            request = request.header("If-None-Match", etag);
        }
        let answer = self.client.send(self.addr, &request).await.ok()?;
        self.record.read();
        match answer.status {
            304 => return None,
            200 => etag.clone_from(&answer.etag),
            status => self.violated(&format!("GET {path} answers {status}")),
        }
        Some(answer)
    }

    fn check_all(&self, body: &[u8]) {
        match registered(body, |id| self.registered.contains_key(id)) {
            Err(error) => self.violated(&error),
            Ok(shown) => {
                for (id, first) in self.registered.iter() {
                    match shown.get(id) {
                        Some(since) if since == first => {}
                        Some(_) => self.violated(&format!("{id} was lost and is registered anew")),
                        None => self.violated(&format!("{id} is missing")),
                    }
                }
            }
        }
    }

    fn check_delta(&self, body: &[u8]) {
        let body: Value = match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(error) => return self.violated(&error.to_string()),
        };
        let deleted = instances(&body).filter(|instance| instance["actionType"] == "DELETED");
        let ids: BTreeSet<&str> = deleted.filter_map(|instance| instance["instanceId"].as_str()).collect();
        for id in ids.into_iter().filter(|id| self.registered.contains_key(*id)) {
            self.violated(&format!("the delta tells that {id} is gone"));
        }
    }

    fn violated(&self, what: &str) {
        self.record.violated(Kind::Read, &format!("{}: {what}", self.addr));
    }
}
