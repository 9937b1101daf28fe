//! Spans to an OpenTelemetry collector, by OTLP over gRPC. They wait in a queue with a bound, beyond which new ones are
//! dropped, and a thread of its own sends them: a collector that is slow or away holds up nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{RetryPolicy, SpanExporter as OtlpExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanExporter, SpanLinks, SpanProcessor,
};

use tonic::transport::Endpoint;

use super::context::Context;
use super::span::{Finished, Kind, Value};
use super::{Sink, Tally};

/// Spans that wait to be sent or are on their way.
const QUEUE: usize = 2048;
/// Spans sent together.
const TOGETHER: usize = 512;
/// How often they are sent, if there are fewer.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long connecting to a collector may take, and then its answer.
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
#[error("traces cannot be sent to {endpoint}: {reason}; otlp_endpoint is such as http://127.0.0.1:4317")]
pub struct OtlpError {
    endpoint: String,
    reason: String,
}

/// Who sends the spans.
#[derive(Debug, Clone)]
pub struct Source {
    pub node_id: u64,
    pub cluster_name: String,
}

#[derive(Debug)]
pub struct Otlp {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    counted: Arc<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    waiting: AtomicUsize,
    sent: AtomicU64,
    dropped: AtomicU64,
}

impl Otlp {
    /// Connects when there is something to send. The calling thread is to be one of the runtime.
    ///
    /// # Errors
    /// [`OtlpError`] if the endpoint is none.
    pub fn new(endpoint: &str, source: &Source) -> Result<Self, OtlpError> {
        let exporter = exporter(endpoint)
            .map_err(|reason| OtlpError { endpoint: endpoint.to_owned(), reason: format!("{reason:#}") })?;
        let counted = Arc::new(Counted::default());
        let exporter = Reported {
            exporter,
            endpoint: endpoint.to_owned(),
            fails: AtomicBool::new(false),
            counted: counted.clone(),
        };
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(TOGETHER)
            .with_scheduled_delay(INTERVAL)
            .build();
        let mut processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
        processor.set_resource(&resource(source));
        let name = env!("CARGO_PKG_NAME");
        let scope = InstrumentationScope::builder(name).with_version(env!("CARGO_PKG_VERSION")).build();
        Ok(Self { processor, scope, counted })
    }
}

impl Sink for Otlp {
    fn take(&self, span: Finished) {
        // Here and not by the processor's own bound, which does not tell how many it drops.
        if self.counted.waiting.fetch_add(1, Ordering::Relaxed) < QUEUE {
            return self.processor.on_end(data(span, self.scope.clone()));
        }
        self.counted.waiting.fetch_sub(1, Ordering::Relaxed);
        self.counted.dropped.fetch_add(1, Ordering::Relaxed);
    }

    fn tally(&self) -> Tally {
        let Counted { sent, dropped, .. } = &*self.counted;
        Tally { sent: sent.load(Ordering::Relaxed), dropped: dropped.load(Ordering::Relaxed) }
    }

    fn stop(&self, patience: Duration) {
        if let Err(error) = self.processor.shutdown_with_timeout(patience) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Its own channel would wait for a connection as long as the system does, and its retries block.
fn exporter(endpoint: &str) -> anyhow::Result<OtlpExporter> {
    let channel =
        Endpoint::from_shared(endpoint.to_owned())?.connect_timeout(TIMEOUT).timeout(TIMEOUT).connect_lazy();
    let builder = OtlpExporter::builder().with_tonic().with_channel(channel).with_timeout(TIMEOUT);
    Ok(builder.with_retry_policy(RetryPolicy::disabled()).build()?)
}

fn resource(source: &Source) -> Resource {
    let attributes = [
        KeyValue::new("service.namespace", source.cluster_name.clone()),
        KeyValue::new("service.instance.id", source.node_id.to_string()),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
    ];
    Resource::builder().with_service_name(env!("CARGO_PKG_NAME")).with_attributes(attributes).build()
}

/// Tells once that spans cannot be sent, and once that they can again.
#[derive(Debug)]
struct Reported {
    exporter: OtlpExporter,
    endpoint: String,
    fails: AtomicBool,
    counted: Arc<Counted>,
}

impl SpanExporter for Reported {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let result = self.exporter.export(batch).await;
        let failed_before = self.fails.swap(result.is_err(), Ordering::Relaxed);
        let Counted { waiting, sent, dropped } = &*self.counted;
        let became = if result.is_ok() { sent } else { dropped };
        became.fetch_add(count as u64, Ordering::Relaxed);
        waiting.fetch_sub(count, Ordering::Relaxed);
        match &result {
            Err(error) if !failed_before => {
                tracing::warn!(endpoint = self.endpoint, %error, "traces cannot be sent and are dropped");
            }
            Ok(()) if failed_before => tracing::info!(endpoint = self.endpoint, "traces are sent again"),
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

fn data(span: Finished, scope: InstrumentationScope) -> SpanData {
    let link = |context: &Context| Link::new(span_context(*context), Vec::new(), 0);
    let mut links = SpanLinks::default();
    links.links.extend(span.links.iter().map(link));
    SpanData {
        span_context: span_context(span.context),
        parent_span_id: span.parent.map_or(SpanId::INVALID, span_id),
        parent_span_is_remote: span.parent.is_some() && span.kind == Kind::Server,
        span_kind: match span.kind {
            Kind::Server => SpanKind::Server,
            Kind::Internal => SpanKind::Internal,
        },
        name: span.name.into(),
        start_time: span.begin,
        end_time: span.end,
        attributes: span.attributes.into_iter().map(attribute).collect(),
        dropped_attributes_count: 0,
        events: Default::default(),
        links,
        status: if span.has_failed { Status::error("") } else { Status::Unset },
        instrumentation_scope: scope,
    }
}

fn span_context(context: Context) -> SpanContext {
    let trace_id = TraceId::from_bytes(context.trace_id().to_be_bytes());
    SpanContext::new(trace_id, span_id(context), TraceFlags::SAMPLED, false, TraceState::default())
}

fn span_id(context: Context) -> SpanId {
    SpanId::from_bytes(context.span_id().to_be_bytes())
}

fn attribute((name, value): (&'static str, Value)) -> KeyValue {
    match value {
        Value::Text(text) => KeyValue::new(name, text),
        Value::Given(text) => KeyValue::new(name, text),
        Value::Number(number) => KeyValue::new(name, i64::try_from(number).unwrap_or(i64::MAX)),
    }
}
