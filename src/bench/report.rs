//! What was measured, as a table to read and as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::fleet::Cancelled;
use super::plan::Plan;
use super::tally::Tally;

/// One kind of request, or of waiting.
#[derive(Debug)]
pub struct Row {
    name: String,
    tally: Tally,
    bytes: bool,
}

#[derive(Debug, Serialize)]
pub struct Report {
    pub workload: &'static str,
    /// Without names and passwords.
    pub urls: Vec<String>,
    pub connections: usize,
    pub instances: usize,
    pub warm_up_secs: f64,
    pub duration_secs: f64,
    /// None: as fast as answers came.
    pub rate: Option<f64>,
    pub results: Vec<Figures>,
    /// Of all results.
    pub errors: u64,
    pub not_sent: u64,
    /// Connections that were made again.
    pub reconnects: u64,
    /// Nothing if the instances were to stay.
    pub cleanup: Option<Cancelled>,
}

#[derive(Debug, Serialize)]
pub struct Figures {
    pub name: String,
    /// Successes that began in the measured time.
    pub count: u64,
    /// Successes that were answered in it.
    pub per_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<f64>,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub p99_9_ms: f64,
    pub max_ms: f64,
    pub errors: BTreeMap<String, u64>,
}

impl Row {
    pub fn new(name: &str, tally: Tally) -> Self {
        Self { name: name.to_owned(), tally, bytes: false }
    }

    /// Shows the bytes of the bodies too.
    pub fn with_bytes(self) -> Self {
        Self { bytes: true, ..self }
    }

    fn figures(&self, duration: Duration) -> Figures {
        let tally = &self.tally;
        Figures {
            name: self.name.clone(),
            count: tally.count(),
            per_second: rounded(tally.per_second(duration)),
            bytes_per_second: self.bytes.then(|| rounded(tally.bytes_per_second(duration))),
            p50_ms: tally.quantile_ms(0.5),
            p90_ms: tally.quantile_ms(0.9),
            p99_ms: tally.quantile_ms(0.99),
            p99_9_ms: tally.quantile_ms(0.999),
            max_ms: tally.quantile_ms(1.0),
            errors: tally.failures().clone(),
        }
    }
}

impl Report {
    pub fn new(plan: &Plan, rows: &[Row], cleanup: Option<Cancelled>) -> Self {
        Self {
            workload: plan.workload.name(),
            urls: plan.urls.iter().map(ToString::to_string).collect(),
            connections: plan.connections,
            instances: plan.instances,
            warm_up_secs: plan.warm_up.as_secs_f64(),
            duration_secs: plan.duration.as_secs_f64(),
            rate: plan.rate,
            results: rows.iter().map(|row| row.figures(plan.duration)).collect(),
            errors: rows.iter().map(|row| row.tally.errors()).sum(),
            not_sent: rows.iter().map(|row| row.tally.not_sent).sum(),
            reconnects: rows.iter().map(|row| row.tally.reconnects).sum(),
            cleanup,
        }
    }
}

/// To one decimal; more would be noise.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

const HEAD: [&str; 9] = ["", "count", "per s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "errors"];

/// The table, with an end of line behind each line.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} at {}\n{} connections, {} instances, {} s after {} s of warm-up{}\n",
            self.workload,
            self.urls.join(", "),
            self.connections,
            self.instances,
            self.duration_secs,
            self.warm_up_secs,
            self.rate.map(|rate| format!(", {rate} requests/s asked for")).unwrap_or_default(),
        )?;
        let mut lines = vec![HEAD.map(str::to_owned)];
        lines.extend(self.results.iter().map(Figures::cells));
        let width = |column: usize| lines.iter().map(|cells| cells[column].len()).max().unwrap_or(0);
        let widths: [usize; HEAD.len()] = std::array::from_fn(width);
        for cells in &lines {
            write!(f, "  {:<1$}", cells[0], widths[0])?;
            for (cell, width) in cells.iter().zip(widths).skip(1) {
                write!(f, "  {cell:>width$}")?;
            }
            writeln!(f)?;
        }
        self.remarks(f)
    }
}

impl Report {
    fn remarks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for figures in &self.results {
            if let Some(bytes) = figures.bytes_per_second {
                writeln!(f, "\n  {}: {:.1} MB/s of bodies", figures.name, bytes / 1e6)?;
            }
        }
        for figures in self.results.iter().filter(|figures| !figures.errors.is_empty()) {
            writeln!(f, "\n  errors of {}:", figures.name)?;
            for (what, count) in &figures.errors {
                writeln!(f, "  {count:>9}  {what}")?;
            }
        }
        if self.not_sent > 0 {
            writeln!(
                f,
                "\n  {} requests were due and not sent, not even late: ask for less, or give more --connections",
                self.not_sent
            )?;
        }
        if self.reconnects > 0 {
            writeln!(f, "\n  {} connections were made again", self.reconnects)?;
        }
        match self.cleanup {
            None => writeln!(f, "\n  what was registered is kept"),
            Some(Cancelled { gone: 0, left: 0, .. }) => Ok(()),
            Some(Cancelled { gone, left, .. }) => {
                writeln!(f, "\n  {gone} instances were gone before the end; {left} could not be cancelled")
            }
        }
    }
}

impl Figures {
    fn cells(&self) -> [String; HEAD.len()] {
        let ms = |value: f64| format!("{value:.2}");
        [
            self.name.clone(),
            self.count.to_string(),
            format!("{:.0}", self.per_second),
            ms(self.p50_ms),
            ms(self.p90_ms),
            ms(self.p99_ms),
            ms(self.p99_9_ms),
            ms(self.max_ms),
            self.errors.values().sum::<u64>().to_string(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{DocumentKind, Workload};
    use super::super::window::{Halt, Window};
    use super::*;

    fn plan() -> Plan {
        Plan {
            workload: Workload::Renew,
            urls: vec!["http://user:secret@127.0.0.1:8761/eureka".parse().expect("a URL")],
            connections: 2,
            warm_up: Duration::ZERO,
            duration: Duration::from_secs(2),
            instances: 10,
            instances_per_app: 5,
            app_prefix: "BENCH".into(),
            document: DocumentKind::Small,
            lease_secs: 90,
            keep: false,
            rate: None,
        }
    }

    fn report(errors: usize) -> Report {
        let window = Window::starting_now(Duration::ZERO, Duration::from_secs(2), Halt::default());
        let mut tally = Tally::default();
        for ms in 1..=1000 {
            tally.succeeded(&window, window.begin, window.begin + Duration::from_millis(ms), 500);
        }
        (0..errors).for_each(|_| tally.failed("answer 404".into()));
        let cleanup = Cancelled { cancelled: 10, ..Cancelled::default() };
        Report::new(&plan(), &[Row::new("renew", tally).with_bytes()], Some(cleanup))
    }

    #[test]
    fn figures_are_those_of_the_measured_time() {
        let figures = &report(3).results[0];
        assert_eq!(figures.count, 1000);
        assert!((figures.per_second - 500.0).abs() < 1e-9);
        assert_eq!(figures.bytes_per_second, Some(250_000.0));
        for (figure, ms) in [
            (figures.p50_ms, 500.0),
            (figures.p99_ms, 990.0),
            (figures.p99_9_ms, 999.0),
            (figures.max_ms, 1000.0),
        ] {
            assert!((figure - ms).abs() < 1.0, "{figure} is not {ms}");
        }
    }

    #[test]
    fn the_table_is_aligned_and_names_errors() {
        let text = report(3).to_string();
        let lines: Vec<&str> =
            text.lines().filter(|line| line.contains("p50") || line.contains(" 1000 ")).collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(lines[0].len(), lines[1].len(), "{text}");
        assert!(text.contains("3  answer 404"), "{text}");
        assert!(!report(0).to_string().contains("errors of"));
    }

    #[test]
    fn the_json_has_no_password() {
        let json = serde_json::to_value(report(3)).expect("JSON");
        assert_eq!(json["errors"], 3);
        assert_eq!(json["results"][0]["errors"]["answer 404"], 3);
        assert_eq!(json["cleanup"]["cancelled"], 10);
        assert!(!json.to_string().contains("secret"));
    }
}
