//! What is read: requests until they are commands, and log entries until they are commands again.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use rs_registry::encoding::EncodedCommands;
use rs_registry::eureka::RequestFormat;

use crate::cases::{BATCH, Service, batch, command_of_renewal, register, registration, renewal, xml_body};

pub fn requests(criterion: &mut Criterion) {
    let service = Service { number: 7, apps: 100 };
    let mut group = criterion.benchmark_group("request");
    let sent = service.renewal();
    group.bench_function("renewal to bytes of a command", |bencher| {
        bencher.iter(|| command_of_renewal(black_box(&sent)));
    });
    let (app, json, xml) = (service.app(), service.json().into_bytes(), xml_body(service));
    for (name, format, body) in
        [("JSON body", RequestFormat::Json, &json[..]), ("XML body", RequestFormat::Xml, &xml)]
    {
        group.bench_function(name, |bencher| bencher.iter(|| register(format, black_box(body), &app)));
    }
    let command = registration(service);
    group.bench_function("registration to bytes of a command", |bencher| {
        bencher.iter(|| EncodedCommands::one(black_box(&command)));
    });
}

pub fn entries(criterion: &mut Criterion) {
    let services = || (0..BATCH).map(|number| Service { number, apps: 100 });
    let batches = [
        ("64 renewals", batch(services().map(renewal), 1)),
        ("64 registrations", batch(services().map(registration), 1)),
    ];
    let mut group = criterion.benchmark_group("decode a log entry");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (name, batch) in batches {
        group.bench_function(name, |bencher| bencher.iter(|| black_box(&batch).decode().unwrap()));
    }
}
