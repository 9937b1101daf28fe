//! Every metric, its name and its help text. Values are taken when they are asked for.

use std::fmt;

use prometheus_client::encoding::text::encode as encode_text;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Of what [`encode`] gives.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a node tells of itself.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    pub has_leader: bool,
    pub is_leader: bool,
    pub term: u64,
    pub committed_index: u64,
    pub applied_index: u64,
    pub instances: usize,
    pub state_compared_index: u64,
    pub state_deviations: usize,
    /// For each part of what is on disk, whether it cannot be written.
    pub disk_failed: Vec<(&'static str, bool)>,
    pub self_preservation: Vec<InForce>,
}

/// Self-preservation in force in one scope.
#[derive(Debug, Clone)]
pub struct InForce {
    /// `None`: the cluster.
    pub application: Option<String>,
    pub silent: u32,
    pub held: usize,
}

/// Labels of a metric by scope: `application=""` is the cluster.
type Scope = [(&'static str, String); 1];

/// The figures as OpenMetrics text.
///
/// # Errors
/// None that the encoder could have with these.
pub fn encode(figures: &Figures) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("rs_registry");
    let mut gauge = |name: &str, help: &str, value: u64| {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    gauge("has_leader", "1 if this node knows a leader and is in touch with it", figures.has_leader.into());
    gauge("is_leader", "1 if this node leads", figures.is_leader.into());
    gauge("term", "Number of the election", figures.term);
    gauge("committed_index", "Last log index known to be on a majority", figures.committed_index);
    gauge("applied_index", "Last log index in this node's registry", figures.applied_index);
    gauge("instances", "Instances registered", figures.instances as u64);
    gauge(
        "state_compared_index",
        "Last log index at which this node's state was compared with another's",
        figures.state_compared_index,
    );
    gauge(
        "state_deviations",
        "Nodes whose state differs from this one's at the same log index; must be 0",
        figures.state_deviations as u64,
    );

    let disk_failed = Family::<[(&'static str, &'static str); 1], Gauge>::default();
    for (part, failed) in &figures.disk_failed {
        disk_failed.get_or_create(&[("part", part)]).set((*failed).into());
    }
    let help = "1 if this part of the data directory cannot be written; without its log this node takes no part in \
                the cluster";
    registry.register("disk_failed", help, disk_failed);

    let mut by_scope = |name: &str, help: &str, value: fn(&InForce) -> usize| {
        let family = Family::<Scope, Gauge>::default();
        // Always there, so that an alert can tell 0 from nothing.
        family.get_or_create(&scope(None)).set(0);
        for in_force in &figures.self_preservation {
            let value = i64::try_from(value(in_force)).unwrap_or(i64::MAX);
            family.get_or_create(&scope(in_force.application.as_deref())).set(value);
        }
        registry.register(name, help, family);
    };
    by_scope("self_preservation_in_force", "1 where leases are kept beyond their duration", |_| 1);
    by_scope("self_preservation_silent", "Leases that have run out or are about to", |it| it.silent as usize);
    by_scope("self_preservation_held", "Leases kept beyond their duration", |it| it.held);

    let mut text = String::new();
    encode_text(&mut text, &registry)?;
    Ok(text)
}

fn scope(application: Option<&str>) -> Scope {
    [("application", application.unwrap_or_default().to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_by_name() {
        let held = |application: Option<&str>, silent, held| InForce {
            application: application.map(str::to_owned),
            silent,
            held,
        };
        let self_preservation = vec![held(None, 30, 20), held(Some("OR\"DERS"), 3, 2)];
        let disk_failed = vec![("log", true), ("state", false)];
        let figures = Figures {
            has_leader: true,
            term: 7,
            instances: 40,
            disk_failed,
            self_preservation,
            ..Figures::default()
        };
        let text = encode(&figures).unwrap();
        for line in [
            "rs_registry_has_leader 1",
            "rs_registry_is_leader 0",
            "rs_registry_term 7",
            "rs_registry_instances 40",
            "rs_registry_disk_failed{part=\"log\"} 1",
            "rs_registry_disk_failed{part=\"state\"} 0",
            "rs_registry_self_preservation_in_force{application=\"\"} 1",
            "rs_registry_self_preservation_held{application=\"\"} 20",
            "rs_registry_self_preservation_silent{application=\"OR\\\"DERS\"} 3",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in:\n{text}");
        }
    }

    #[test]
    fn where_nothing_is_in_force_that_is_told() {
        let text = encode(&Figures::default()).unwrap();
        assert!(text.contains("rs_registry_self_preservation_in_force{application=\"\"} 0"), "{text}");
    }
}
