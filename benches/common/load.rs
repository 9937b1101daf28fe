//! Load by `rs-registry bench`, a process of its own on the same cores.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;

pub struct Load {
    workload: &'static str,
    command: Command,
}

/// Of one row of the report.
#[derive(Debug, Clone, Deserialize)]
pub struct Figures {
    pub name: String,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

#[derive(Debug, Deserialize)]
struct Report {
    results: Vec<Figures>,
}

impl Load {
    pub fn new(workload: &'static str, addrs: &[SocketAddr]) -> Self {
        let urls: Vec<String> = addrs.iter().map(|addr| format!("http://{addr}/eureka")).collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rs-registry"));
        command.args(["bench", workload, "--json", "--urls", &urls.join(",")]).stderr(Stdio::piped());
        Self { workload, command }
    }

    pub fn option(mut self, name: &str, value: impl ToString) -> Self {
        self.command.arg(name).arg(value.to_string());
        self
    }

    pub fn flag(mut self, name: &str) -> Self {
        self.command.arg(name);
        self
    }

    /// What the first row says.
    ///
    /// # Errors
    /// When a request failed, or the load could not be made.
    pub fn run(self) -> anyhow::Result<Figures> {
        self.rows()?.into_iter().next().context("bench reports nothing")
    }

    /// # Errors
    /// The same.
    pub fn rows(mut self) -> anyhow::Result<Vec<Figures>> {
        let output = self.command.output().context("bench does not start")?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("bench {}: {}", self.workload, errors.trim().lines().last().unwrap_or("no reason given"));
        }
        let report: Report = serde_json::from_slice(&output.stdout).context("the report of bench")?;
        Ok(report.results)
    }
}

/// Registers so many instances, which stay.
///
/// # Errors
/// When a server does not take them.
pub fn fill(addrs: &[SocketAddr], instances: u32) -> anyhow::Result<()> {
    // There is no workload that sends nothing.
    let load = Load::new("renew", addrs).option("--rate", 1).option("--instances", instances).flag("--keep");
    load.option("--duration-secs", 1).option("--warm-up-secs", 0).run().map(drop)
}
