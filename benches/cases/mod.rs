//! What is measured, for both ways to measure it: by the clock (`hot`), and in instructions (`instructions`).

mod commands;
mod node;
mod service;
mod shown;

pub use commands::{batch, command_of_renewal, register, registration, renewal};
pub use node::{Entry, Node};
pub use service::Service;
pub use shown::{Shown, app_fragment, xml_body};

/// Commands of a log entry under load.
pub const BATCH: usize = 64;

/// Instances of an application.
const PER_APP: usize = 100;
