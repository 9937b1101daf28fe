//! The results as Markdown.

use std::fmt::Write;

use super::common::{Machine, grouped};
use super::measure::{Measure, Server};
use super::results::{Results, Summary};
use super::settings::Settings;

const NONE: &str = "–";
/// How long a delta tells of a change.
const DELTA_SECS: u32 = 180;

pub fn markdown(settings: &Settings, machine: &Machine, results: &Results) -> String {
    let mut text = String::from("# rs-registry beside others\n\n");
    // Writing to a string does not fail.
    let _ = write!(text, "{machine}");
    text.push_str(&how(settings));
    text.push_str("\n## Medians\n\n");
    let others: Vec<Server> = Server::ALL.into_iter().filter(|server| *server != Server::Ours).collect();
    let columns: Vec<Server> = [Server::Ours].into_iter().chain(others.iter().copied()).collect();
    table(&mut text, &columns, |measure, server| results.summary(measure, server).map(cell));
    text.push_str("\n## Ratios: rs-registry ÷ the other\n\n");
    table(&mut text, &others, |measure, server| {
        let ours = results.summary(measure, Server::Ours)?;
        Some(format!("{}×", grouped(ours.median / results.summary(measure, server)?.median)))
    });
    list(&mut text, "Chosen in the first round", &results.notes);
    list(&mut text, "Not measured", &results.problems);
    text
}

fn how(settings: &Settings) -> String {
    format!(
        "\nMedians, with the least and the most in parentheses; rounds: {}, in each of which every server was measured in \
         turn. Each load is {} s long, behind {} s of warm-up (JVMs: 10 s of writes more for each). It is made by 64 \
         connections, on the same cores as the servers; writes and reads are spread over all nodes. Clients at \
         Eureka's pace are measured {} s after all of them registered, when deltas {}.\n\n\
         - rs-registry: a write is answered when it is on disk (`fdatasync`) at two of three nodes, which share the disk.\n\
         - bare axum: one process that answers what a node answered, byte for byte, and keeps nothing; each of its reads \
         is measured right behind that of rs-registry.\n\
         - etcd: a registration is a lease and a value under it, both on disk at two of three members. A renewal is a \
         keep-alive, which the leader answers from its memory: it is neither replicated nor on disk.\n\
         - Spring Eureka: writes are answered from the memory of one server, and copied to its peers later. Nothing is on \
         disk. Full reads and deltas come from a cache that is up to 30 s old.\n",
        settings.rounds,
        settings.secs,
        settings.warm_up_secs,
        settings.paced_warm_up_secs,
        if settings.paced_warm_up_secs < DELTA_SECS { "have them all" } else { "are empty" },
    )
}

/// A row for each measure that has a value.
fn table(text: &mut String, columns: &[Server], cell: impl Fn(Measure, Server) -> Option<String>) {
    let titles: Vec<&str> = columns.iter().map(|server| server.title()).collect();
    let _ = writeln!(text, "| what | {} |", titles.join(" | "));
    let _ = writeln!(text, "| --- |{}", " ---: |".repeat(columns.len()));
    for measure in Measure::ALL {
        let cells: Vec<Option<String>> = columns.iter().map(|server| cell(measure, *server)).collect();
        if cells.iter().any(Option::is_some) {
            let cells: Vec<String> =
                cells.into_iter().map(|cell| cell.unwrap_or_else(|| NONE.to_owned())).collect();
            let (title, unit) = measure.title();
            let _ = writeln!(text, "| {title}, {unit} | {} |", cells.join(" | "));
        }
    }
}

fn cell(summary: Summary) -> String {
    let Summary { median, min, max } = summary;
    if min == max {
        grouped(median)
    } else {
        format!("{} ({}..{})", grouped(median), grouped(min), grouped(max))
    }
}

fn list(text: &mut String, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        let _ = writeln!(text, "\n{title}:\n");
        for line in lines {
            let _ = writeln!(text, "- {line}");
        }
    }
}
