//! What is to be measured, as the command line has checked it.

use std::time::Duration;

use super::target::BaseUrl;

#[derive(Debug, Clone)]
pub struct Plan {
    pub workload: Workload,
    /// At least one.
    pub urls: Vec<BaseUrl>,
    pub connections: usize,
    pub warm_up: Duration,
    pub duration: Duration,
    /// At least one.
    pub instances: usize,
    pub instances_per_app: usize,
    /// In capitals, as servers show it.
    pub app_prefix: String,
    pub document: DocumentKind,
    pub lease_secs: u32,
    /// Whether what was registered stays.
    pub keep: bool,
    /// Requests a second over all connections; none for as fast as answers come.
    pub rate: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    Register,
    Renew,
    Fetch { resource: Resource, gzip: bool },
    Delta { gzip: bool },
    Visible,
    Paced { renew: Duration, fetch: Duration },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Resource {
    /// The whole registry
    Apps,
    /// One application
    App,
    /// One instance
    Instance,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DocumentKind {
    /// What a Spring Cloud client registers, about 1 KB
    Spring,
    /// The least that every server takes
    Small,
}

/// New instances a second, where a reader is waiting for each.
const VISIBLE_RATE: u32 = 500;

impl Workload {
    /// Requests a second, of what was asked for; none for as fast as answers come.
    pub fn rate(self, asked: Option<u32>) -> Option<f64> {
        let rate = match self {
            // Their pace is that of the clients.
            Self::Paced { .. } => None,
            Self::Visible => Some(asked.unwrap_or(VISIBLE_RATE)),
            _ => asked,
        };
        rate.filter(|rate| *rate > 0).map(f64::from)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Renew => "renew",
            Self::Fetch { .. } => "fetch",
            Self::Delta { .. } => "delta",
            Self::Visible => "visible",
            Self::Paced { .. } => "paced",
        }
    }
}
