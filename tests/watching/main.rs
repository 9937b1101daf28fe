//! The dashboard and the alert rules name what the table of metrics has, and nothing else. That the table has what a node
//! serves is a test of the cluster's.

mod documented;

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::parser::{self, Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};
use serde_json::Value;

use documented::documented;

/// Prometheus makes it itself.
const FOREIGN: &str = "up";
/// Durations that Grafana fills in.
const VARIABLE_DURATION: &str = "[$__rate_interval]";

/// The names of metrics that an expression asks for.
///
/// # Panics
/// When it is not PromQL.
fn asked_for(expression: &str) -> BTreeSet<String> {
    #[derive(Default)]
    struct Names(BTreeSet<String>);
    impl Names {
        fn note(&mut self, selector: &VectorSelector) {
            let name = selector.name.clone();
            self.0.insert(name.unwrap_or_else(|| panic!("a selector without a name: {selector}")));
        }
    }
    impl ExprVisitor for Names {
        type Error = std::convert::Infallible;

        fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
            match expr {
                Expr::VectorSelector(selector) => self.note(selector),
                Expr::MatrixSelector(selector) => self.note(&selector.vs),
                _ => {}
            }
            Ok(true)
        }
    }
    let plain = expression.replace(VARIABLE_DURATION, "[5m]");
    let parsed = parser::parse(&plain).unwrap_or_else(|error| panic!("{expression}: {error}"));
    let mut names = Names::default();
    let Ok(_) = walk_expr(&mut names, &parsed);
    names.0
}

/// Every text of this name, however deep.
fn texts(value: &Value, name: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(text) if key == name => found.push(text.clone()),
                    deeper => texts(deeper, name, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, name, found)),
        _ => {}
    }
}

fn dashboard() -> Value {
    serde_json::from_str(include_str!("../../deploy/grafana/rs-registry.json"))
        .expect("the dashboard is JSON")
}

fn alerts() -> Vec<Value> {
    let rules: Value = yaml_serde::from_str(include_str!("../../deploy/prometheus/alerts.yaml"))
        .expect("the rules are YAML");
    let groups = rules["groups"].as_array().expect("groups of rules");
    groups.iter().flat_map(|group| group["rules"].as_array().expect("rules").clone()).collect()
}

#[test]
fn dashboard_and_alerts_ask_for_metrics_that_there_are() {
    let documented = documented();
    let mut expressions = Vec::new();
    texts(&dashboard(), "expr", &mut expressions);
    assert!(expressions.len() > 40, "{} expressions in the dashboard", expressions.len());
    alerts().iter().for_each(|alert| texts(alert, "expr", &mut expressions));

    let known = |name: &String| name == FOREIGN || documented.contains(name);
    for expression in &expressions {
        let unknown: Vec<String> = asked_for(expression).into_iter().filter(|name| !known(name)).collect();
        assert!(unknown.is_empty(), "the table of metrics lacks {unknown:?}, asked for by {expression}");
    }
    let shown: BTreeSet<String> = expressions.iter().flat_map(|expression| asked_for(expression)).collect();
    let family = |name: &str| {
        name.trim_end_matches("_bucket").trim_end_matches("_count").trim_end_matches("_sum").to_owned()
    };
    let shown: BTreeSet<String> = shown.iter().map(|name| family(name)).collect();
    let hidden: BTreeSet<String> =
        documented.iter().map(|name| family(name)).filter(|name| !shown.contains(name)).collect();
    assert!(hidden.is_empty(), "neither in the dashboard nor in an alert: {hidden:?}");
}

#[test]
fn the_dashboard_has_a_place_for_each_panel_and_asks_by_its_variables() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().expect("panels");
    let mut taken = BTreeMap::new();
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        let place =
            |side: &str| panel["gridPos"][side].as_u64().unwrap_or_else(|| panic!("{side} of {title}"));
        assert!(place("x") + place("w") <= 24, "{title} is too wide");
        for (x, y) in (place("x")..place("x") + place("w"))
            .flat_map(|x| (place("y")..place("y") + place("h")).map(move |y| (x, y)))
        {
            let before = taken.insert((x, y), title);
            assert_eq!(before, None, "two panels at {x}, {y}: {title}");
        }
    }
    let ids: BTreeSet<u64> = panels.iter().filter_map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "an id for each panel");

    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let variables: Vec<&str> = variables.iter().filter_map(|variable| variable["name"].as_str()).collect();
    assert_eq!(variables, ["datasource", "job", "instance"]);
    let mut expressions = Vec::new();
    texts(&dashboard, "expr", &mut expressions);
    for expression in expressions {
        assert!(expression.contains("job=~\"$job\""), "of all clusters together: {expression}");
    }
}

#[test]
fn every_alert_says_what_it_is_and_what_to_do() {
    let alerts = alerts();
    let names: BTreeSet<&str> = alerts.iter().filter_map(|alert| alert["alert"].as_str()).collect();
    assert_eq!(names.len(), alerts.len(), "a name for each alert");
    for alert in &alerts {
        let severity = alert["labels"]["severity"].as_str();
        assert!(matches!(severity, Some("critical" | "warning")), "{alert}");
        for annotation in ["summary", "description"] {
            let text = alert["annotations"][annotation].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{annotation} of {alert}");
            assert_eq!(text.matches("{{").count(), text.matches("}}").count(), "{text}");
        }
    }
    for name in
        ["RsRegistryNoLeader", "RsRegistryDiskFailed", "RsRegistryStateDeviates", "RsRegistryNodeDown"]
    {
        assert!(names.contains(name), "{name}");
    }
}
