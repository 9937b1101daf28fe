//! Which way of running a server suits it best: others' servers are to be seen at their best.

use std::fmt::Display;

/// Ways to choose from, and those that were chosen so far.
pub struct Best<W> {
    ways: Vec<W>,
    chosen: Vec<(String, W)>,
}

impl<W: Copy + Display> Best<W> {
    pub fn new(ways: Vec<W>) -> Self {
        Self { ways, chosen: Vec::new() }
    }

    /// What is measured of the way with the highest first value. All ways are tried at the first time, and the best of them
    /// from then on.
    ///
    /// # Errors
    /// When none can be measured.
    pub fn measure<const N: usize>(
        &mut self,
        what: &str,
        mut measure: impl FnMut(W) -> anyhow::Result<[f64; N]>,
    ) -> anyhow::Result<[f64; N]> {
        if let Some((_, way)) = self.chosen.iter().find(|(name, _)| name == what) {
            return measure(*way);
        }
        let mut tried = Vec::new();
        for way in &self.ways {
            tried.push((measure(*way)?, *way));
        }
        let best = tried.into_iter().max_by(|(one, _), (other, _)| one[0].total_cmp(&other[0]));
        let (values, way) = best.ok_or_else(|| anyhow::anyhow!("there is no way to choose from"))?;
        self.chosen.push((what.to_owned(), way));
        Ok(values)
    }

    /// What was chosen for what.
    pub fn remark(&self, of: &str) -> Option<String> {
        let choices: Vec<String> =
            self.chosen.iter().map(|(what, way)| format!("{way} for {what}")).collect();
        (!choices.is_empty()).then(|| format!("{of}, whichever does better: {}.", choices.join("; ")))
    }
}
