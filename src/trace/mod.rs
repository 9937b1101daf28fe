//! Traces of single requests on their way through the node: the request, the batch it joins, the log's append and its
//! being applied. Whether a request is traced is decided where it comes in; what is not traced costs nothing after
//! that, and nothing at all while traces are off.
//!
//! Where spans go is a [`Sink`]: `otlp` has the one for an OpenTelemetry collector. This module knows no other.

mod context;
mod in_log;
mod otlp;
mod span;

use std::sync::Arc;
use std::time::Duration;

pub use context::{Context, Parent};
pub use otlp::{Otlp, OtlpError, Source};
pub use span::{Finished, Kind, Span, Value};

use in_log::InLog;

/// Takes finished spans. Must be quick, and never wait.
pub trait Sink: Send + Sync + std::fmt::Debug {
    fn take(&self, span: Finished);

    /// What has become of those that it took.
    fn tally(&self) -> Tally;

    /// Sends what it still has, giving that up after `patience`. Blocks.
    fn stop(&self, patience: Duration);
}

/// Spans that are over, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub sent: u64,
    /// Too many were waiting, or sending them failed.
    pub dropped: u64,
}

/// Makes spans, or none if it is off, which is the default. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Traces(Option<Arc<On>>);

#[derive(Debug)]
struct On {
    sink: Arc<dyn Sink>,
    /// Of so many requests that nobody else traces, one is traced.
    one_in: u64,
    in_log: InLog,
}

tokio::task_local! {
    static CURRENT: Context;
}

/// Does what belongs to a span: [`Traces::current`] is this one meanwhile.
pub fn within<T>(context: Option<Context>, work: impl FnOnce() -> T) -> T {
    match context {
        Some(context) => CURRENT.sync_scope(context, work),
        None => work(),
    }
}

impl Traces {
    pub fn to(sink: Arc<dyn Sink>, one_in: u64) -> Self {
        Self(Some(Arc::new(On { sink, one_in, in_log: InLog::default() })))
    }

    pub fn are_on(&self) -> bool {
        self.0.is_some()
    }

    /// The span of a request, if it is to be traced: as its sender decided, or else by chance.
    pub fn request(&self, name: &'static str, parent: impl FnOnce() -> Parent) -> Option<Span> {
        let on = self.0.as_ref()?;
        let parent = match parent() {
            Parent::Traced(parent) => Some(parent),
            Parent::NotTraced => return None,
            Parent::None if rand::random_range(0..on.one_in.max(1)) == 0 => None,
            Parent::None => return None,
        };
        Some(Span::begin(on.sink.clone(), name, Kind::Server, parent))
    }

    /// The span that the calling task is in, if that is traced.
    pub fn current(&self) -> Option<Context> {
        self.0.as_ref().and_then(|_| CURRENT.try_with(|context| *context).ok())
    }

    /// A span within another, if that is traced.
    pub fn child(&self, name: &'static str, parent: Option<Context>) -> Option<Span> {
        Some(Span::begin(self.0.as_ref()?.sink.clone(), name, Kind::Internal, Some(parent?)))
    }

    /// Remembers whose entry is at a log index, until it is applied.
    pub fn appended(&self, index: u64, context: Option<Context>) {
        if let (Some(on), Some(context)) = (&self.0, context) {
            on.in_log.put(index, context);
        }
    }

    /// The span of applying the entry at a log index, if that is traced.
    pub fn applying(&self, index: u64) -> Option<Span> {
        let context = self.0.as_ref()?.in_log.take(index);
        self.child("apply", context)
    }

    pub fn tally(&self) -> Tally {
        self.0.as_ref().map(|on| on.sink.tally()).unwrap_or_default()
    }

    /// Sends what is still to be sent, giving that up after `patience`. Blocks.
    pub fn stop(&self, patience: Duration) {
        if let Some(on) = &self.0 {
            on.sink.stop(patience);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Debug, Default)]
    struct Kept(Mutex<Vec<Finished>>);

    impl Sink for Kept {
        fn take(&self, span: Finished) {
            self.0.lock().unwrap().push(span);
        }

        fn tally(&self) -> Tally {
            Tally::default()
        }

        fn stop(&self, _: Duration) {}
    }

    fn traces(one_in: u64) -> (Arc<Kept>, Traces) {
        let kept = Arc::new(Kept::default());
        (kept.clone(), Traces::to(kept, one_in))
    }

    fn traced() -> Context {
        match Parent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01") {
            Parent::Traced(context) => context,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_is_traced_as_its_sender_decided() {
        let (kept, traces) = traces(1);
        assert!(traces.request("renew", || Parent::NotTraced).is_none());
        drop(traces.request("renew", || Parent::Traced(traced())));
        let spans = kept.0.lock().unwrap();
        assert_eq!(spans.len(), 1);
        assert_eq!(spans[0].context.trace_id(), traced().trace_id());
        assert_eq!(spans[0].parent, Some(traced()));
    }

    #[test]
    fn by_chance_one_of_so_many_is_traced() {
        let (_, traces) = traces(10);
        let traced = (0..10_000).filter(|_| traces.request("renew", || Parent::None).is_some()).count();
        assert!((700..1300).contains(&traced), "{traced} of 10000");
        assert!(Traces::default().request("renew", || Parent::None).is_none());
    }

    #[test]
    fn what_is_done_within_a_span_is_its_child() {
        let (kept, traces) = traces(1);
        let request = traces.request("renew", || Parent::None).unwrap();
        assert_eq!(traces.current(), None);
        within(Some(request.context()), || drop(traces.child("batch", traces.current())));
        assert_eq!(traces.current(), None);
        assert!(traces.child("batch", traces.current()).is_none());
        let spans = kept.0.lock().unwrap();
        assert_eq!((spans[0].name, spans[0].parent), ("batch", Some(request.context())));
        assert_ne!(spans[0].context, request.context());
    }

    #[test]
    fn an_entry_is_applied_within_the_span_that_appended_it() {
        let (kept, traces) = traces(1);
        traces.appended(7, Some(traced()));
        traces.appended(8, None);
        assert!(traces.applying(8).is_none());
        drop(traces.applying(7));
        assert!(traces.applying(7).is_none(), "only once");
        let spans = kept.0.lock().unwrap();
        assert_eq!((spans[0].name, spans[0].parent), ("apply", Some(traced())));
    }
}
