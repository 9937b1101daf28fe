//! What came out so far.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::common::{Figures, Machine, median};
use super::measure::{Group, Measure, Server};
use super::settings::Settings;

#[derive(Debug, Default)]
pub struct Results {
    samples: BTreeMap<(Measure, Server), Vec<f64>>,
    /// What is to be known of how something was measured.
    pub notes: Vec<String>,
    /// What was not measured, and why.
    pub problems: Vec<String>,
}

/// Of all rounds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Summary {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

/// One server's part of one round.
pub struct Round<'a> {
    pub settings: &'a Settings,
    server: Server,
    results: &'a mut Results,
}

impl Results {
    pub fn round<'a>(&'a mut self, server: Server, settings: &'a Settings) -> Round<'a> {
        Round { settings, server, results: self }
    }

    /// What was made, or nothing and a problem.
    pub fn keep<T>(&mut self, what: &str, made: anyhow::Result<T>) -> Option<T> {
        made.map_err(|error| self.fail(&format!("{what}: {error:#}"))).ok()
    }

    pub fn summary(&self, measure: Measure, server: Server) -> Option<Summary> {
        let values = self.samples.get(&(measure, server))?;
        Some(Summary {
            median: median(values)?,
            min: values.iter().copied().reduce(f64::min)?,
            max: values.iter().copied().reduce(f64::max)?,
        })
    }

    pub fn json(&self, settings: &Settings, machine: &Machine) -> Value {
        let results: Vec<Value> = self
            .samples
            .iter()
            .map(|((measure, server), values)| {
                let (title, unit) = measure.title();
                let summary = self.summary(*measure, *server);
                json!({"measure": measure, "title": title, "unit": unit, "server": server, "samples": values, "summary": summary})
            })
            .collect();
        let (notes, problems) = (&self.notes, &self.problems);
        json!({"machine": machine, "settings": settings, "results": results, "notes": notes, "problems": problems})
    }

    /// Told at once, and again at the end; once, however many rounds it fails.
    fn fail(&mut self, problem: &str) {
        eprintln!("compare: {problem}");
        if !self.problems.iter().any(|known| known == problem) {
            self.problems.push(problem.to_owned());
        }
    }
}

impl Round<'_> {
    pub fn wants(&self, group: Group) -> bool {
        self.settings.group(group)
    }

    /// Whether anything but this is wanted.
    pub fn wants_but(&self, group: Group) -> bool {
        Group::ALL.into_iter().any(|other| other != group && self.wants(other))
    }

    pub fn wants_any(&self, groups: &[Group]) -> bool {
        groups.iter().any(|group| self.wants(*group))
    }

    pub fn take(&mut self, measure: Measure, value: f64) {
        self.results.samples.entry((measure, self.server)).or_default().push(value);
    }

    /// Takes what comes of it for these measures, or notes why nothing does.
    pub fn attempt<const N: usize>(
        &mut self,
        measures: [Measure; N],
        measured: impl FnOnce(&Settings) -> anyhow::Result<[f64; N]>,
    ) {
        match measured(self.settings) {
            Ok(values) => {
                measures.into_iter().zip(values).for_each(|(measure, value)| self.take(measure, value))
            }
            Err(error) => self.fail(measures[0].title().0, &error),
        }
    }

    pub fn fail(&mut self, what: &str, error: &anyhow::Error) {
        self.results.fail(&format!("{}: {what}: {error:#}", self.server.title()));
    }
}

/// Of a load: what it came to in a second, and its slowest hundredth.
pub fn rate_and_p99(figures: Figures) -> [f64; 2] {
    [figures.per_second, figures.p99_ms]
}
