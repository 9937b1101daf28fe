//! The instances that load is made of: their names and what is registered of them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::plan::DocumentKind;

/// Names instances by number and writes their documents.
#[derive(Debug, Clone)]
pub struct Documents {
    kind: DocumentKind,
    app_prefix: String,
    per_app: usize,
    lease_secs: u32,
    /// The same for all of a run: a server keeps the newer of two documents.
    dirty_ms: String,
}

const DATA_CENTER_CLASS: &str = "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo";

impl Documents {
    /// So many instances `per_app`, one at least; leases of `lease_secs`.
    pub fn new(kind: DocumentKind, app_prefix: &str, per_app: usize, lease_secs: u32) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let dirty_ms = since_epoch.as_millis().to_string();
        Self { kind, app_prefix: app_prefix.to_owned(), per_app, lease_secs, dirty_ms }
    }

    pub fn app(&self, number: usize) -> String {
        format!("{}-{}", self.app_prefix, number / self.per_app)
    }

    /// How many applications the instances `0..count` are in.
    pub fn apps(&self, count: usize) -> usize {
        count.div_ceil(self.per_app)
    }

    /// The first instance of the application at this place.
    pub fn first_of(&self, app: usize) -> usize {
        app * self.per_app
    }

    /// How many of the instances `0..count` are in the application of one of them.
    pub fn app_size(&self, number: usize, count: usize) -> usize {
        let first = number / self.per_app * self.per_app;
        count.saturating_sub(first).min(self.per_app)
    }

    pub fn id(&self, number: usize) -> String {
        match self.kind {
            DocumentKind::Spring => format!("{}:{}:8080", host(number), self.app(number).to_lowercase()),
            DocumentKind::Small => format!("i-{number}"),
        }
    }

    pub fn json(&self, number: usize) -> String {
        let instance = match self.kind {
            DocumentKind::Spring => self.spring(number),
            DocumentKind::Small => self.small(number),
        };
        json!({ "instance": instance }).to_string()
    }

    fn small(&self, number: usize) -> Value {
        json!({
            "instanceId": self.id(number),
            "hostName": host(number),
            "app": self.app(number),
            "ipAddr": address(number),
            "status": "UP",
            "port": {"$": 8080, "@enabled": "true"},
            "dataCenterInfo": {"@class": DATA_CENTER_CLASS, "name": "MyOwn"},
            "leaseInfo": {"renewalIntervalInSecs": 30, "durationInSecs": self.lease_secs},
        })
    }

    fn spring(&self, number: usize) -> Value {
        let home = format!("http://{}:8080/", host(number));
        let vip = self.app(number).to_lowercase();
        json!({
            "instanceId": self.id(number),
            "app": self.app(number),
            "appGroupName": null,
            "ipAddr": address(number),
            "sid": "na",
            "statusPageUrl": format!("{home}actuator/info"),
            "healthCheckUrl": format!("{home}actuator/health"),
            "homePageUrl": home,
            "secureHealthCheckUrl": null,
            "vipAddress": vip,
            "secureVipAddress": vip,
            "countryId": 1,
            "dataCenterInfo": {"@class": DATA_CENTER_CLASS, "name": "MyOwn"},
            "hostName": host(number),
            "status": "UP",
            "overriddenStatus": "UNKNOWN",
            "port": {"$": 8080, "@enabled": "true"},
            "securePort": {"$": 443, "@enabled": "false"},
            "leaseInfo": {
                "renewalIntervalInSecs": 30,
                "durationInSecs": self.lease_secs,
                "registrationTimestamp": 0,
                "lastRenewalTimestamp": 0,
                "evictionTimestamp": 0,
                "serviceUpTimestamp": 0,
            },
            "isCoordinatingDiscoveryServer": false,
            "lastUpdatedTimestamp": self.dirty_ms,
            "lastDirtyTimestamp": self.dirty_ms,
            "actionType": null,
            "asgName": null,
            "metadata": {"management.port": "8080", "zone": format!("zone-{}", number % 3), "version": "2.31.0"},
        })
    }
}

fn host(number: usize) -> String {
    format!("10-{}-{}-{}.pods.example.internal", number / 62_500 % 250, number / 250 % 250, number % 250)
}

fn address(number: usize) -> String {
    format!("10.{}.{}.{}", number / 62_500 % 250, number / 250 % 250, number % 250)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(kind: DocumentKind) -> Documents {
        Documents { kind, app_prefix: "BENCH".into(), per_app: 100, lease_secs: 90, dirty_ms: "1".into() }
    }

    #[test]
    fn instances_are_spread_over_applications() {
        let documents = documents(DocumentKind::Small);
        assert_eq!((documents.app(99).as_str(), documents.app(100).as_str()), ("BENCH-0", "BENCH-1"));
        assert_eq!(documents.app_size(0, 250), 100);
        assert_eq!(documents.app_size(249, 250), 50);
        assert_eq!(documents.app_size(0, 7), 7);
    }

    #[test]
    fn a_document_names_the_instance_it_is_registered_as() {
        for kind in [DocumentKind::Small, DocumentKind::Spring] {
            let documents = documents(kind);
            let document: Value = serde_json::from_str(&documents.json(123)).expect("JSON");
            assert_eq!(document["instance"]["instanceId"], documents.id(123));
            assert_eq!(document["instance"]["app"], documents.app(123));
            assert_eq!(document["instance"]["leaseInfo"]["durationInSecs"], 90);
        }
        let size = documents(DocumentKind::Spring).json(123).len();
        assert!((900..1500).contains(&size), "{size} bytes");
    }
}
