//! A write is followed from its client to the disk and back, across nodes, by OpenTelemetry's protocol.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest as Sent, ExportTraceServiceResponse as Received,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tokio::runtime::Runtime;
use tonic::transport::Server;
use tonic::{Request as Call, Response as Answer, Status};

use super::harness::{Cluster, Document, Request, Samples, free_addr, until};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
/// As good as never.
const SELDOM: &str = "1000000000";

/// Spans with the node that sent them.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, Span)>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(&self, call: Call<Sent>) -> Result<Answer<Received>, Status> {
        let mut spans = self.0.lock().expect("spans");
        for sent in call.into_inner().resource_spans {
            let attributes = sent.resource.unwrap_or_default().attributes;
            let node = attributes.into_iter().find(|attribute| attribute.key == "service.instance.id");
            let node = format!("{:?}", node.and_then(|node| node.value).and_then(|value| value.value));
            let of_node = sent.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.extend(of_node.map(|span| (node.clone(), span)));
        }
        Ok(Answer::new(Received::default()))
    }
}

impl Collector {
    /// Listens for as long as the runtime is there.
    fn start() -> (Self, SocketAddr, Runtime) {
        let runtime = Runtime::new().expect("a runtime");
        let (collector, addr) = (Self::default(), free_addr());
        let service = TraceServiceServer::new(collector.clone());
        runtime.spawn(Server::builder().add_service(service).serve(addr));
        (collector, addr, runtime)
    }

    fn named(&self, name: &str) -> Vec<(String, Span)> {
        self.0.lock().expect("spans").iter().filter(|(_, span)| span.name == name).cloned().collect()
    }

    /// The only span of this name, once it has come.
    fn until_named(&self, name: &str) -> (String, Span) {
        let mut found = until(&format!("a span of {name}"), || match self.named(name) {
            none if none.is_empty() => Err(format!("{:#?}", self.0.lock().expect("spans"))),
            found => Ok(found),
        });
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    }
}

fn text(attribute: &KeyValue) -> String {
    match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn traced(request: Request, sampled: bool) -> Request {
    request.header("traceparent", &format!("00-{TRACE}-{CALLER}-0{}", u8::from(sampled)))
}

fn cluster(endpoint: &str, size: u64) -> Cluster {
    Cluster::start_with(size, &["--otlp-endpoint", endpoint, "--otlp-sample-one-in", SELDOM])
}

#[test]
fn a_write_at_a_follower_is_one_trace_to_the_leaders_disk() {
    let (collector, addr, _runtime) = Collector::start();
    let mut cluster = cluster(&format!("http://{addr}"), 3);
    let addrs = cluster.addrs();
    let follower = cluster.follower();
    let document = Document::new("TRACED", "i-1");
    let untraced = Document::new("TRACED", "i-2").register();
    assert_eq!(traced(untraced, false).expect(addrs[follower]).status, 204);
    assert_eq!(Document::new("TRACED", "i-3").register().expect(addrs[follower]).status, 204);
    assert_eq!(traced(document.register(), true).expect(addrs[follower]).status, 204);

    let (asked, register) = collector.until_named("register");
    let (forwarder, forward) = collector.until_named("forward batch");
    let (leader, propose) = collector.until_named("propose batch");
    let (writer, append) = collector.until_named("append to log");
    let (applier, apply) = collector.until_named("apply");
    assert_eq!((&forwarder, &writer, &applier), (&asked, &leader, &leader));
    assert_ne!(asked, leader);
    assert_eq!(hex(&register.parent_span_id), CALLER);
    assert_eq!(register.kind, SpanKind::Server as i32);
    let told: Vec<(&str, String)> =
        register.attributes.iter().map(|attribute| (attribute.key.as_str(), text(attribute))).collect();
    let expected = [
        ("http.request.method", "POST"),
        ("rs_registry.route", "register"),
        ("rs_registry.application", "TRACED"),
        ("http.response.status_code", "204"),
    ];
    assert_eq!(told, expected.map(|(key, value)| (key, value.to_owned())));
    let children = [(&register, &forward), (&forward, &propose), (&propose, &append), (&propose, &apply)];
    for (parent, child) in children {
        assert_eq!(hex(&child.trace_id), TRACE);
        assert_eq!(child.parent_span_id, parent.span_id, "{} in {}", child.name, parent.name);
    }
}

#[test]
fn a_write_that_fails_is_told_as_failed() {
    let (collector, addr, _runtime) = Collector::start();
    let mut cluster = cluster(&format!("http://{addr}"), 3);
    let addrs = cluster.addrs();
    cluster.nodes[1].kill();
    cluster.nodes[2].kill();
    assert_eq!(traced(Document::new("TRACED", "i-1").register(), true).expect(addrs[0]).status, 503);
    let (_, register) = collector.until_named("register");
    let status = register.status.expect("a status");
    assert_eq!(status.code, StatusCode::Error as i32);
}

/// Renews until so many spans are dropped, each renewal being answered as ever.
fn renew_until_dropped(addr: SocketAddr, spans: f64) {
    let document = Document::new("TRACED", "i-1");
    assert_eq!(traced(document.register(), true).expect(addr).status, 204);
    let renewal = traced(document.renew(), true).read_timeout(Duration::from_secs(2));
    until("spans are dropped", || {
        for _ in 0..100 {
            assert_eq!(renewal.expect(addr).status, 200);
        }
        let dropped = Samples::of(addr).value("rs_registry_trace_spans_total{outcome=\"dropped\"}");
        if dropped > spans { Ok(()) } else { Err(format!("{dropped}")) }
    });
    assert_eq!(Samples::of(addr).value("rs_registry_trace_spans_total{outcome=\"sent\"}"), 0.0);
}

#[test]
fn a_collector_that_refuses_holds_up_nothing_and_is_told_once() {
    let mut cluster = cluster(&format!("http://{}", free_addr()), 1);
    // More than are sent at once, so that sending has failed twice.
    renew_until_dropped(cluster.addrs()[0], 512.0);
    let log = cluster.nodes[0].log();
    assert_eq!(log.matches("traces cannot be sent").count(), 1, "{log}");
    assert!(cluster.nodes[0].terminate().success());
}

#[test]
fn a_collector_that_hangs_holds_up_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut cluster = cluster(&format!("http://{}", silent.local_addr().expect("its address")), 1);
    renew_until_dropped(cluster.addrs()[0], 0.0);
    assert!(cluster.nodes[0].terminate().success());
}
