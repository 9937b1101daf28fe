//! What is measured, and of whom.

use std::str::FromStr;

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Server {
    Ours,
    Axum,
    Etcd,
    Spring,
    SpringPeers,
}

impl Server {
    /// In the order in which they are measured: the axum answers what ours answered before.
    pub const ALL: [Self; 5] = [Self::Ours, Self::Axum, Self::Etcd, Self::Spring, Self::SpringPeers];

    pub fn title(self) -> &'static str {
        match self {
            Self::Ours => "rs-registry, 3 nodes",
            Self::Axum => "bare axum",
            Self::Etcd => "etcd, 3 members",
            Self::Spring => "Spring Eureka, 1 server",
            Self::SpringPeers => "Spring Eureka, 3 peers",
        }
    }
}

impl FromStr for Server {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ours" => Ok(Self::Ours),
            "axum" => Ok(Self::Axum),
            "etcd" => Ok(Self::Etcd),
            "spring" => Ok(Self::Spring),
            "spring-peers" => Ok(Self::SpringPeers),
            _ => Err("there are ours, axum, etcd, spring and spring-peers"),
        }
    }
}

/// What is measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Renew,
    Register,
    Alone,
    Visible,
    Fetch,
    Memory,
    Start,
    Paced,
}

impl Group {
    pub const ALL: [Self; 8] = [
        Self::Renew,
        Self::Register,
        Self::Alone,
        Self::Visible,
        Self::Fetch,
        Self::Memory,
        Self::Start,
        Self::Paced,
    ];
}

impl FromStr for Group {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "renew" => Ok(Self::Renew),
            "register" => Ok(Self::Register),
            "alone" => Ok(Self::Alone),
            "visible" => Ok(Self::Visible),
            "fetch" => Ok(Self::Fetch),
            "memory" => Ok(Self::Memory),
            "start" => Ok(Self::Start),
            "paced" => Ok(Self::Paced),
            _ => Err("there are renew, register, alone, visible, fetch, memory, start and paced"),
        }
    }
}

/// A figure: a row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    RenewRate,
    RenewP99,
    RegisterRate,
    RegisterP99,
    AloneRenewLeader,
    AloneRenewFollower,
    AloneRegisterLeader,
    AloneRegisterFollower,
    VisibleP50,
    VisibleP99,
    Read(Read),
    Memory10k,
    Memory100k,
    Start,
    PacedCpu,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Read {
    AppsGzip,
    AppsPlain,
    Delta,
    App,
    Instance,
}

impl Read {
    pub const ALL: [Self; 5] = [Self::AppsGzip, Self::AppsPlain, Self::Delta, Self::App, Self::Instance];

    /// How it is called in names of files, and in the plot.
    pub fn name(self) -> &'static str {
        match self {
            Self::AppsGzip => "apps, gzip",
            Self::AppsPlain => "apps, plain",
            Self::Delta => "delta, gzip",
            Self::App => "one app",
            Self::Instance => "one instance",
        }
    }

    /// The words of `rs-registry bench`.
    pub fn workload(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::AppsGzip => ("fetch", &["--resource=apps"]),
            Self::AppsPlain => ("fetch", &["--resource=apps", "--no-gzip"]),
            Self::Delta => ("delta", &[]),
            Self::App => ("fetch", &["--resource=app"]),
            Self::Instance => ("fetch", &["--resource=instance"]),
        }
    }
}

impl Measure {
    pub const ALL: [Self; 19] = [
        Self::RenewRate,
        Self::RenewP99,
        Self::RegisterRate,
        Self::RegisterP99,
        Self::AloneRenewLeader,
        Self::AloneRenewFollower,
        Self::AloneRegisterLeader,
        Self::AloneRegisterFollower,
        Self::VisibleP50,
        Self::VisibleP99,
        Self::Read(Read::AppsGzip),
        Self::Read(Read::AppsPlain),
        Self::Read(Read::Delta),
        Self::Read(Read::App),
        Self::Read(Read::Instance),
        Self::Memory10k,
        Self::Memory100k,
        Self::Start,
        Self::PacedCpu,
    ];

    /// What it is, and its unit.
    pub fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::RenewRate => ("renewals, 3,000 instances", "/s"),
            Self::RenewP99 => ("renewals, p99", "ms"),
            Self::RegisterRate => ("registrations of 1 KB, 3,000 instances", "/s"),
            Self::RegisterP99 => ("registrations, p99", "ms"),
            Self::AloneRenewLeader => ("one client alone: renewal at the leader, p50", "ms"),
            Self::AloneRenewFollower => ("one client alone: renewal at a follower, p50", "ms"),
            Self::AloneRegisterLeader => ("one client alone: registration at the leader, p50", "ms"),
            Self::AloneRegisterFollower => ("one client alone: registration at a follower, p50", "ms"),
            Self::VisibleP50 => ("registered → visible at every other node, 500/s, p50", "ms"),
            Self::VisibleP99 => ("registered → visible at every other node, 500/s, p99", "ms"),
            Self::Read(Read::AppsGzip) => ("full `GET apps`, 10,000 instances, gzip", "/s"),
            Self::Read(Read::AppsPlain) => ("full `GET apps`, 10,000 instances, uncompressed", "/s"),
            Self::Read(Read::Delta) => ("`GET apps/delta`, gzip", "/s"),
            Self::Read(Read::App) => ("`GET` of one application, 100 instances", "/s"),
            Self::Read(Read::Instance) => ("`GET` of one instance", "/s"),
            Self::Memory10k => ("memory (RSS) of the largest node, 10,000 instances", "MiB"),
            Self::Memory100k => ("memory (RSS) of the largest node, 100,000 instances", "MiB"),
            Self::Start => ("start of all, with empty directories → first acknowledged write", "ms"),
            Self::PacedCpu => ("processor time of all nodes, 10,000 clients at Eureka's pace", "% of a core"),
        }
    }
}
