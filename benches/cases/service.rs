//! Instances as Spring Cloud clients have them: their names, requests, and bodies of 1 KB.

use std::sync::LazyLock;

use rs_registry::bench::documents::Documents;
use rs_registry::bench::plan::DocumentKind;
use rs_registry::registry::{AppName, InstanceId, Key};

/// The version of every document.
pub const DIRTY_MS: i64 = 1_700_000_000_000;

/// More than any application here has.
const MOST_PER_APP: usize = 100_000;

static DOCUMENTS: LazyLock<Documents> =
    LazyLock::new(|| Documents::new(DocumentKind::Spring, "SERVICE", MOST_PER_APP, 90));

/// The instance of this number, among so many applications that numbers which follow each other are of different
/// ones.
#[derive(Clone, Copy)]
pub struct Service {
    pub number: usize,
    pub apps: usize,
}

impl Service {
    /// Its number among the documents, which are of one application after the other.
    fn place(self) -> usize {
        self.number % self.apps * MOST_PER_APP + self.number / self.apps
    }

    pub fn app(self) -> String {
        DOCUMENTS.app(self.place())
    }

    fn id(self) -> String {
        DOCUMENTS.id(self.place())
    }

    pub fn key(self) -> Key {
        Key::new(AppName::parse(&self.app()).unwrap(), InstanceId::parse(&self.id()).unwrap())
    }

    /// Path and query of its client's renewal.
    pub fn renewal(self) -> (String, String) {
        let path = format!("/eureka/apps/{}/{}", self.app(), self.id());
        (path, format!("status=UP&lastDirtyTimestamp={DIRTY_MS}"))
    }

    /// The body of its client's registration.
    pub fn json(self) -> String {
        DOCUMENTS.json(self.place())
    }
}
