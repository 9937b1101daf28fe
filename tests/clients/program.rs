//! The programs that use client libraries, each up to the arguments that every application has.

use std::process::Command;

use super::client::{built, source};

/// An HTTP client of Spring's that the Eureka client can be set up with.
#[derive(Clone, Copy)]
pub struct Transport {
    pub name: &'static str,
    /// System properties.
    pub settings: &'static [&'static str],
}

/// What each line of Boot uses unless told otherwise.
pub const DEFAULT_OF_BOOT_3: Transport = Transport { name: "RestTemplate", settings: &[] };
pub const DEFAULT_OF_BOOT_4: Transport = Transport { name: "RestClient", settings: &[] };

/// py_eureka_client.
pub fn python() -> Command {
    let mut command = Command::new(built("python/bin/python"));
    command.arg(source("python/client.py"));
    command
}

/// eureka-js-client, in the mode `full` or `delta`.
pub fn javascript(mode: &str) -> Command {
    let mut command = Command::new("node");
    command.env("NODE_PATH", built("javascript/node_modules")).arg(source("javascript/client.js")).arg(mode);
    command
}

/// fargo, speaking `xml` or `json`.
pub fn fargo(format: &str) -> Command {
    let mut command = Command::new(built("go/fargo"));
    command.arg(format);
    command
}

/// Spring Cloud's client on a line of Boot, with more system properties.
pub fn java(line: &str, transport: Transport, settings: &[&str]) -> Command {
    let mut command = Command::new("java");
    // Names and metadata come as arguments, which Java reads in the locale's encoding.
    command.env("LC_ALL", "C.UTF-8");
    // stdout is for answers, also when the machine warns.
    command.args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-Xlog:disable", "-Xlog:all=warning:stderr"]);
    let application = built(&format!("spring/{line}/application"));
    command.arg(format!("-XX:SharedArchiveFile={}", application.join("classes.jsa").display()));
    command.arg(format!("-Dtest.transport={}", transport.name)).args(transport.settings).args(settings);
    command.arg("-jar").arg(application.join("client.jar"));
    command
}
