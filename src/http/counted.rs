//! Counts what a connection's requests came to, and how long that took; traces some of them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use hyper::service::Service;
use hyper::{Request, Response};
use pin_project_lite::pin_project;

use super::request_span;
use super::route_label::route_label;
use crate::metrics::{Metrics, Route};
use crate::trace::{Span, within};

/// The service of one connection, whose requests it counts.
pub struct Counted<S> {
    service: S,
    metrics: Arc<Metrics>,
}

impl<S> Counted<S> {
    pub fn new(service: S, metrics: Arc<Metrics>) -> Self {
        Self { service, metrics }
    }
}

impl<S, A, B> Service<Request<A>> for Counted<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn call(&self, request: Request<A>) -> Self::Future {
        let (begin, metrics) = (Instant::now(), self.metrics.clone());
        let route = route_label(request.method(), request.uri().path());
        let span = request_span::begin(&metrics.traces, route, &request);
        let answer = within(span.as_ref().map(Span::context), || self.service.call(request));
        Answering { answer, route, begin, metrics, span }
    }
}

pin_project! {
    /// Ready with the answer's head; the body may still be on its way.
    pub struct Answering<F> {
        #[pin]
        answer: F,
        route: Route,
        begin: Instant,
        metrics: Arc<Metrics>,
        span: Option<Span>,
    }
}

impl<B, E, F: Future<Output = Result<Response<B>, E>>> Future for Answering<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let context = this.span.as_ref().map(Span::context);
        let answer = ready!(within(context, || this.answer.poll(cx)));
        if let Ok(answer) = &answer {
            if let Some(span) = this.span.take() {
                request_span::end(span, answer.status());
            }
            this.metrics.http.answered(*this.route, answer.status().as_u16(), this.begin.elapsed());
        }
        Poll::Ready(answer)
    }
}
