//! All metrics as text: the one place that has their names.

use std::fmt;

use prometheus_client::encoding::text::encode as encode_text;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

use super::counted::{Applied, Metrics, Pages, Proposals, Replicated};
use super::figures::{EurekaPeer, Figures, InForce};
use super::http::Http;
use super::labelled::Labelled;
use super::process::Process;
use crate::trace::{Tally, Traces};

/// Of what [`encode`] gives.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const PREFIX: &str = "rs_registry";

/// What was counted and what stands as OpenMetrics text.
///
/// # Errors
/// None that the encoder could have with these.
pub fn encode(metrics: &Metrics, figures: &Figures) -> Result<String, fmt::Error> {
    let mut all = Registry::default();
    let own = all.sub_registry_with_prefix(PREFIX);
    own.register("build", "The version of this program", Info::new([("version", figures.version)]));
    consensus(own, metrics, figures);
    proposals(own, &metrics.proposals);
    disk(own, metrics, figures);
    registry(own, &metrics.applied, figures);
    self_preservation(own, &figures.self_preservation);
    replicated(own, &metrics.replicated);
    eureka_peers(own, &figures.eureka_peers);
    pages(own, &metrics.pages);
    http(own, &metrics.http, figures.max_connections);
    traces(own, &metrics.traces);
    if let Some(process) = figures.process {
        of_process(&mut all, process);
    }
    let mut text = String::new();
    encode_text(&mut text, &all)?;
    Ok(text)
}

fn consensus(to: &mut Registry, metrics: &Metrics, figures: &Figures) {
    flag(to, "ready", "1 if this node is ready, as by /readyz", figures.is_ready);
    flag(to, "has_leader", "1 if this node knows a leader and is in touch with it", figures.has_leader);
    flag(to, "is_leader", "1 if this node leads", figures.is_leader);
    let help = "Seconds since this node heard from the leader, or, as leader, from a quorum";
    gauge(to, "last_contact_seconds", help, figures.last_contact_seconds);
    gauge(to, "term", "Number of the election", figures.term);
    gauge(to, "format", "Format that the cluster writes", u64::from(figures.format));
    let help = "Times that this node learned of a new leader, or of the same in a new term";
    to.register("leader_changes", help, metrics.leader_changes.clone());
    let help = "Last log index known to be on a majority";
    gauge(to, "committed_index", help, figures.committed_index);
    gauge(to, "applied_index", "Last log index in this node's registry", figures.applied_index);
    gauge(to, "snapshot_index", "Last log index in this node's snapshot", figures.snapshot_index);
    let help = "Last log index at which this node's state was compared with another's";
    gauge(to, "state_compared_index", help, figures.state_compared_index);
    let help = "Nodes whose state differs from this one's at the same log index; must be 0";
    gauge(to, "state_deviations", help, figures.state_deviations as u64);
    let help = "Time from a heartbeat to its answer, by peer; at the leader only";
    to.register("peer_round_trip_seconds", help, Labelled::by("peer", metrics.round_trips()));
}

fn proposals(to: &mut Registry, proposals: &Proposals) {
    let Proposals { pending, failed, batch_commands, commit_seconds, forward_seconds } = proposals;
    let help = "Writes, and batches forwarded to this node, that wait for their outcome";
    to.register("proposals_pending", help, pending.clone());
    let failed = [
        ("overloaded", &failed.overloaded),
        ("not_leader", &failed.not_leader),
        ("no_quorum", &failed.no_quorum),
        ("unknown", &failed.unknown),
        ("stopped", &failed.stopped),
    ];
    let help = "Writes, and batches forwarded to this node, without an outcome, by reason";
    to.register("proposals_failed", help, counters("reason", failed));
    let help = "Commands in a batch that goes into the log (at the leader) or to the leader (at a follower)";
    to.register("batch_commands", help, batch_commands.clone());
    let help = "Time from proposing a batch at the leader to its being on a majority and applied";
    to.register("commit_seconds", help, commit_seconds.clone());
    let help = "Time from sending a batch to the leader to its being applied at this follower";
    to.register("forward_seconds", help, forward_seconds.clone());
}

fn disk(to: &mut Registry, metrics: &Metrics, figures: &Figures) {
    let help = "Time from handing a write to the log to its being on disk, fdatasync included";
    to.register("log_sync_seconds", help, metrics.log_sync_seconds.clone());
    let failed = figures.disk_failed.iter().map(|(part, failed)| (part, ConstGauge::new(u64::from(*failed))));
    let help = "1 if this part of the data directory cannot be written; without its log this node takes no part in \
                the cluster";
    to.register("disk_failed", help, Labelled::by("part", failed));
}

fn registry(to: &mut Registry, applied: &Applied, figures: &Figures) {
    let by_status = figures.instances.iter().map(|(status, count)| (status, ConstGauge::new(*count)));
    to.register("instances", "Instances registered, by status", Labelled::by("status", by_status));
    gauge(to, "delta_entries", "Changes in the delta", figures.delta_entries as u64);
    let Applied { renewals, registrations, cancellations, expirations } = applied;
    to.register("renewals", "Renewals of a lease applied at this node", renewals.clone());
    to.register("registrations", "Registrations applied at this node", registrations.clone());
    to.register("cancellations", "Cancellations of a lease applied at this node", cancellations.clone());
    to.register("expirations", "Leases that ran out, applied at this node", expirations.clone());
}

fn self_preservation(to: &mut Registry, in_force: &[InForce]) {
    let mut by_scope = |name: &str, help: &str, value: fn(&InForce) -> u64| {
        // The cluster is always there, so that an alert can tell 0 from nothing.
        let cluster = in_force.iter().find(|it| it.application.is_none()).map_or(0, value);
        let applications =
            in_force.iter().filter_map(|it| Some((it.application.as_deref()?, ConstGauge::new(value(it)))));
        let scopes = std::iter::once(("", ConstGauge::new(cluster))).chain(applications);
        to.register(name, help, Labelled::by("application", scopes));
    };
    by_scope("self_preservation_in_force", "1 where leases are kept beyond their duration", |_| 1);
    by_scope("self_preservation_silent", "Leases that have run out or are about to", |it| it.silent.into());
    by_scope("self_preservation_held", "Leases kept beyond their duration", |it| it.held as u64);
}

fn replicated(to: &mut Registry, replicated: &Replicated) {
    let results = [
        ("done", &replicated.done),
        ("not_found", &replicated.not_found),
        ("conflict", &replicated.conflict),
        ("refused", &replicated.refused),
        ("unavailable", &replicated.unavailable),
    ];
    let help = "Items of batches that Eureka servers and imports sent to this node, by what became of them";
    to.register("replicated_items", help, counters("result", results));
}

fn eureka_peers(to: &mut Registry, peers: &[EurekaPeer]) {
    let flagged = |flag: bool| ConstGauge::new(u64::from(flag));
    let told = peers.iter().map(|peer| (&peer.url, flagged(peer.is_told_from_here)));
    let help = "1 if this node tells this Eureka server what clients do: the leader does";
    to.register("eureka_peer_told_from_here", help, Labelled::by("url", told));
    let reachable = peers.iter().filter_map(|peer| Some((&peer.url, flagged(peer.is_reachable?))));
    let help = "1 if this Eureka server took the last batch; at the node that tells it only";
    to.register("eureka_peer_reachable", help, Labelled::by("url", reachable));
    let queue = peers.iter().map(|peer| (&peer.url, ConstGauge::new(peer.queue as u64)));
    let help = "Instances of which there is something to tell this Eureka server";
    to.register("eureka_peer_queue", help, Labelled::by("url", queue));
    let lag = peers.iter().map(|peer| (&peer.url, ConstGauge::new(peer.lag_seconds)));
    let help = "Time that the change has waited which this Eureka server was to be told of first";
    to.register("eureka_peer_lag_seconds", help, Labelled::by("url", lag));
    let mut counted = |name: &str, help: &str, value: fn(&EurekaPeer) -> u64| {
        let counts = peers.iter().map(|peer| (&peer.url, ConstCounter::new(value(peer))));
        to.register(name, help, Labelled::by("url", counts));
    };
    counted("eureka_peer_batches", "Batches that this Eureka server answered", |peer| peer.batches);
    counted("eureka_peer_items", "Changes and renewals in them", |peer| peer.items);
    counted("eureka_peer_refused", "Items that this Eureka server would not take", |peer| peer.refused);
    counted("eureka_peer_failed", "Batches that are to be sent again", |peer| peer.failed);
    let help = "Instances of which this Eureka server knew something newer";
    counted("eureka_peer_adopted", help, |peer| peer.adopted);
}

fn pages(to: &mut Registry, pages: &Pages) {
    let all = [("apps", &pages.apps), ("delta", &pages.delta), ("app", &pages.app)];
    let help = "Reads of a page that was made already, by page";
    to.register("page_cache_hits", help, counters("page", all.map(|(page, reads)| (page, reads.hits()))));
    let help = "Reads of a page that had to be made, by page";
    to.register("page_cache_misses", help, counters("page", all.map(|(page, reads)| (page, reads.misses()))));
}

fn http(to: &mut Registry, http: &Http, max_connections: usize) {
    let requests = http.requests().into_iter();
    let requests = requests.map(|(route, status, count)| (route, status, ConstCounter::new(count)));
    let help = "Requests answered, by route and status";
    to.register("http_requests", help, Labelled::by_two(["route", "status"], requests));
    let help = "Time from a request's head to that of its answer, by route";
    to.register("http_request_seconds", help, Labelled::by("route", http.seconds()));
    to.register("http_connections", "HTTP connections open", http.connections.clone());
    let help = "HTTP connections open at once, at most";
    gauge(to, "http_connections_max", help, max_connections as u64);
}

fn traces(to: &mut Registry, traces: &Traces) {
    let Tally { sent, dropped } = traces.tally();
    let spans =
        [("sent", sent), ("dropped", dropped)].map(|(outcome, count)| (outcome, ConstCounter::new(count)));
    let help = "Spans of traces, by whether the collector took them";
    to.register("trace_spans", help, Labelled::by("outcome", spans));
}

fn of_process(to: &mut Registry, process: Process) {
    gauge(to, "process_resident_memory_bytes", "Memory in use", process.resident_bytes);
    let help = "Processor time spent, by the program and for it by the system";
    to.register("process_cpu_seconds", help, ConstCounter::new(process.cpu_seconds));
    gauge(to, "process_open_fds", "File descriptors open", process.open_fds);
    if let Some(most) = process.max_fds {
        gauge(to, "process_max_fds", "File descriptors open at once, at most", most);
    }
    let help = "When this process was started, in seconds since 1970";
    gauge(to, "process_start_time_seconds", help, process.started_at);
}

fn gauge<N>(to: &mut Registry, name: &str, help: &str, value: N)
where
    ConstGauge<N>: Metric,
{
    to.register(name, help, ConstGauge::new(value));
}

fn flag(to: &mut Registry, name: &str, help: &str, value: bool) {
    gauge(to, name, help, u64::from(value));
}

fn counters<'a>(
    label: &'static str,
    members: impl IntoIterator<Item = (&'static str, &'a Counter)>,
) -> Labelled<Counter> {
    Labelled::by(label, members.into_iter().map(|(value, counter)| (value, counter.clone())))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::http::Route;
    use super::*;

    #[track_caller]
    fn assert_has(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(text.lines().any(|found| found == *line), "{line} in:\n{text}");
        }
    }

    #[test]
    fn figures_are_told_by_name() {
        let held = |application: Option<&str>, silent, held| InForce {
            application: application.map(str::to_owned),
            silent,
            held,
        };
        let figures = Figures {
            version: "1.2.3",
            has_leader: true,
            term: 7,
            last_contact_seconds: 0.25,
            instances: vec![("DOWN", 0), ("UP", 40)],
            disk_failed: vec![("log", true), ("state", false)],
            self_preservation: vec![held(None, 30, 20), held(Some("OR\"DERS"), 3, 2)],
            eureka_peers: vec![
                EurekaPeer {
                    url: "http://e1/eureka".to_owned(),
                    is_told_from_here: true,
                    is_reachable: Some(false),
                    queue: 7,
                    lag_seconds: 1.5,
                    failed: 3,
                    ..EurekaPeer::default()
                },
                EurekaPeer { url: "http://e2/eureka".to_owned(), ..EurekaPeer::default() },
            ],
            max_connections: 9,
            process: Some(Process { resident_bytes: 5, cpu_seconds: 1.5, ..Process::default() }),
            ..Figures::default()
        };
        let lines = [
            "rs_registry_build_info{version=\"1.2.3\"} 1",
            "rs_registry_ready 0",
            "rs_registry_has_leader 1",
            "rs_registry_is_leader 0",
            "rs_registry_last_contact_seconds 0.25",
            "rs_registry_term 7",
            "rs_registry_instances{status=\"DOWN\"} 0",
            "rs_registry_instances{status=\"UP\"} 40",
            "rs_registry_disk_failed{part=\"log\"} 1",
            "rs_registry_disk_failed{part=\"state\"} 0",
            "rs_registry_self_preservation_in_force{application=\"\"} 1",
            "rs_registry_self_preservation_held{application=\"\"} 20",
            "rs_registry_self_preservation_silent{application=\"OR\\\"DERS\"} 3",
            "rs_registry_eureka_peer_told_from_here{url=\"http://e1/eureka\"} 1",
            "rs_registry_eureka_peer_told_from_here{url=\"http://e2/eureka\"} 0",
            "rs_registry_eureka_peer_reachable{url=\"http://e1/eureka\"} 0",
            "rs_registry_eureka_peer_queue{url=\"http://e1/eureka\"} 7",
            "rs_registry_eureka_peer_lag_seconds{url=\"http://e1/eureka\"} 1.5",
            "rs_registry_eureka_peer_failed_total{url=\"http://e1/eureka\"} 3",
            "rs_registry_http_connections_max 9",
            "process_resident_memory_bytes 5",
            "process_cpu_seconds_total 1.5",
            "# EOF",
        ];
        let text = encode(&Metrics::default(), &figures).unwrap();
        assert_has(&text, &lines);
        let unknown = "rs_registry_eureka_peer_reachable{url=\"http://e2/eureka\"}";
        assert!(!text.contains(unknown), "{text}");
    }

    #[test]
    fn what_was_counted_is_told_by_name() {
        let metrics = Metrics::default();
        metrics.leader_changes.inc();
        metrics.proposals.pending.inc();
        metrics.proposals.failed.no_quorum.inc();
        metrics.proposals.batch_commands.observe_size(3);
        metrics.applied.renewals.inc_by(5);
        metrics.replicated.conflict.inc();
        metrics.pages.delta.read(true);
        metrics.pages.app.read(false);
        metrics.http.answered(Route::Renew, 200, Duration::from_millis(2));
        metrics.round_trip_seconds(2).observe(Duration::from_millis(2));
        let lines = [
            "rs_registry_leader_changes_total 1",
            "rs_registry_proposals_pending 1",
            "rs_registry_proposals_failed_total{reason=\"no_quorum\"} 1",
            "rs_registry_proposals_failed_total{reason=\"stopped\"} 0",
            "rs_registry_batch_commands_bucket{le=\"4.0\"} 1",
            "rs_registry_renewals_total 5",
            "rs_registry_replicated_items_total{result=\"conflict\"} 1",
            "rs_registry_replicated_items_total{result=\"done\"} 0",
            "rs_registry_page_cache_hits_total{page=\"delta\"} 1",
            "rs_registry_page_cache_misses_total{page=\"app\"} 1",
            "rs_registry_http_requests_total{route=\"renew\",status=\"200\"} 1",
            "rs_registry_http_request_seconds_bucket{le=\"0.0025\",route=\"renew\"} 1",
            "rs_registry_peer_round_trip_seconds_count{peer=\"2\"} 1",
        ];
        assert_has(&encode(&metrics, &Figures::default()).unwrap(), &lines);
    }

    #[test]
    fn where_nothing_is_in_force_that_is_told() {
        let text = encode(&Metrics::default(), &Figures::default()).unwrap();
        assert_has(&text, &["rs_registry_self_preservation_in_force{application=\"\"} 0"]);
    }
}
