//! How many instructions the same parts take: the same number on a busy machine as on an idle one. See run.sh. A
//! number at the end of a name is how many of it are done.

#[path = "../cases/mod.rs"]
mod cases;

use cases::{
    BATCH, Entry, Node, Service, Shown, app_fragment, batch, command_of_renewal, register, registration,
    renewal, xml_body,
};
use gungraun::prelude::*;
use gungraun::{Callgrind, CallgrindMetrics, EventKind};
use rs_registry::command::Command;
use rs_registry::encoding::{EncodedBatch, EncodedCommands};
use rs_registry::eureka::{Accepted, Format, RequestFormat};
use rs_registry::registry::{AppName, Registration};
use rs_registry::view::{Bulk, Page};

const INSTANCES: usize = 10_000;
/// So many that it is the same how full the hash tables are, and what the heap is like.
const ENTRIES: usize = 31;

type Next = fn(&mut Node, usize) -> Entry;

/// A node that has applied an entry of the kind, and the next of them.
fn next(next: Next) -> (Node, Vec<Entry>) {
    let mut node = Node::with(INSTANCES);
    let first = next(&mut node, BATCH);
    node.apply(first);
    let entries = (0..ENTRIES).map(|_| next(&mut node, BATCH)).collect();
    (node, entries)
}

#[library_benchmark]
#[bench::renewals_1984(next(Node::renewals))]
#[bench::registrations_1984(next(Node::registrations))]
#[bench::status_changes_1984(next(Node::status_changes))]
fn apply((mut node, entries): (Node, Vec<Entry>)) -> Node {
    entries.into_iter().for_each(|entry| node.apply(entry));
    node
}

fn services() -> impl Iterator<Item = Service> {
    (0..BATCH).map(|number| Service { number, apps: 100 })
}

fn entry(command: fn(Service) -> Command) -> EncodedBatch {
    let batch = batch(services().map(command), 1);
    decode_entry_of(&batch);
    batch
}

fn decode_entry_of(batch: &EncodedBatch) -> Vec<Command> {
    batch.decode().unwrap().1
}

#[library_benchmark]
#[bench::renewals_64(entry(renewal))]
#[bench::registrations_64(entry(registration))]
fn decode_entry(batch: EncodedBatch) -> Vec<Command> {
    decode_entry_of(&batch)
}

fn application(format: Format) -> (AppName, Vec<Registration>) {
    let application = Shown::with(1_000).application();
    app_fragment(format, &application);
    application
}

#[library_benchmark]
#[bench::json_100(Format::Json, application(Format::Json))]
#[bench::xml_100(Format::Xml, application(Format::Xml))]
fn encode(format: Format, application: (AppName, Vec<Registration>)) -> Vec<u8> {
    app_fragment(format, &application)
}

/// What is shown after a change, with a page of what was shown before that.
fn changed(gzip: bool) -> Shown {
    let mut shown = Shown::with(INSTANCES);
    shown.view().bulk(Bulk::Full, Format::Json, gzip);
    shown.change();
    shown
}

#[library_benchmark]
#[bench::plain(changed(false), false)]
#[bench::gzip(changed(true), true)]
fn page_after_a_change(shown: Shown, gzip: bool) -> (Shown, Page) {
    let page = shown.view().bulk(Bulk::Full, Format::Json, gzip);
    (shown, page)
}

type Sent = Vec<(Vec<u8>, String)>;

fn bodies(format: RequestFormat) -> Sent {
    let body = |service: Service| match format {
        RequestFormat::Json => service.json().into_bytes(),
        RequestFormat::Xml => xml_body(service),
    };
    let sent: Sent = services().map(|service| (body(service), service.app())).collect();
    register_all(format, &sent);
    sent
}

fn register_all(format: RequestFormat, sent: &[(Vec<u8>, String)]) -> Vec<Accepted> {
    sent.iter().map(|(body, app)| register(format, body, app)).collect()
}

#[library_benchmark]
#[bench::json_64(RequestFormat::Json, bodies(RequestFormat::Json))]
#[bench::xml_64(RequestFormat::Xml, bodies(RequestFormat::Xml))]
fn register_body(format: RequestFormat, sent: Sent) -> Vec<Accepted> {
    register_all(format, &sent)
}

fn renewals() -> Vec<(String, String)> {
    let sent: Vec<_> = services().map(Service::renewal).collect();
    commands_of(&sent);
    sent
}

fn commands_of(sent: &[(String, String)]) -> Vec<EncodedCommands> {
    sent.iter().map(command_of_renewal).collect()
}

#[library_benchmark]
#[bench::renewals_64(renewals())]
fn request(sent: Vec<(String, String)>) -> Vec<EncodedCommands> {
    commands_of(&sent)
}

library_benchmark_group!(
    name = hot,
    benchmarks = [apply, decode_entry, encode, page_after_a_change, register_body, request]
);
main!(
    config = LibraryBenchmarkConfig::default().tool(
        Callgrind::with_args(["--cache-sim=no", "--separate-threads=no"])
            .format([CallgrindMetrics::SingleEvent(EventKind::Ir)])
    ),
    library_benchmark_groups = hot
);
