//! Instance documents as clients register them.

use serde_json::{Map, Value, json};

use super::http::Request;

/// An instance to register: everything a server needs, and what a test changes of it.
#[derive(Debug, Clone)]
pub struct Document {
    pub app: String,
    pub id: String,
    fields: Map<String, Value>,
}

impl Document {
    pub fn new(app: &str, id: &str) -> Self {
        let fields = json!({
            "instanceId": id,
            "hostName": "host.local",
            "app": app,
            "ipAddr": "10.2.2.2",
            "status": "UP",
            "port": {"$": 8080, "@enabled": "true"},
            "dataCenterInfo": {
                "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo",
                "name": "MyOwn",
            },
        });
        let Value::Object(fields) = fields else { unreachable!("an object literal") };
        Self { app: app.to_owned(), id: id.to_owned(), fields }
    }

    pub fn set(mut self, name: &str, value: Value) -> Self {
        self.fields.insert(name.to_owned(), value);
        self
    }

    /// A lease that ends this many seconds after its last renewal.
    pub fn lease_secs(self, duration: u32) -> Self {
        self.set("leaseInfo", json!({"renewalIntervalInSecs": 1, "durationInSecs": duration}))
    }

    pub fn json(&self) -> String {
        json!({"instance": self.fields}).to_string()
    }

    /// The same minimal document as XML; fields set on top are left out.
    pub fn xml(&self) -> String {
        let escape = |text| quick_xml::escape::escape(text);
        format!(
            "<instance><instanceId>{}</instanceId><hostName>host.local</hostName><app>{}</app>\
             <ipAddr>10.2.2.2</ipAddr><status>UP</status><port enabled=\"true\">8080</port>\
             <dataCenterInfo class=\"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo\">\
             <name>MyOwn</name></dataCenterInfo></instance>",
            escape(&self.id),
            escape(&self.app),
        )
    }

    /// The path of this instance's application, percent-encoded.
    pub fn app_path(&self) -> String {
        format!("/eureka/apps/{}", encode(&self.app))
    }

    /// The path of this instance, percent-encoded.
    pub fn path(&self) -> String {
        format!("{}/{}", self.app_path(), encode(&self.id))
    }

    pub fn register(&self) -> Request {
        Request::post(&self.app_path()).accept_json().json(self.json())
    }

    pub fn read(&self) -> Request {
        Request::get(&self.path()).accept_json()
    }

    pub fn renew(&self) -> Request {
        Request::put(&self.path())
    }

    pub fn cancel(&self) -> Request {
        Request::delete(&self.path())
    }
}

fn encode(segment: &str) -> String {
    percent_encoding::utf8_percent_encode(segment, percent_encoding::NON_ALPHANUMERIC).to_string()
}
