//! The bare axum as a server to measure: what HTTP on this machine costs, whatever is behind it.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, ensure};

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
}

impl<'a> BareAxum<'a> {
    /// # Errors
    /// When what another run left of answers cannot be removed.
    pub fn new(output: &'a Output) -> anyhow::Result<Self> {
        Ok(Self { output, answers: Answers::new(output)?, threads: Best::new(vec![1, 2]) })
    }

    /// Where what it is to answer is to be kept.
    pub fn answers(&self) -> &Answers {
        &self.answers
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
                round.attempt([Measure::Read(read)], |settings| self.read(settings, read));
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

    fn read(&mut self, settings: &Settings, read: Read) -> anyhow::Result<[f64; 1]> {
        ensure!(self.answers.has(read), "no node has answered it before");
        let (output, answers) = (self.output, &self.answers);
        self.threads.measure(read.name(), |threads| {
            let (_process, addr) = serve(output, answers, threads)?;
            Ok([read_rate(settings, read, &[addr])?])
        })
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
