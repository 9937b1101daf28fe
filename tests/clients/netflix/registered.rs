//! What is registered by the library's calls.

use serde_json::{Value, json};

pub const APP: &str = "CALLS";
pub const VIP: &str = "calls#vip 1";
pub const SECURE_VIP: &str = "calls?secure%vip";

/// All that an application can tell, with what bites.
pub fn with_everything(id: &str) -> Value {
    json!({
        "instanceId": id,
        "hostName": "host.local",
        "app": APP,
        "ipAddr": "10.3.3.3",
        "sid": "sid",
        "status": "UP",
        "port": {"$": 8081, "@enabled": "false"},
        "securePort": {"$": 8443, "@enabled": "true"},
        "countryId": 7,
        "dataCenterInfo": {
            "name": "Amazon",
            "metadata": {
                "instance-id": "i-calls",
                "ami-id": "ami-1",
                "availability-zone": "us-east-1c",
                "public-hostname": "ec2-1.example.org",
                "public-ipv4": "192.0.2.1",
                "local-ipv4": "10.3.3.3",
            },
        },
        "leaseInfo": {"renewalIntervalInSecs": 11, "durationInSecs": 3_600},
        "metadata": {
            "a:b": "colon",
            "key with space": "a\tb\nc",
            "9lives": "cat",
            "under_score": "<a href=\"x\">&amp;</a>",
            "$dollar": "it's 100 %",
            "żółw ☃": "😀",
            "empty": "",
        },
        "appGroupName": "GROUP",
        "homePageUrl": "http://host.local:8081/?a=1&b=<2>",
        "statusPageUrl": "http://host.local:8081/\"status\"",
        "healthCheckUrl": "http://host.local:8081/it's-healthy",
        "secureHealthCheckUrl": "https://host.local:8443/żółw",
        "vipAddress": format!("{VIP},calls-other"),
        "secureVipAddress": format!("calls-other,{SECURE_VIP}"),
        "asgName": "asg-1",
        "lastDirtyTimestamp": "1700000000000",
    })
}

/// As little as the library lets one tell.
pub fn with_what_is_needed(id: &str) -> Value {
    json!({
        "instanceId": id,
        "hostName": "host.local",
        "app": APP,
        "ipAddr": "10.3.3.3",
        "status": "UP",
        "port": {"$": 0, "@enabled": "true"},
        "securePort": {"$": 0, "@enabled": "false"},
        "countryId": 1,
        "dataCenterInfo": {"name": "MyOwn"},
        "leaseInfo": {"renewalIntervalInSecs": 1, "durationInSecs": 3_600},
        "metadata": {},
        "vipAddress": VIP,
        "secureVipAddress": SECURE_VIP,
        "lastDirtyTimestamp": "1700000000000",
    })
}
