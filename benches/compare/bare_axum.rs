//! The bare axum as a server to measure: what HTTP on this machine costs, whatever is behind it.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, anyhow};

use super::answers::Answers;
use super::best::Best;
use super::common::harness::free_addr;
use super::common::{Child, Output};
use super::measure::{Group, Measure, Read};
use super::ours::{read_rate, written};
use super::replay::Replay;
use super::results::Round;
use super::settings::Settings;

const START_LIMIT: Duration = Duration::from_secs(10);

pub struct BareAxum<'a> {
    output: &'a Output,
    answers: Answers,
    threads: Best<usize>,
    /// Those of the round that is under way, measured already.
    read_rates: BTreeMap<Read, anyhow::Result<f64>>,
}

impl<'a> BareAxum<'a> {
    /// # Errors
    /// When what another run left of answers cannot be removed.
    pub fn new(output: &'a Output) -> anyhow::Result<Self> {
        let answers = Answers::new(output)?;
        Ok(Self { output, answers, threads: Best::new(vec![1, 2]), read_rates: BTreeMap::new() })
    }

    /// Measures the answering of what this node answers, right behind the node's own: a minute later the machine may be
    /// half as fast.
    pub fn read_behind(&mut self, settings: &Settings, read: Read, addr: SocketAddr, instances: u32) {
        let captured = self.answers.capture(read, addr, instances);
        let rate = captured.and_then(|()| self.read(settings, read));
        self.read_rates.insert(read, rate);
    }

    pub fn round(&mut self, round: &mut Round<'_>) {
        for (group, workload, measures) in [
            (Group::Renew, "renew", [Measure::RenewRate, Measure::RenewP99]),
            (Group::Register, "register", [Measure::RegisterRate, Measure::RegisterP99]),
        ] {
            if round.wants(group) {
                round.attempt(measures, |settings| self.written(settings, workload));
            }
        }
        if round.wants(Group::Fetch) {
            for read in Read::ALL {
                let rate = self.read_rates.remove(&read);
                let rate = rate.unwrap_or_else(|| Err(anyhow!("no node has answered it before")));
                round.attempt([Measure::Read(read)], |_| Ok([rate?]));
            }
        }
    }

    pub fn remarks(&self) -> Option<String> {
        self.threads.remark("Threads of the bare axum")
    }

    fn written(&mut self, settings: &Settings, workload: &'static str) -> anyhow::Result<[f64; 2]> {
        let (output, answers) = (self.output, &self.answers);
        self.threads.measure(workload, |threads| {
            let (_process, addr) = serve(output, answers, threads)?;
            written(settings, workload, &[addr])
        })
    }

    fn read(&mut self, settings: &Settings, read: Read) -> anyhow::Result<f64> {
        let (output, answers) = (self.output, &self.answers);
        let measured = self.threads.measure(read.name(), |threads| {
            let (_process, addr) = serve(output, answers, threads)?;
            Ok([read_rate(settings, read, &[addr])?])
        });
        measured.map(|[rate]| rate)
    }
}

fn serve(output: &Output, answers: &Answers, threads: usize) -> anyhow::Result<(Child, SocketAddr)> {
    let addr = free_addr();
    let replay = Replay { addr, threads, answers: answers.dir().clone() };
    let log = output.path().join("axum.log");
    let mut process = Child::start(&mut replay.command()?, log).context("the bare axum")?;
    process.wait_until(START_LIMIT, || TcpStream::connect(addr).is_ok()).context("the bare axum")?;
    Ok((process, addr))
}
