//! Three nodes of rs-registry, each on its own directory, with its settings as they are by default.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use anyhow::Context;

use super::bare_axum::BareAxum;
use super::common::harness::Cluster;
use super::common::{CpuWatch, Load, Output, fill, most_rss_mib};
use super::measure::{Group, Measure, Read};
use super::results::{Round, rate_and_p99};
use super::settings::Settings;
use super::start_clock::{StartClock, first_instance};

pub const NODES: u64 = 3;
pub const CONNECTIONS: u32 = 64;
/// Clients at Eureka's pace: so many to renew on and so many to fetch on, at which none comes behind another.
const PACED_CONNECTIONS: u32 = 512;
pub const WRITTEN: u32 = 3_000;
pub const READ: u32 = 10_000;
/// One application: each of these reads of an application or instance is about it.
const ASKED_FOR: u32 = 100;
/// Until all is quiet behind many registrations.
const SETTLING: Duration = Duration::from_secs(2);
/// Until the state has been stored, which is due every 5 s, and what that needed is given back too.
pub const STORING: Duration = Duration::from_secs(12);

/// With the axum that is to answer the same, if there is one.
pub fn round(round: &mut Round<'_>, output: &Output, axum: Option<&mut BareAxum<'_>>) {
    if let Err(error) = measure(round, output, axum) {
        round.fail("start", &error);
    }
}

fn measure(
    round: &mut Round<'_>,
    output: &Output,
    mut axum: Option<&mut BareAxum<'_>>,
) -> anyhow::Result<()> {
    if round.wants(Group::Memory) {
        let (cluster, _) = start(output)?;
        memory(round, &cluster);
    }
    if !round.wants_but(Group::Memory) {
        return Ok(());
    }
    let (mut cluster, took) = start(output)?;
    if round.wants(Group::Start) {
        round.take(Measure::Start, took);
    }
    let addrs = cluster.addrs();
    writes(round, &addrs);
    if round.wants(Group::Alone) {
        alone(round, &mut cluster);
    }
    if round.wants(Group::Visible) {
        visible(round, &addrs);
    }
    if round.wants(Group::Fetch) {
        reads(round, &addrs, |settings, read| {
            if let Some(axum) = &mut axum {
                axum.read_behind(settings, read, addrs[0], ASKED_FOR);
            }
        });
    }
    if round.wants(Group::Paced) {
        let pids = cluster.nodes.iter().map(|node| node.pid()).collect();
        round.attempt([Measure::PacedCpu], |settings| Ok([paced(settings, &addrs, pids)?]));
    }
    Ok(())
}

/// A cluster of empty directories, and how many milliseconds it took to take a write.
fn start(output: &Output) -> anyhow::Result<(Cluster, f64)> {
    let mut clock = None;
    let cluster = Cluster::start_in(output.data("nodes"), NODES, |specs| {
        clock = Some(StartClock::start(specs[0].http, first_instance().register()));
    });
    let took = clock.context("the cluster has no node")?.acknowledged()?;
    first_instance().cancel().send(cluster.addrs()[0]).context("cancelling the first instance")?;
    Ok((cluster, took))
}

/// Renewals and registrations of so many connections, by Eureka's protocol.
pub fn writes(round: &mut Round<'_>, addrs: &[SocketAddr]) {
    if round.wants(Group::Renew) {
        let measures = [Measure::RenewRate, Measure::RenewP99];
        round.attempt(measures, |settings| written(settings, "renew", addrs));
    }
    if round.wants(Group::Register) {
        let measures = [Measure::RegisterRate, Measure::RegisterP99];
        round.attempt(measures, |settings| written(settings, "register", addrs));
    }
}

pub fn written(
    settings: &Settings,
    workload: &'static str,
    addrs: &[SocketAddr],
) -> anyhow::Result<[f64; 2]> {
    let load = settings.timed(Load::new(workload, addrs)).option("--instances", WRITTEN);
    load.option("--connections", CONNECTIONS).run().map(rate_and_p99)
}

fn alone(round: &mut Round<'_>, cluster: &mut Cluster) {
    let leader = cluster.leader();
    let addrs = cluster.addrs();
    let (leader, follower) = (addrs[leader], addrs[cluster.follower()]);
    for (measure, workload, addr) in [
        (Measure::AloneRenewLeader, "renew", leader),
        (Measure::AloneRenewFollower, "renew", follower),
        (Measure::AloneRegisterLeader, "register", leader),
        (Measure::AloneRegisterFollower, "register", follower),
    ] {
        round.attempt([measure], |settings| {
            let load = settings.timed(Load::new(workload, &[addr])).option("--instances", 100);
            Ok([load.option("--connections", 1).run()?.p50_ms])
        });
    }
}

fn visible(round: &mut Round<'_>, addrs: &[SocketAddr]) {
    round.attempt([Measure::VisibleP50, Measure::VisibleP99], |settings| {
        let rows = settings.timed(Load::new("visible", addrs)).option("--rate", 500).rows()?;
        let row = rows.into_iter().find(|row| row.name == "seen at all others");
        let row = row.context("bench does not tell when all servers show an instance")?;
        Ok([row.p50_ms, row.p99_ms])
    });
}

/// Each read, of all servers together, and what is to be done right behind it, while the registry is the same.
pub fn reads(round: &mut Round<'_>, addrs: &[SocketAddr], mut behind: impl FnMut(&Settings, Read)) {
    if let Err(error) = show_all(addrs) {
        return round.fail("reads", &error);
    }
    for read in Read::ALL {
        round.attempt([Measure::Read(read)], |settings| {
            let rate = read_rate(settings, read, addrs)?;
            behind(settings, read);
            Ok([rate])
        });
    }
}

/// Registers all that is to be read, and waits until the servers show it, which may take a cache of it half a minute.
fn show_all(addrs: &[SocketAddr]) -> anyhow::Result<()> {
    let load = Load::new("fetch", addrs).option("--instances", READ).flag("--keep");
    load.option("--duration-secs", 1).option("--warm-up-secs", 0).run()?;
    thread::sleep(SETTLING);
    Ok(())
}

pub fn read_rate(settings: &Settings, read: Read, addrs: &[SocketAddr]) -> anyhow::Result<f64> {
    let (workload, flags) = read.workload();
    let load = settings.timed(Load::new(workload, addrs)).option("--instances", ASKED_FOR).flag("--keep");
    let load = load.option("--connections", CONNECTIONS);
    Ok(flags.iter().fold(load, |load, flag| load.flag(flag)).run()?.per_second)
}

/// What the servers use of a core.
pub fn paced(settings: &Settings, addrs: &[SocketAddr], pids: Vec<u32>) -> anyhow::Result<f64> {
    let load = Load::new("paced", addrs).option("--instances", READ).flag("--keep");
    let load = load.option("--duration-secs", settings.secs).option("--connections", PACED_CONNECTIONS);
    let load = load.option("--warm-up-secs", settings.paced_warm_up_secs);
    let watch = CpuWatch::start(pids);
    load.run()?;
    watch.percent_of_last(Duration::from_secs(u64::from(settings.secs)))
}

fn memory(round: &mut Round<'_>, cluster: &Cluster) {
    let pids: Vec<u32> = cluster.nodes.iter().map(|node| node.pid()).collect();
    for (measure, instances) in [(Measure::Memory10k, 10_000), (Measure::Memory100k, 100_000)] {
        round.attempt([measure], |_| Ok([memory_with(instances, &cluster.addrs(), &pids)?]));
    }
}

/// Of the largest process, with so many instances registered.
pub fn memory_with(instances: u32, addrs: &[SocketAddr], pids: &[u32]) -> anyhow::Result<f64> {
    fill(addrs, instances)?;
    thread::sleep(STORING);
    most_rss_mib(pids)
}
