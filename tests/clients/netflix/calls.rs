//! The calls of the library's `EurekaHttpClient`, one by one.
//!
//! Beside `stop`, the program answers these lines in the manner of [`Application`]:
//!
//! | line | what it does |
//! | --- | --- |
//! | `connect NAME ACCESS CODEC ACCEPT URLS` | makes a transport, and selects it; answered `done` |
//! | `select NAME` | makes the next calls by a transport that was made before; answered `done` |
//! | `node` | answers host and port that the last request went to, as a JSON string |
//! | `register DOCUMENT`, `renew DOCUMENT` | calls `register`, `sendHeartBeat` |
//! | `override DOCUMENT STATUS`, `remove-override DOCUMENT` | calls `statusUpdate`, `deleteStatusOverride` |
//! | `cancel APP ID` | calls `cancel` |
//! | `all [REGION …]`, `delta [REGION …]` | calls `getApplications`, `getDelta` |
//! | `vip VIP [REGION …]`, `svip VIP [REGION …]` | calls `getVip`, `getSecureVip` |
//! | `app APP`, `instance APP ID`, `instance-by-id ID` | calls `getApplication`, `getInstance`, the other `getInstance` |
//!
//! Each call is answered with [`Answer`] as JSON. Documents have Eureka's names; the program makes
//! the library's objects of them, and them of those, by the objects' own methods, so that nothing
//! but the library's codecs comes between a document that is registered and one that is read.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use super::super::application::Application;

/// How a transport deals with failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It goes to one node, and returns what that answers.
    Direct,
    /// It is built as `DiscoveryClient` builds its own: a failure, also most of the answers that
    /// are not 2xx, sends it to the next node.
    Retrying,
}

/// What a transport sends, and asks for.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// The library's name for its codec.
    pub codec: &'static str,
    pub accept: Accept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    Full,
    Compact,
    /// With the header as 2.0.6 sends it. It means nothing, and so the answer is full.
    CompactInBrackets,
}

/// All that the library can be set to, and XML, for which it needs a filter besides. Compact JSON
/// has one codec to read it, whatever is set; there is none to write.
pub const FORMS: [Form; 7] = [
    Form { codec: "LegacyJacksonJson", accept: Accept::Full },
    Form { codec: "JacksonJson", accept: Accept::Full },
    Form { codec: "XStreamJson", accept: Accept::Full },
    Form { codec: "XStreamXml", accept: Accept::Full },
    Form { codec: "LegacyJacksonJson", accept: Accept::Compact },
    Form { codec: "XStreamXml", accept: Accept::Compact },
    Form { codec: "LegacyJacksonJson", accept: Accept::CompactInBrackets },
];

impl Form {
    /// Tells transports apart.
    pub fn name(&self) -> String {
        format!("{}-{}", self.codec, self.accept.name())
    }
}

impl Accept {
    fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Compact => "compact",
            Self::CompactInBrackets => "[compact]",
        }
    }
}

/// What the library returns.
#[derive(Debug, PartialEq, Deserialize)]
pub struct Answer {
    pub status: u16,
    pub entity: Value,
}

pub struct Calls {
    program: Application,
}

impl Calls {
    pub fn start(mut program: Command, log_file: PathBuf) -> Self {
        Self { program: Application::start(&mut program, log_file) }
    }

    /// Makes a transport to these nodes under the form's name, and selects it.
    pub fn connect(&mut self, access: Access, form: Form, nodes: &[SocketAddr]) {
        let access = match access {
            Access::Direct => "direct",
            Access::Retrying => "retrying",
        };
        let urls: Vec<String> = nodes.iter().map(|addr| format!("http://{addr}/eureka/")).collect();
        let names = [&form.name(), access, form.codec, form.accept.name(), &urls.join(",")];
        self.program.tell("connect", &names).unwrap_or_else(|error| panic!("{error}"));
    }

    pub fn select(&mut self, form: Form) {
        self.program.tell("select", &[&form.name()]).unwrap_or_else(|error| panic!("{error}"));
    }

    /// The node that the last request went to.
    pub fn node(&mut self) -> SocketAddr {
        self.program.ask("node", &[]).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Makes a call.
    ///
    /// # Errors
    /// What the library throws.
    pub fn call(&mut self, line: &[&str]) -> Result<Answer, String> {
        self.program.ask(line[0], &line[1..])
    }

    pub fn stop(self) {
        self.program.stop();
    }
}
