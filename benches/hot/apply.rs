//! Log entries applied: decoded, to the registry, what is to be stored, deadlines and view.

use std::time::Instant;

use criterion::{Bencher, Criterion, Throughput};

use crate::cases::{BATCH, Entry, Node};

pub fn apply(criterion: &mut Criterion) {
    for instances in [10_000, 100_000] {
        let mut node = Node::with(instances);
        let mut group = criterion.benchmark_group(format!("apply to {instances} instances"));
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function("64 renewals", |bencher| each(bencher, &mut node, Node::renewals));
        group.bench_function("64 registrations", |bencher| each(bencher, &mut node, Node::registrations));
        group.bench_function("64 status changes", |bencher| each(bencher, &mut node, Node::status_changes));
        group.finish();
    }
}

fn each(bencher: &mut Bencher<'_>, node: &mut Node, next: fn(&mut Node, usize) -> Entry) {
    bencher.iter_custom(|times| {
        let one = |_| {
            let entry = next(node, BATCH);
            let begin = Instant::now();
            node.apply(entry);
            begin.elapsed()
        };
        (0..times).map(one).sum()
    });
}
