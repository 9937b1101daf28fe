//! Plays sequences to both servers and compares what they answer, step by step.

use std::fmt;

use serde_json::Value;

use super::differences::{self, Case, Memory, Onward, Rule};
use super::harness::{Request, Response};
use super::meaning::{self, Asked, Parts};
use super::reference::Reference;
use super::sequence::Sequence;
use super::step::Step;
use super::subject::Subject;

pub struct Players {
    reference: Reference,
    subject: Subject,
}

/// What was played, and how it compared.
#[derive(Debug, Default)]
pub struct Tally {
    pub sequences: usize,
    pub steps: usize,
    pub equal: usize,
    /// How often each of [`differences::RULES`] changed what was wanted.
    pub uses: [usize; differences::RULES.len()],
}

/// The step at which the servers differed, and those before.
#[derive(Debug)]
pub struct Failure {
    node: usize,
    played: Vec<Played>,
    differences: Vec<String>,
    answers: [String; 2],
}

/// A step and what both servers answered to it, as statuses.
#[derive(Debug)]
struct Played {
    step: Step,
    statuses: [u16; 2],
}

/// What a step told about the two servers.
struct Compared {
    used: Vec<usize>,
    differences: Vec<String>,
    /// They hold different instances from here on, as a listed difference has it.
    parted: bool,
    answers: [Response; 2],
}

impl Players {
    pub fn start() -> Self {
        let mut subject = Subject::start();
        let log_file = subject.cluster().scratch("reference.log");
        Self { reference: Reference::start(log_file), subject }
    }

    /// That the nodes hold the same after all.
    pub fn assert_states_equal(&mut self) {
        self.subject.cluster().assert_states_equal();
    }

    /// Plays a whole sequence, from nothing, and then reads everything.
    ///
    /// # Errors
    /// The first step that was not answered as it should be.
    pub fn play(&mut self, sequence: &Sequence, tally: &mut Tally) -> Result<(), Failure> {
        self.reference.line().hang_up();
        self.reference.forget();
        self.subject.begin(sequence.node);
        let mut memory = Memory::default();
        let mut played = Vec::new();
        tally.sequences += 1;
        for step in sequence.steps().into_iter().chain(sequence.closing_steps()) {
            let compared = self.step(&step, &mut memory);
            let statuses = [compared.answers[0].status, compared.answers[1].status];
            played.push(Played { step, statuses });
            if !compared.differences.is_empty() {
                let answers = compared.answers.map(|answer| answer_text(&answer));
                return Err(Failure {
                    node: sequence.node,
                    played,
                    differences: compared.differences,
                    answers,
                });
            }
            tally.count(&compared.used);
            if compared.parted {
                break;
            }
        }
        Ok(())
    }

    fn step(&mut self, step: &Step, memory: &mut Memory) -> Compared {
        let request = step.request();
        let at_ms = meaning::now_ms();
        self.reference.line().send(&request);
        self.subject.line().send(&request);
        let reference = self.reference.line().receive(&request);
        let subject = self.subject.line().receive(&request);

        let asked = Asked { path: request.path(), at_ms };
        let in_xml = subject.header("content-type") == Some("application/xml");
        let answered = meaning_of(&subject, &asked, |tree| self.subject.without_left_overs(tree, in_xml));
        let wanted = meaning_of(&reference, &asked, |tree| tree);
        let ask = &mut |request: &Request| {
            let response = self.reference.ask(request);
            let asked = Asked { path: request.path(), at_ms };
            meaning_of(&response, &asked, |tree| tree)
        };
        let mut case =
            Case { step, answered: &answered, reference: &reference, asked: &asked, wanted, memory, ask };
        let mut used = Vec::new();
        let mut parted = false;
        for (place, Rule { apply, .. }) in differences::RULES.iter().enumerate() {
            let before = case.wanted.clone();
            let onward = apply(&mut case);
            parted |= onward == Onward::Parted;
            if onward == Onward::Parted || before != case.wanted {
                used.push(place);
            }
        }
        let differences = meaning::differences(&case.wanted, &answered);
        Compared { used, differences, parted, answers: [reference, subject] }
    }
}

/// The meaning of a response whose body's tree is cut first.
pub fn meaning_of(response: &Response, asked: &Asked<'_>, prune: impl FnOnce(Value) -> Value) -> Value {
    // Nothing is gzip's nothing to the Eureka server.
    let body = match response.body.as_slice() {
        [] => Vec::new(),
        _ => response.decoded().unwrap_or_else(|error| panic!("{}: {error}", asked.path)),
    };
    let parts = Parts {
        status: response.status,
        content_type: response.header("content-type"),
        content_encoding: response.header("content-encoding"),
        body: &body,
    };
    meaning::of_pruned(&parts, asked, prune)
}

impl Tally {
    fn count(&mut self, used: &[usize]) {
        self.steps += 1;
        if used.is_empty() {
            self.equal += 1;
        }
        for place in used {
            self.uses[*place] += 1;
        }
    }
}

fn answer_text(response: &Response) -> String {
    let body = response.decoded().unwrap_or_else(|_| response.body.clone());
    let content_type = response.header("content-type").unwrap_or("no type");
    format!("{} {content_type}\n{}", response.status, String::from_utf8_lossy(&body))
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HOST: &str = "Host: 0.0.0.0:0\r\n";
        let bytes = self.step.request().bytes(([0, 0, 0, 0], 0).into());
        let text = String::from_utf8_lossy(&bytes).replace(HOST, "").replace("\r\n", "\n");
        writeln!(f, "{}\n=> {} and {}", text.trim_end(), self.statuses[0], self.statuses[1])
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "to the Eureka server and to node {}:", self.node % 3 + 1)?;
        for (at, step) in self.played.iter().enumerate() {
            write!(f, "--- {}\n{step}", at + 1)?;
        }
        writeln!(f, "--- differences of the last, after those that are listed")?;
        for line in &self.differences {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "--- the Eureka server answers {}", self.answers[0])?;
        writeln!(f, "--- the node answers {}", self.answers[1])
    }
}
