//! What both benches stand on: clusters, load, what the kernel says of processes and of the machine.
#![allow(dead_code, unused_imports, reason = "each bench includes all of it and uses its part")]

#[path = "../../tests/harness/mod.rs"]
pub mod harness;

mod child;
mod cpu_watch;
mod ink;
mod invocation;
mod load;
mod machine;
mod numbers;
mod output;
mod process;

pub use child::Child;
pub use cpu_watch::CpuWatch;
pub use ink::{BLUE, FAINT_INK, INK, text_style};
pub use invocation::{is_bench, list, number};
pub use load::{Figures, Load, fill};
pub use machine::Machine;
pub use numbers::{grouped, median};
pub use output::Output;
pub use process::{cpu, most_rss_mib};
