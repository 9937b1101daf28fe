//! How long the parts take that every write and every read goes through.

mod apply;
#[path = "../cases/mod.rs"]
mod cases;
mod decode;
mod encode;
mod log;

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

fn short() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
}

criterion_group! {
    name = hot;
    config = short();
    targets = apply::apply, encode::encode, encode::pages, decode::requests, decode::entries, log::append
}
criterion_main!(hot);
