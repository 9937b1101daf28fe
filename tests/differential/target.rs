//! What requests are about: few instances of few applications, so that requests meet.

use proptest::collection::vec;
use proptest::prelude::*;

use super::text::encode;

/// Names of applications as documents spell them; paths spell them in other cases, too.
pub const APPS: [&str; 3] = ["ORDERS", "mixed-ż", "A_b $1"];

/// One instance, and the way its id comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    app: usize,
    naming: Naming,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// By an `instanceId` of its own.
    Plain,
    Usual,
    Odd,
    Blanks,
    /// One that Tomcat lets no path hold.
    Slash,
    /// The same in every application.
    Shared,
    /// By `hostName`, since there is no `instanceId`.
    Host,
    /// By `hostName`, since `instanceId` is empty.
    EmptyId,
    /// By Amazon's `instance-id`.
    Amazon,
    /// By `instanceId` among the metadata, as Spring's first clients did; in JSON only.
    Metadata,
}

impl Target {
    pub fn app(self) -> &'static str {
        APPS[self.app]
    }

    /// The `instanceId` of its documents.
    pub fn instance_id(self) -> Option<String> {
        let app = self.app;
        Some(match self.naming {
            Naming::Plain => format!("i-{app}"),
            Naming::Usual => format!("10.2.2.2:app-{app}:8080"),
            Naming::Odd => format!("test#{app}.[3.?]!%2F;v=1+é𝄞"),
            Naming::Blanks => format!(" {app} & <b> \"c\" "),
            Naming::Slash => format!("a/{app}\\b"),
            Naming::Shared => "shared".to_owned(),
            Naming::EmptyId => String::new(),
            Naming::Host | Naming::Amazon | Naming::Metadata => return None,
        })
    }

    /// What its documents give as `instanceId` among the metadata.
    pub fn id_in_metadata(self) -> Option<&'static str> {
        (self.naming == Naming::Metadata).then_some("angel")
    }

    /// What its documents give as `instance-id` of Amazon's metadata.
    pub fn amazon_id(self) -> Option<String> {
        (self.naming == Naming::Amazon).then(|| format!("i-0{}", self.app))
    }

    /// Another for each instance, since it may become its id.
    pub fn host_name(self) -> String {
        format!("{:?}-{}.local", self.naming, self.app).to_lowercase()
    }

    /// What it is kept under.
    pub fn id(self) -> String {
        let from_metadata = || self.id_in_metadata().map(|id| format!("{}:{id}", self.host_name()));
        let own = self.instance_id().filter(|id| !id.is_empty());
        own.or_else(|| self.amazon_id()).or_else(from_metadata).unwrap_or_else(|| self.host_name())
    }

    /// Whether a path can hold its id: Tomcat answers 400 to any path with `%2F` or `%5C`.
    pub fn fits_a_path(self) -> bool {
        self.naming != Naming::Slash
    }

    /// Whether its override is its own. A Eureka server keeps overrides under ids alone, so that an
    /// instance of another application would be shown with this one's.
    pub fn may_be_overridden(self) -> bool {
        self.naming != Naming::Shared
    }

    /// The segments `{app}/{id}`, the application in one of three spellings.
    pub fn segments(self, spelling: Spelling) -> String {
        format!("{}/{}", spelling.segment(self.app()), encode(&self.id()))
    }
}

/// The case in which a path spells an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    AsIs,
    Upper,
    Lower,
}

impl Spelling {
    pub fn of(self, app: &str) -> String {
        match self {
            Spelling::AsIs => app.to_owned(),
            Spelling::Upper => app.to_uppercase(),
            Spelling::Lower => app.to_lowercase(),
        }
    }

    pub fn segment(self, app: &str) -> String {
        encode(&self.of(app))
    }
}

/// The instances of one sequence; in some, two of the same id.
pub fn targets() -> impl Strategy<Value = Vec<Target>> {
    let shared = |app| Target { app, naming: Naming::Shared };
    let with_shared = vec(target(), 0..3).prop_map(move |mut targets| {
        targets.extend([shared(0), shared(2)]);
        targets
    });
    prop_oneof![12 => vec(target(), 1..5), 1 => with_shared]
}

fn target() -> impl Strategy<Value = Target> {
    let naming = prop_oneof![
        12 => Just(Naming::Plain),
        6 => Just(Naming::Usual),
        2 => Just(Naming::Odd),
        1 => Just(Naming::Blanks),
        1 => Just(Naming::Slash),
        2 => Just(Naming::Shared),
        1 => Just(Naming::Host),
        1 => Just(Naming::EmptyId),
        2 => Just(Naming::Amazon),
        1 => Just(Naming::Metadata),
    ];
    let app = prop_oneof![3 => Just(0), 2 => Just(1), 1 => Just(2)];
    (app, naming).prop_map(|(app, naming)| Target { app, naming })
}

pub fn spellings() -> impl Strategy<Value = Spelling> {
    prop_oneof![6 => Just(Spelling::AsIs), 1 => Just(Spelling::Upper), 1 => Just(Spelling::Lower)]
}
