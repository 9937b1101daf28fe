//! Three members of etcd, with its settings as they are by default: its own program, built from its module, and a
//! load for it.
//!
//! A registration is a lease and a value of the size of an instance under it; a renewal is a keep-alive of a lease.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::answers::documents;
use super::best::Best;
use super::common::harness::{Directory, Request, free_addr};
use super::common::{Child, Output, most_rss_mib};
use super::measure::{Group, Measure};
use super::ours::{CONNECTIONS, NODES, READ, STORING, WRITTEN};
use super::results::Round;
use super::settings::Settings;
use super::start_clock::StartClock;

pub struct Etcd<'a> {
    program: Program<'a>,
    sharing: Best<Sharing>,
}

struct Program<'a> {
    output: &'a Output,
    path: PathBuf,
}

/// Workers that share a connection: a Go client may have many streams on one.
#[derive(Debug, Clone, Copy)]
struct Sharing(u32);

struct Members {
    addrs: Vec<SocketAddr>,
    pids: Vec<u32>,
    start_ms: f64,
    _processes: Vec<Child>,
    // Dropped after the processes, which write below it.
    _dir: Directory,
}

#[derive(Debug, Deserialize)]
struct Report {
    requests: u64,
    errors: u64,
    #[serde(default)]
    first_error: String,
    secs: f64,
    p99_us: f64,
}

const START_LIMIT: Duration = Duration::from_secs(60);

impl<'a> Etcd<'a> {
    /// # Errors
    /// When there is no Go, or it cannot build.
    pub fn build(output: &'a Output) -> anyhow::Result<Self> {
        eprintln!("building etcd");
        let path = output.path().join("etcd");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/compare/etcd");
        let mut go = Command::new("go");
        let built = go.arg("build").arg("-o").arg(&path).arg(".").current_dir(source).output();
        let built = built.context("not built, since there is no go")?;
        if !built.status.success() {
            let errors = String::from_utf8_lossy(&built.stderr);
            bail!("not built: {}", errors.trim().lines().last().unwrap_or("go gives no reason"));
        }
        let sharing = Best::new(vec![Sharing(1), Sharing(CONNECTIONS.div_ceil(NODES as u32))]);
        Ok(Self { program: Program { output, path }, sharing })
    }

    pub fn round(&mut self, round: &mut Round<'_>) {
        if let Err(error) = self.measure(round) {
            round.fail("start", &error);
        }
    }

    pub fn remarks(&self) -> Option<String> {
        self.sharing.remark("Connections to etcd, with 64 requests under way at a time")
    }

    fn measure(&mut self, round: &mut Round<'_>) -> anyhow::Result<()> {
        if round.wants_any(&[Group::Memory, Group::Start]) {
            let members = self.program.start()?;
            if round.wants(Group::Start) {
                round.take(Measure::Start, members.start_ms);
            }
            if round.wants(Group::Memory) {
                round.attempt([Measure::Memory10k], |_| Ok([self.program.memory(&members)?]));
            }
        }
        if round.wants_any(&[Group::Renew, Group::Register]) {
            let members = self.program.start()?;
            for (group, workload, measures) in [
                (Group::Renew, "keepalive", [Measure::RenewRate, Measure::RenewP99]),
                (Group::Register, "register", [Measure::RegisterRate, Measure::RegisterP99]),
            ] {
                if round.wants(group) {
                    round.attempt(measures, |settings| self.load(settings, workload, &members));
                }
            }
        }
        Ok(())
    }

    fn load(&mut self, settings: &Settings, workload: &str, members: &Members) -> anyhow::Result<[f64; 2]> {
        let times =
            [format!("--warm-up={}s", settings.warm_up_secs), format!("--measured={}s", settings.secs)];
        self.sharing.measure(workload, |sharing| {
            let report = self.program.run(workload, members, WRITTEN, sharing, &times)?;
            Ok([report.requests as f64 / report.secs, report.p99_us / 1e3])
        })
    }
}

impl Program<'_> {
    fn memory(&self, members: &Members) -> anyhow::Result<f64> {
        self.run("fill", members, READ, Sharing(1), &[])?;
        thread::sleep(STORING);
        most_rss_mib(&members.pids)
    }

    fn run(
        &self,
        workload: &str,
        members: &Members,
        leases: u32,
        sharing: Sharing,
        times: &[String],
    ) -> anyhow::Result<Report> {
        let endpoints: Vec<String> = members.addrs.iter().map(SocketAddr::to_string).collect();
        let output = Command::new(&self.path)
            .args(["load", workload])
            .arg(format!("--endpoints={}", endpoints.join(",")))
            .arg(format!("--workers={CONNECTIONS}"))
            .arg(format!("--workers-per-connection={}", sharing.0))
            .arg(format!("--leases={leases}"))
            .arg(format!("--value-bytes={}", documents().json(0).len()))
            .args(times)
            .output()
            .context("the load does not start")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let report: Report = serde_json::from_slice(&output.stdout).context("the report of the load")?;
        if report.errors > 0 {
            bail!("{} requests failed: {}", report.errors, report.first_error);
        }
        Ok(report)
    }

    /// Three members of empty directories, once one of them has taken a write.
    fn start(&self) -> anyhow::Result<Members> {
        let dir = self.output.data("etcd");
        let addrs: Vec<(SocketAddr, SocketAddr)> = (0..NODES).map(|_| (free_addr(), free_addr())).collect();
        let cluster: Vec<String> =
            addrs.iter().enumerate().map(|(at, (_, peer))| format!("m{at}=http://{peer}")).collect();
        let write = Request::post("/v3/kv/put").json(r#"{"key":"c3RhcnQ=","value":"c3RhcnQ="}"#);
        let clock = StartClock::start(addrs[0].0, write);
        let mut processes = Vec::new();
        for (at, (client, peer)) in addrs.iter().enumerate() {
            let mut command = Command::new(&self.path);
            command.arg("serve").arg(format!("--name=m{at}"));
            command.arg(format!("--data-dir={}", dir.path().join(format!("m{at}")).display()));
            command.args([
                format!("--listen-client-urls=http://{client}"),
                format!("--advertise-client-urls=http://{client}"),
                format!("--listen-peer-urls=http://{peer}"),
                format!("--initial-advertise-peer-urls=http://{peer}"),
                format!("--initial-cluster={}", cluster.join(",")),
            ]);
            processes.push(Child::start(&mut command, dir.path().join(format!("m{at}.log")))?);
        }
        for (process, (client, _)) in processes.iter_mut().zip(&addrs) {
            let health = Request::get("/health");
            process
                .wait_until(START_LIMIT, || health.send(*client).is_ok_and(|answer| answer.status == 200))?;
        }
        let start_ms = clock.acknowledged()?;
        let pids = processes.iter().map(Child::pid).collect();
        let addrs = addrs.into_iter().map(|(client, _)| client).collect();
        Ok(Members { addrs, pids, start_ms, _processes: processes, _dir: dir })
    }
}

impl fmt::Display for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", CONNECTIONS.div_ceil(self.0))
    }
}
