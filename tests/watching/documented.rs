//! What `docs/metrics.md` has.

use std::collections::BTreeSet;

const TABLE: &str = include_str!("../../docs/metrics.md");

/// The names of samples by the rows of the table's metrics.
pub fn documented() -> BTreeSet<String> {
    let rows = TABLE.lines().filter_map(|line| line.strip_prefix("| `"));
    let samples = |row: &str| {
        let mut cells = row.split(" | ").map(|cell| cell.trim_matches(['`', '|', ' ']));
        let name = cells.next().expect("a name").to_owned();
        match cells.next() {
            Some("gauge" | "counter" | "info") => vec![name],
            Some("histogram") => ["bucket", "count", "sum"].map(|ending| format!("{name}_{ending}")).to_vec(),
            other => panic!("{name} is a {other:?}"),
        }
    };
    rows.flat_map(samples).collect()
}
