//! Spring Cloud's Eureka server, which what a node answers is compared with.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::harness::{Request, Response, free_addr, until_within};
use super::line::Line;
use super::process::Process;

/// A JVM on a busy machine takes its time.
const START_LIMIT: Duration = Duration::from_secs(300);

pub struct Reference {
    line: Line,
    _process: Process,
}

impl Reference {
    /// Starts the server of `tests/differential/server` and waits until it answers.
    ///
    /// # Panics
    /// When the jar is not told, or the server does not start.
    pub fn start(log_file: PathBuf) -> Self {
        const JAR: &str = "EUREKA_TEST_SERVER_JAR";
        let jar =
            std::env::var(JAR).unwrap_or_else(|_| panic!("{JAR} is not set; run tests/differential/run.sh"));
        let addr = free_addr();
        let mut command = Command::new("java");
        command.args([
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-jar",
            &jar,
            &format!("--server.port={}", addr.port()),
        ]);
        let process = Process::start(&mut command, log_file);
        until_within(START_LIMIT, "the Eureka server answers", || {
            match Request::get("/eureka/apps").send(addr) {
                Ok(response) if response.status == 200 => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
        Self { line: Line::new(addr), _process: process }
    }

    /// Makes it as it was at its start.
    pub fn forget(&mut self) {
        let response = self.ask(&Request::post("/forget"));
        assert_eq!(response.status, 200, "the Eureka server forgets");
    }

    pub fn ask(&mut self, request: &Request) -> Response {
        self.line.ask(request)
    }

    pub fn line(&mut self) -> &mut Line {
        &mut self.line
    }
}
