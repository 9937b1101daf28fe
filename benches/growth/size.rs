//! What is measured of a cluster with so many instances.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::common::harness::Cluster;
use super::common::{Figures, Load, Output, fill, median, most_rss_mib};
use super::reads::{Asked, reads, reads_of_changes};

#[derive(Clone, Debug, Serialize)]
pub struct Size {
    pub instances: u32,
    pub renewals_per_second: f64,
    pub renewal_p99_ms: f64,
    pub registrations_per_second: f64,
    pub registration_p99_ms: f64,
    pub fetches_per_second: f64,
    /// Of a whole registry, gzipped.
    pub answer_mb: f64,
    /// Of the node that is asked again and again, nothing having changed.
    pub fetch_cpu_us: f64,
    /// Of the node that takes a change and is asked then, again and again.
    pub change_and_fetch_cpu_us: f64,
    /// Of the largest node.
    pub rss_mib: f64,
    /// Until all three are ready, after all three were killed.
    pub restart_ms: f64,
}

const CONNECTIONS: u32 = 64;
/// Until the state has been stored, which is due every 5 s, and what that and registering needed is given back.
const SETTLING: Duration = Duration::from_secs(12);

impl Size {
    /// # Errors
    /// When something cannot be measured.
    pub fn measure(instances: u32, secs: u32, output: &Output) -> anyhow::Result<Self> {
        let mut cluster = Cluster::start_in(output.data("nodes"), 3, |_| ());
        let addrs = cluster.addrs();
        let pids: Vec<u32> = cluster.nodes.iter().map(|node| node.pid()).collect();
        fill(&addrs, instances)?;
        thread::sleep(SETTLING);
        let rss_mib = most_rss_mib(&pids)?;

        let asked = Asked { addr: addrs[0], pid: pids[0] };
        let unchanged = reads(asked, Duration::from_secs(u64::from(secs)))?;
        let changed = reads_of_changes(asked)?;
        let fetches = load("fetch", &addrs[..1], 1, secs)?;
        let renewals = load("renew", &addrs, instances, secs)?;
        let registrations = load("register", &addrs, instances, secs)?;
        Ok(Self {
            instances,
            renewals_per_second: renewals.per_second,
            renewal_p99_ms: renewals.p99_ms,
            registrations_per_second: registrations.per_second,
            registration_p99_ms: registrations.p99_ms,
            fetches_per_second: fetches.per_second,
            answer_mb: unchanged.answer_bytes / 1e6,
            fetch_cpu_us: unchanged.cpu_us,
            change_and_fetch_cpu_us: changed.cpu_us,
            rss_mib,
            restart_ms: restart(&mut cluster),
        })
    }

    /// The median of each figure; nothing if there is no round.
    pub fn median(rounds: &[Self]) -> Option<Self> {
        let of = |figure: fn(&Self) -> f64| median(&rounds.iter().map(figure).collect::<Vec<_>>());
        Some(Self {
            instances: rounds.first()?.instances,
            renewals_per_second: of(|size| size.renewals_per_second)?,
            renewal_p99_ms: of(|size| size.renewal_p99_ms)?,
            registrations_per_second: of(|size| size.registrations_per_second)?,
            registration_p99_ms: of(|size| size.registration_p99_ms)?,
            fetches_per_second: of(|size| size.fetches_per_second)?,
            answer_mb: of(|size| size.answer_mb)?,
            fetch_cpu_us: of(|size| size.fetch_cpu_us)?,
            change_and_fetch_cpu_us: of(|size| size.change_and_fetch_cpu_us)?,
            rss_mib: of(|size| size.rss_mib)?,
            restart_ms: of(|size| size.restart_ms)?,
        })
    }

    /// Of a change and a fetch, apart from a fetch when nothing has changed, which copies as many bytes out.
    pub fn change_cpu_us(&self) -> f64 {
        self.change_and_fetch_cpu_us - self.fetch_cpu_us
    }
}

/// Those that are named are registered once more before, which takes its time; what reads all needs but one of them.
fn load(workload: &'static str, addrs: &[SocketAddr], instances: u32, secs: u32) -> anyhow::Result<Figures> {
    let load =
        Load::new(workload, addrs).option("--instances", instances).option("--connections", CONNECTIONS);
    load.option("--duration-secs", secs).option("--warm-up-secs", 2).flag("--keep").run()
}

/// In milliseconds.
fn restart(cluster: &mut Cluster) -> f64 {
    cluster.nodes.iter_mut().for_each(|node| node.kill());
    let since = Instant::now();
    cluster.nodes.iter_mut().for_each(|node| node.start());
    cluster.nodes.iter_mut().for_each(|node| node.wait_ready());
    since.elapsed().as_secs_f64() * 1e3
}
