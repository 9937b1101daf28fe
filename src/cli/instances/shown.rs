//! Instances out of Eureka's documents, as a table.

use serde_json::Value;

use crate::cli::table::{self, plain};

const HEAD: [&str; 5] = ["application", "instance", "status", "address", "zone"];

/// All instances of a document: of applications, of one, or of one instance.
pub fn instances(document: &Value) -> Vec<&Value> {
    if let Some(instance) = document.get("instance").filter(|instance| instance.is_object()) {
        return vec![instance];
    }
    let one = document.get("application");
    let all = document.pointer("/applications/application").and_then(Value::as_array);
    let applications = one.into_iter().chain(all.into_iter().flatten());
    applications.filter_map(|application| application["instance"].as_array()).flatten().collect()
}

pub fn table(instances: &[&Value]) -> String {
    let mut lines = vec![HEAD.map(str::to_owned)];
    lines.extend(instances.iter().map(|instance| line(instance)));
    table::table(&lines, "")
}

fn line(instance: &Value) -> [String; 5] {
    let text = |name: &str| instance[name].as_str().map(plain);
    let status = text("status").unwrap_or_default();
    let overridden = text("overriddenStatus").or_else(|| text("overriddenstatus"));
    let status = match overridden.as_deref() {
        None | Some("UNKNOWN") => status,
        Some(_) => format!("{status} (set)"),
    };
    let id = text("instanceId").or_else(|| text("hostName")).unwrap_or_default();
    let port = &instance["port"]["$"];
    let address = format!("{}:{}", text("hostName").unwrap_or_default(), port);
    let zone = instance["metadata"]["zone"].as_str().map(plain).unwrap_or_default();
    [text("app").unwrap_or_default(), id, status, address, zone]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn instance(id: &str, overridden: &str) -> Value {
        json!({
            "instanceId": id, "app": "ORDERS", "hostName": "h", "status": "UP", "overriddenStatus": overridden,
            "port": {"$": 80, "@enabled": "true"}, "metadata": {"zone": "a"},
        })
    }

    #[test]
    fn each_kind_of_document_is_understood() {
        let one = instance("i-1", "UNKNOWN");
        let application = json!({"name": "ORDERS", "instance": [one, instance("i-2", "UP")]});
        let all = json!({"applications": {"application": [application.clone(), application.clone()]}});
        assert_eq!(instances(&json!({"instance": instance("i-1", "UP")})).len(), 1);
        assert_eq!(instances(&json!({"application": application})).len(), 2);
        assert_eq!(instances(&all).len(), 4);
        assert!(instances(&json!({"applications": {"application": []}})).is_empty());
    }

    #[test]
    fn a_line_for_each_instance() {
        let (one, other) = (instance("i-1", "UNKNOWN"), instance("i\u{1b}[2J", "UP"));
        assert_eq!(
            table(&[&one, &other]),
            "application  instance  status    address  zone\n\
             ORDERS       i-1       UP        h:80     a\n\
             ORDERS       i\u{fffd}[2J     UP (set)  h:80     a\n"
        );
    }
}
