//! `rs-registry import`: the registry of other servers, taken over into a cluster.

mod fake;
mod follow;
mod hostile;
mod once;

use serde_json::Value;

use super::harness::{Applications, Document};

/// Instances of each application and id, without what a server makes of them itself: its own times, and what it did last.
fn as_registered(mut applications: Applications) -> Applications {
    for instance in applications.values_mut().flat_map(|instances| instances.values_mut()) {
        for time in
            ["registrationTimestamp", "lastRenewalTimestamp", "evictionTimestamp", "serviceUpTimestamp"]
        {
            instance["leaseInfo"][time] = Value::Null;
        }
        instance["lastUpdatedTimestamp"] = Value::Null;
        instance["actionType"] = Value::Null;
    }
    applications
}

/// A document whose version is told, so that it is the same wherever it is registered.
fn document(app: &str, id: &str) -> Document {
    Document::new(app, id).set("lastDirtyTimestamp", "1700000000000".into())
}
