//! Instances as Spring Cloud clients have them: their names, requests, and bodies of 1 KB.

use rs_registry::registry::{AppName, InstanceId, Key};
use serde_json::json;

/// The version of every document.
pub const DIRTY_MS: i64 = 1_700_000_000_000;
const DATA_CENTER_CLASS: &str = "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo";

/// The instance of this number, among so many applications that numbers which follow each other are of different
/// ones.
#[derive(Clone, Copy)]
pub struct Service {
    pub number: usize,
    pub apps: usize,
}

impl Service {
    pub fn app(self) -> String {
        format!("SERVICE-{}", self.number % self.apps)
    }

    pub fn id(self) -> String {
        format!("{}:{}:8080", self.host(), self.vip())
    }

    pub fn key(self) -> Key {
        Key::new(AppName::parse(&self.app()).unwrap(), InstanceId::parse(&self.id()).unwrap())
    }

    pub fn host(self) -> String {
        let [_, a, b, c] = (self.number as u32).to_be_bytes();
        format!("10-{a}-{b}-{c}.pods.example.internal")
    }

    pub fn home(self) -> String {
        format!("http://{}:8080/", self.host())
    }

    pub fn vip(self) -> String {
        self.app().to_lowercase()
    }

    /// Path and query of its client's renewal.
    pub fn renewal(self) -> (String, String) {
        let path = format!("/eureka/apps/{}/{}", self.app(), self.id());
        (path, format!("status=UP&lastDirtyTimestamp={DIRTY_MS}"))
    }

    /// The body of its client's registration.
    pub fn json(self) -> String {
        let home = self.home();
        let vip = self.vip();
        let instance = json!({
            "instanceId": self.id(),
            "app": self.app(),
            "appGroupName": null,
            "ipAddr": "10.1.2.3",
            "sid": "na",
            "statusPageUrl": format!("{home}actuator/info"),
            "healthCheckUrl": format!("{home}actuator/health"),
            "homePageUrl": home,
            "secureHealthCheckUrl": null,
            "vipAddress": vip,
            "secureVipAddress": vip,
            "countryId": 1,
            "dataCenterInfo": {"@class": DATA_CENTER_CLASS, "name": "MyOwn"},
            "hostName": self.host(),
            "status": "UP",
            "overriddenStatus": "UNKNOWN",
            "port": {"$": 8080, "@enabled": "true"},
            "securePort": {"$": 443, "@enabled": "false"},
            "leaseInfo": {
                "renewalIntervalInSecs": 30,
                "durationInSecs": 90,
                "registrationTimestamp": 0,
                "lastRenewalTimestamp": 0,
                "evictionTimestamp": 0,
                "serviceUpTimestamp": 0,
            },
            "isCoordinatingDiscoveryServer": false,
            "lastUpdatedTimestamp": DIRTY_MS.to_string(),
            "lastDirtyTimestamp": DIRTY_MS.to_string(),
            "actionType": null,
            "asgName": null,
            "metadata": {"management.port": "8080", "zone": "zone-1", "version": "2.31.0"},
        });
        json!({ "instance": instance }).to_string()
    }
}
