//! All that was measured.

use serde::Serialize;

use super::common::Machine;
use super::size::Size;

#[derive(Debug, Serialize)]
pub struct Growth {
    pub rounds: u32,
    pub secs: u32,
    pub machine: Machine,
    /// Medians, from the smallest size on.
    pub sizes: Vec<Size>,
}
