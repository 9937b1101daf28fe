//! Spring Cloud's Eureka server, one alone or three as peers: the server of `tests/differential`, with the settings that
//! it changes for those tests as they are by default, and a JVM without any.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use super::common::harness::{Request, free_addr};
use super::common::{Child, Load, Output};
use super::measure::{Group, Measure};
use super::ours::{CONNECTIONS, READ, WRITTEN, memory_with, paced, reads, writes};
use super::results::Round;
use super::start_clock::{StartClock, first_instance};

pub struct Spring<'a> {
    output: &'a Output,
    jar: PathBuf,
}

struct Servers {
    addrs: Vec<SocketAddr>,
    pids: Vec<u32>,
    start_ms: f64,
    _processes: Vec<Child>,
}

const DEFAULTS: [&str; 6] = [
    "--server.tomcat.threads.max=200",
    "--eureka.server.use-read-only-response-cache=true",
    "--eureka.server.response-cache-auto-expiration-in-seconds=180",
    "--eureka.server.enable-self-preservation=true",
    "--eureka.server.eviction-interval-timer-in-ms=60000",
    "--eureka.server.delta-retention-timer-interval-in-ms=30000",
];
const START_LIMIT: Duration = Duration::from_secs(240);
/// For each JVM and kind of write, before anything is measured: until it has compiled what it runs.
const JVM_WARM_UP_SECS: usize = 5;

impl<'a> Spring<'a> {
    /// # Errors
    /// When there is no JDK or no Maven, or it cannot build.
    pub fn build(output: &'a Output) -> anyhow::Result<Self> {
        eprintln!("building the Eureka server");
        let pom = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/server/pom.xml");
        let there = output.path().join("spring");
        let mut maven = Command::new("mvn");
        maven
            .args(["--batch-mode", "--quiet", "-f"])
            .arg(pom)
            .arg(format!("-DbuildDirectory={}", there.display()));
        let built = maven.arg("package").output().context("not built, since there is no mvn")?;
        if !built.status.success() {
            let errors = String::from_utf8_lossy(&built.stdout);
            bail!("not built: {}", errors.trim().lines().next().unwrap_or("mvn gives no reason"));
        }
        Command::new("java").arg("-version").output().context("not started, since there is no java")?;
        Ok(Self { output, jar: there.join("server.jar") })
    }

    pub fn round(&self, round: &mut Round<'_>, count: usize) {
        let single = [Group::Start, Group::Memory, Group::Renew, Group::Register, Group::Fetch];
        let peers = [Group::Start, Group::Renew, Group::Register, Group::Paced];
        if round.wants_any(if count == 1 { &single } else { &peers })
            && let Err(error) = self.measure(round, count)
        {
            round.fail("start", &error);
        }
    }

    fn measure(&self, round: &mut Round<'_>, count: usize) -> anyhow::Result<()> {
        let servers = self.start(count)?;
        let addrs = &servers.addrs;
        if round.wants(Group::Start) {
            round.take(Measure::Start, servers.start_ms);
        }
        if round.wants(Group::Memory) && count == 1 {
            round.attempt([Measure::Memory10k], |_| Ok([memory_with(READ, addrs, &servers.pids)?]));
        }
        if round.wants_any(&[Group::Renew, Group::Register, Group::Fetch, Group::Paced]) {
            warm_up(addrs)?;
        }
        writes(round, addrs);
        if round.wants(Group::Fetch) && count == 1 {
            reads(round, addrs, |_, _| ());
        }
        if round.wants(Group::Paced) && count > 1 {
            round
                .attempt([Measure::PacedCpu], |settings| Ok([paced(settings, addrs, servers.pids.clone())?]));
        }
        Ok(())
    }

    fn start(&self, count: usize) -> anyhow::Result<Servers> {
        let addrs: Vec<SocketAddr> = (0..count).map(|_| free_addr()).collect();
        let clock = StartClock::start(addrs[0], first_instance().register());
        let mut processes = Vec::new();
        for addr in &addrs {
            let log = self.output.path().join(format!("spring-{}.log", processes.len()));
            processes.push(Child::start(&mut self.command(*addr, &addrs), log)?);
        }
        for (process, addr) in processes.iter_mut().zip(&addrs) {
            let status = Request::get("/eureka/status");
            process
                .wait_until(START_LIMIT, || status.send(*addr).is_ok_and(|answer| answer.status == 200))?;
        }
        let start_ms = clock.acknowledged()?;
        first_instance().cancel().send(addrs[0]).context("cancelling the first instance")?;
        let pids = processes.iter().map(Child::pid).collect();
        Ok(Servers { addrs, pids, start_ms, _processes: processes })
    }

    fn command(&self, addr: SocketAddr, all: &[SocketAddr]) -> Command {
        let url = |addr: &SocketAddr| format!("http://{addr}/eureka/");
        let others: Vec<String> = all.iter().filter(|one| **one != addr).map(url).collect();
        // One that is alone knows its own URL only, which is as good as none.
        let peers = if others.is_empty() { url(&addr) } else { others.join(",") };
        let mut command = Command::new("java");
        command.arg("-jar").arg(&self.jar).args(DEFAULTS).args([
            format!("--server.port={}", addr.port()),
            // Peers are told from itself by their host names otherwise, which are all the same here.
            format!("--eureka.server.my-url={}", url(&addr)),
            format!("--eureka.client.service-url.defaultZone={peers}"),
        ]);
        command
    }
}

fn warm_up(addrs: &[SocketAddr]) -> anyhow::Result<()> {
    for workload in ["renew", "register"] {
        let load = Load::new(workload, addrs).option("--duration-secs", JVM_WARM_UP_SECS * addrs.len());
        let load = load.option("--warm-up-secs", 0).option("--instances", WRITTEN);
        load.option("--connections", CONNECTIONS).flag("--allow-errors").run().context("the warm-up")?;
    }
    Ok(())
}
