//! Every difference from the Eureka server that is wanted, and why. What it answers, changed by all
//! of these in their order, is what a node has to answer.
//!
//! A rule that never changes anything in a run of normal length fails the test, as one that changes
//! too much does.

mod documents;
mod input;
mod replication;
mod xml;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::harness::{Request, Response};
use super::meaning::{self, Asked, Parts};
use super::step::Step;

/// One step, and what is to be wanted of a node there.
pub struct Case<'a> {
    pub step: &'a Step,
    pub asked: &'a Asked<'a>,
    /// What the Eureka server answered, as it came.
    pub reference: &'a Response,
    /// The meaning of what the node answered.
    pub answered: &'a Value,
    /// The meaning of what the Eureka server answered, as changed by the rules so far.
    pub wanted: Value,
    pub memory: &'a mut Memory,
    /// Asks the Eureka server for more, which must not change anything there.
    pub ask: &'a mut dyn FnMut(&Request) -> Value,
}

/// What rules have to know of the steps before, of instances as application and id.
#[derive(Debug, Default)]
pub struct Memory {
    /// Those that have an override from a replicated renewal, and were not registered since.
    adopted: HashSet<(String, String)>,
    /// Those that another server may have told of.
    told: HashSet<(String, String)>,
    /// Those whose client may have registered them after that.
    moved: HashSet<(String, String)>,
}

pub struct Rule {
    pub reason: &'static str,
    pub apply: fn(&mut Case<'_>) -> Onward,
}

/// Whether the sequence can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onward {
    Together,
    /// From here on the servers hold different instances.
    Parted,
}

pub const RULES: [Rule; 26] = [
    // ---- labels
    Rule {
        reason: "a body is labelled as what it is, and a 400's bare text as its reader would be answered, in small letters",
        apply: documents::label,
    },
    Rule {
        reason: "error pages are no part of the protocol, and a body on a 404 breaks renewals of old clients: empty",
        apply: documents::error_page,
    },
    // ---- lenient input: refused there, harmless here
    Rule {
        reason: "lenient: ports are taken in other forms, dataCenterInfo in any order, and unknown members of any kind are skipped",
        apply: input::lenient_members,
    },
    Rule {
        reason: "lenient: the document may stand without {\"instance\":…} around it",
        apply: input::unwrapped,
    },
    Rule {
        reason: "gzip request bodies are decoded, as peers with enableReplicatedRequestCompression need",
        apply: input::packed,
    },
    Rule {
        reason: "%2F in a path is a slash inside a name, so that an instance so named can be reached",
        apply: input::slash_in_path,
    },
    // ---- bad input gets a 4xx and changes nothing
    Rule { reason: "a body of null is the client's fault", apply: input::null_body },
    Rule {
        reason: "what is wrong with JSON is said in JSON, whatever the charset of its Content-Type",
        apply: input::error_of_charset,
    },
    Rule {
        reason: "AmazonInfo without metadata is refused wherever it stands; that server loses the member after it",
        apply: input::derailed,
    },
    Rule {
        reason: "a bad lastDirtyTimestamp, value or overriddenstatus is the client's fault, is told before the instance is looked for, and changes nothing",
        apply: input::bad_parameter,
    },
    Rule {
        reason: "a batch without a list, or with null for one of its items, is the sender's fault",
        apply: input::broken_batch,
    },
    Rule {
        reason: "an item whose instance cannot be read fails by itself, and the rest of its batch does not",
        apply: replication::unreadable_item,
    },
    Rule { reason: "an override that is none of the statuses is none", apply: replication::bad_override },
    Rule {
        reason: "a bad status of a batch's item is told before the instance is looked for",
        apply: replication::bad_status,
    },
    // ---- documents that were broken
    Rule {
        reason: "the empty metadata key is the element _ in XML; that server's is <>, which is not XML",
        apply: xml::empty_key,
    },
    Rule {
        reason: "what XML cannot hold is U+FFFD; that server refers to it by number, at which parsers give up, and writes no compact document",
        apply: xml::unholdable,
    },
    Rule {
        reason: "registeredApplicationsEmpty is a getter that leaks into compact documents of some builds",
        apply: documents::leaked_getter,
    },
    Rule {
        reason: "one instance is written in JSON exactly where Accept says json, as lists are",
        apply: documents::negotiated_instance,
    },
    Rule {
        reason: "which of two instances of one id is found by it is an accident of Java's order",
        apply: documents::one_of_two,
    },
    Rule {
        reason: "XML of a single instance shows the status it has, not the one of API version 1",
        apply: xml::status_of_version_1,
    },
    Rule {
        reason: "@class is no metadata key: with it JSON says that there are none",
        apply: documents::class_key,
    },
    // ---- leases and overrides
    Rule {
        reason: "a lease ends one duration after its last renewal, so lastRenewalTimestamp is that renewal and not in the future",
        apply: documents::renewal_time,
    },
    Rule {
        reason: "an override that a renewal brings with it is seen by readers of the delta, so the instance is MODIFIED",
        apply: replication::adopted,
    },
    Rule {
        reason: "who has just come from another server outlives the cancellation there, which is late",
        apply: replication::late_cancellation,
    },
    Rule {
        reason: "an item's answer shows the instance as it was then, and not as the rest of the batch left it",
        apply: replication::entity_of_its_time,
    },
    Rule {
        reason: "lenient: an override may be removed without a lastDirtyTimestamp, in a batch as on its own",
        apply: replication::removal_without_time,
    },
];

impl Case<'_> {
    /// Whether lists would be answered in JSON.
    fn asked_in_json(&self) -> bool {
        self.step.manner.accept.is_some_and(|accept| accept.contains("json"))
    }

    /// The status that is wanted.
    fn status(&self) -> u64 {
        self.wanted["status"].as_u64().unwrap_or_default()
    }

    fn want_empty(&mut self, status: u16) {
        self.want(status, "", json!(""));
    }

    fn want(&mut self, status: u16, media_type: &str, body: Value) {
        self.wanted = json!({"status": status, "type": media_type, "coding": "", "body": body});
    }

    /// The meaning of the Eureka server's answer if it was this body of this type.
    fn reread(&self, media_type: &str, body: &str) -> Value {
        let parts = Parts {
            status: self.reference.status,
            content_type: Some(media_type),
            content_encoding: self.reference.header("content-encoding"),
            body: body.as_bytes(),
        };
        meaning::of(&parts, self.asked)
    }

    /// An instance as the Eureka server's list has it, in JSON or in XML.
    fn listed(&mut self, media_type: &str, app: &str, id: &str) -> Option<Value> {
        let mut list = (self.ask)(&Request::get("/eureka/apps").header("Accept", media_type));
        if let Some(text) = list["body"].as_str() {
            let mended = xml::mended(text).into_bytes();
            let parts =
                Parts { status: 200, content_type: Some(media_type), content_encoding: None, body: &mended };
            list = meaning::of(&parts, self.asked);
        }
        let applications = &list["body"]["applications"]["application"];
        applications[app.to_uppercase()]["instance"].get(id).cloned()
    }
}

/// Calls `change` with every object of a document but metadata.
fn everywhere(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            change(members);
            let told = members.iter_mut().filter(|(name, _)| *name != "metadata");
            told.for_each(|(_, member)| everywhere(member, change));
        }
        Value::Array(members) => members.iter_mut().for_each(|member| everywhere(member, change)),
        _ => {}
    }
}

fn is_status(word: &str) -> bool {
    ["UP", "DOWN", "STARTING", "OUT_OF_SERVICE", "UNKNOWN"].contains(&word)
}
