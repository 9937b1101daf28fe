//! What was asked for in the environment.

use serde::Serialize;

use super::common::{Load, list, number};
use super::measure::{Group, Server};

#[derive(Debug, Serialize)]
pub struct Settings {
    pub secs: u32,
    pub warm_up_secs: u32,
    pub paced_warm_up_secs: u32,
    pub rounds: u32,
    #[serde(skip)]
    groups: Option<Vec<Group>>,
    #[serde(skip)]
    servers: Option<Vec<Server>>,
}

impl Settings {
    /// # Errors
    /// When a variable cannot be read.
    pub fn read() -> anyhow::Result<Self> {
        Ok(Self {
            secs: number("COMPARE_SECS", 4)?,
            warm_up_secs: number("COMPARE_WARM_UP_SECS", 2)?,
            paced_warm_up_secs: number("COMPARE_PACED_WARM_UP_SECS", 6)?,
            rounds: number("COMPARE_ROUNDS", 3)?,
            groups: list("COMPARE_ONLY")?,
            servers: list("COMPARE_SERVERS")?,
        })
    }

    pub fn group(&self, group: Group) -> bool {
        self.groups.as_ref().is_none_or(|groups| groups.contains(&group))
    }

    pub fn server(&self, server: Server) -> bool {
        self.servers.as_ref().is_none_or(|servers| servers.contains(&server))
    }

    /// A load of the usual length.
    pub fn timed(&self, load: Load) -> Load {
        load.option("--duration-secs", self.secs).option("--warm-up-secs", self.warm_up_secs)
    }
}
