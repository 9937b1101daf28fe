//! A span: what was done from when to when, for whom.

use std::mem;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::Sink;
use super::context::Context;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It answers a request of another program.
    Server,
    Internal,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(&'static str),
    /// What a client gave.
    Given(String),
    Number(u64),
}

/// Links beyond so many are left out.
const MOST_LINKS: usize = 32;

/// A span that is over.
#[derive(Debug)]
pub struct Finished {
    pub context: Context,
    pub parent: Option<Context>,
    pub name: &'static str,
    pub kind: Kind,
    pub begin: SystemTime,
    pub end: SystemTime,
    pub attributes: Vec<(&'static str, Value)>,
    /// Of other traces, for which this was done as well.
    pub links: Vec<Context>,
    pub has_failed: bool,
}

/// A span under way. It ends when this goes.
#[derive(Debug)]
pub struct Span {
    sink: Arc<dyn Sink>,
    /// The wall clock may be set meanwhile.
    since: Instant,
    /// Its end is that of its beginning until it is over. Boxed, since futures of requests carry it, most of them none.
    span: Box<Finished>,
}

impl Span {
    pub(super) fn begin(
        sink: Arc<dyn Sink>,
        name: &'static str,
        kind: Kind,
        parent: Option<Context>,
    ) -> Self {
        let now = SystemTime::now();
        let span = Finished {
            context: parent.map_or_else(Context::root, Context::child),
            parent,
            name,
            kind,
            begin: now,
            end: now,
            attributes: Vec::new(),
            links: Vec::new(),
            has_failed: false,
        };
        Self { sink, since: Instant::now(), span: Box::new(span) }
    }

    pub fn context(&self) -> Context {
        self.span.context
    }

    pub fn set(&mut self, name: &'static str, value: Value) {
        self.span.attributes.push((name, value));
    }

    pub fn link(&mut self, context: Context) {
        if self.span.links.len() < MOST_LINKS {
            self.span.links.push(context);
        }
    }

    /// Why is one of a few words.
    pub fn fail(&mut self, why: &'static str) {
        self.span.has_failed = true;
        self.set("error.type", Value::Text(why));
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let (attributes, links) = (mem::take(&mut self.span.attributes), mem::take(&mut self.span.links));
        let end = self.span.begin + self.since.elapsed();
        self.sink.take(Finished { end, attributes, links, ..*self.span });
    }
}
