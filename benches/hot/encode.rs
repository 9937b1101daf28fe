//! What readers get: applications encoded, and the page of all of them put together after a change.

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, Throughput};
use rs_registry::eureka::Format;
use rs_registry::view::Bulk;

use crate::cases::{Shown, app_fragment};

pub fn encode(criterion: &mut Criterion) {
    let application = Shown::with(1_000).application();
    let mut group = criterion.benchmark_group("encode an application of 100 instances");
    group.throughput(Throughput::Elements(application.1.len() as u64));
    for (name, format) in [("JSON", Format::Json), ("XML", Format::Xml)] {
        group.bench_function(name, |bencher| bencher.iter(|| app_fragment(format, black_box(&application))));
    }
}

pub fn pages(criterion: &mut Criterion) {
    let mut shown = Shown::with(10_000);
    let mut group = criterion.benchmark_group("page of 10000 instances after a change");
    for (name, gzip) in [("plain", false), ("gzip", true)] {
        group.bench_function(name, |bencher| {
            shown.view().bulk(Bulk::Full, Format::Json, gzip);
            bencher.iter_custom(|times| {
                let one = |_| {
                    shown.change();
                    let begin = Instant::now();
                    black_box(shown.view().bulk(Bulk::Full, Format::Json, gzip));
                    begin.elapsed()
                };
                (0..times).map(one).sum()
            });
        });
    }
}
