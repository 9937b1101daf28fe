//! All that was measured.

use serde::Serialize;

use super::common::Machine;
use super::size::Size;

#[derive(Debug, Serialize)]
pub struct Growth {
    pub secs: u32,
    pub machine: Machine,
    /// From the smallest on.
    pub sizes: Vec<Size>,
}
