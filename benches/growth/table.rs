//! The results as Markdown.

use std::fmt::Write;

use super::common::grouped;
use super::growth::Growth;
use super::size::Size;

/// What a row says of a size.
type Row = (&'static str, fn(&Size) -> f64);

const ROWS: [Row; 12] = [
    ("full answer, gzip, MB", |size| size.answer_mb),
    ("full fetches at one node, /s", |size| size.fetches_per_second),
    ("processor time of a full fetch, nothing changed, µs", |size| size.fetch_cpu_us),
    ("processor time of one change and a full fetch, µs", |size| size.change_and_fetch_cpu_us),
    ("the same apart from a full fetch when nothing changed, µs", Size::change_cpu_us),
    ("renewals, /s", |size| size.renewals_per_second),
    ("renewals, p99, ms", |size| size.renewal_p99_ms),
    ("registrations of 1 KB, /s", |size| size.registrations_per_second),
    ("registrations, p99, ms", |size| size.registration_p99_ms),
    ("memory (RSS) of the largest node, MiB", |size| size.rss_mib),
    ("memory (RSS) of the largest node, KiB an instance", |size| {
        size.rss_mib * 1024.0 / f64::from(size.instances)
    }),
    ("all killed → all ready, ms", |size| size.restart_ms),
];

pub fn markdown(growth: &Growth) -> String {
    let mut text = String::from("# rs-registry as it grows\n\n");
    // Writing to a string does not fail.
    let _ = write!(text, "{}", growth.machine);
    let _ = writeln!(
        text,
        "\nMedians of {} rounds, in each of which every size was measured in turn, by new nodes. Three nodes, which \
         share the disk; a write is on disk (`fdatasync`) at two of them. 100 instances to an application. Loads are \
         {} s long, of 64 connections, on the same cores as the nodes. Processor time is of the node that one client \
         asks, one request after the other; a change is of one instance.\n",
        growth.rounds, growth.secs
    );
    table(&mut text, growth, |row, size, _| grouped(row(size)));
    if let [first, _, ..] = growth.sizes.as_slice() {
        let _ = writeln!(text, "\n## Relative to {} instances\n", grouped(f64::from(first.instances)));
        table(&mut text, growth, |row, size, first| format!("{}×", grouped(row(size) / row(first))));
    }
    text
}

fn table(text: &mut String, growth: &Growth, cell: impl Fn(fn(&Size) -> f64, &Size, &Size) -> String) {
    let sizes = &growth.sizes;
    let Some(first) = sizes.first() else { return };
    let heads: Vec<String> = sizes.iter().map(|size| grouped(f64::from(size.instances))).collect();
    let _ = writeln!(text, "| instances | {} |", heads.join(" | "));
    let _ = writeln!(text, "| --- |{}", " ---: |".repeat(sizes.len()));
    for (title, row) in ROWS {
        let cells: Vec<String> = sizes.iter().map(|size| cell(row, size, first)).collect();
        let _ = writeln!(text, "| {title} | {} |", cells.join(" | "));
    }
}
