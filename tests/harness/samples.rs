//! What a node's `/metrics` tells.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::http::Request;

#[derive(Debug)]
pub struct Samples {
    /// By name and labels as they are written.
    values: BTreeMap<String, f64>,
    /// The names of all samples that these metrics may have, whether they have any yet.
    names: BTreeSet<String>,
}

impl Samples {
    /// # Panics
    /// When the node does not answer with metrics.
    pub fn of(addr: SocketAddr) -> Self {
        let answer = Request::get("/metrics").expect(addr);
        assert_eq!(answer.status, 200, "GET /metrics at {addr}");
        let text = answer.text();
        assert!(text.ends_with("# EOF\n"), "no end in:\n{text}");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let value = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        let values = lines.map(|line| value(line).unwrap_or_else(|| panic!("no sample: {line}"))).collect();
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let names = types.flat_map(|(name, kind)| sample_names(name, kind)).collect();
        Self { values, names }
    }

    /// Of the sample with this name and these labels.
    ///
    /// # Panics
    /// When there is none.
    pub fn value(&self, sample: &str) -> f64 {
        *self.values.get(sample).unwrap_or_else(|| panic!("no {sample} in {self:#?}"))
    }

    /// Of all samples with this name together, whatever their labels.
    pub fn sum(&self, name: &str) -> f64 {
        let labelled = format!("{name}{{");
        let of_name =
            self.values.iter().filter(|(sample, _)| *sample == name || sample.starts_with(&labelled));
        of_name.map(|(_, value)| value).sum()
    }

    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }
}

fn sample_names(name: &str, kind: &str) -> Vec<String> {
    let endings: &[&str] = match kind {
        "gauge" => &[""],
        "counter" => &["_total"],
        "info" => &["_info"],
        "histogram" => &["_bucket", "_count", "_sum"],
        other => panic!("{name} is a {other}, which this does not know"),
    };
    endings.iter().map(|ending| format!("{name}{ending}")).collect()
}
