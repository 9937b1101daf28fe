//! What is asked of the servers.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::document::{Document, documents};
use super::member::{dirty_numbers, metadata_keys, vip_names};
use super::target::{Spelling, spellings};
use super::text::{status_words, statuses};

#[derive(Debug, Clone)]
pub enum Action {
    Register {
        document: Document,
        body: BodyForm,
        replicated: bool,
    },
    Renew {
        changed: Changed,
        overridden: Option<&'static str>,
        replicated: bool,
        with_body: bool,
    },
    SetStatus {
        value: Option<&'static str>,
        changed: Changed,
        replicated: bool,
    },
    RemoveStatus {
        value: Option<&'static str>,
        changed: Changed,
        replicated: bool,
    },
    PutMetadata {
        pairs: Vec<(String, Option<String>)>,
    },
    Cancel {
        replicated: bool,
    },
    Batch {
        items: Vec<Item>,
    },
    /// A batch that cannot be read.
    BrokenBatch {
        body: &'static str,
    },
    Read {
        place: Place,
    },
}

/// A query's `lastDirtyTimestamp`, and its `status`, which no server looks at.
#[derive(Debug, Clone)]
pub struct Changed {
    pub dirty: Option<Dirty>,
    pub status: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub enum Dirty {
    Number(i64),
    /// What is no number.
    Word(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyForm {
    Json,
    Xml,
    JsonWithCharset,
    /// Without `{"instance":…}` around it.
    JsonUnwrapped,
    JsonPacked,
    JsonAsText,
    JsonOfNoType,
    Null,
    CutOff,
}

/// One replicated change.
#[derive(Debug, Clone)]
pub struct Item {
    /// Which of the sequence's targets it is about.
    pub about: usize,
    pub spelling: Spelling,
    pub action: &'static str,
    pub dirty: Option<i64>,
    pub dirty_as_text: bool,
    pub status: Option<&'static str>,
    pub overridden: Option<&'static str>,
    pub document: Option<Document>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Applications,
    Delta,
    Application,
    Instance,
    InstanceById,
    Vip(&'static str),
    SecureVip(&'static str),
}

impl Place {
    /// Whether its document is an instance, and nothing around it.
    pub fn is_instance(self) -> bool {
        matches!(self, Place::Instance | Place::InstanceById)
    }
}

pub fn actions() -> impl Strategy<Value = Action> {
    prop_oneof![
        30 => places().prop_map(|place| Action::Read { place }),
        15 => renewals(),
        8 => status_changes().prop_map(|(value, changed, replicated)| Action::SetStatus { value, changed, replicated }),
        5 => status_changes().prop_map(|(value, changed, replicated)| Action::RemoveStatus { value, changed, replicated }),
        4 => metadata_pairs().prop_map(|pairs| Action::PutMetadata { pairs }),
        5 => any::<bool>().prop_map(|replicated| Action::Cancel { replicated }),
        25 => registrations(),
        10 => prop_oneof![vec(items(), 1..2), vec(items(), 2..7)].prop_map(|items| Action::Batch { items }),
        1 => broken_batches().prop_map(|body| Action::BrokenBatch { body }),
    ]
}

fn registrations() -> impl Strategy<Value = Action> {
    (documents(), body_forms(), replicated()).prop_map(|(document, body, replicated)| {
        let document = match body {
            BodyForm::JsonUnwrapped | BodyForm::JsonPacked => document.sound().strict(),
            _ => document,
        };
        Action::Register { document, body, replicated }
    })
}

fn replicated() -> impl Strategy<Value = bool> {
    proptest::bool::weighted(0.3)
}

fn places() -> impl Strategy<Value = Place> {
    prop_oneof![
        3 => Just(Place::Instance),
        3 => Just(Place::Applications),
        3 => Just(Place::Delta),
        2 => Just(Place::Application),
        2 => Just(Place::InstanceById),
        2 => vip_names().prop_map(Place::Vip),
        1 => vip_names().prop_map(Place::SecureVip),
    ]
}

fn changed() -> impl Strategy<Value = Changed> {
    let dirty = prop_oneof![
        16 => dirty_numbers().prop_map(Dirty::Number),
        1 => select(vec!["abc", "", "1.5", "99999999999999999999"]).prop_map(Dirty::Word),
    ];
    let status = proptest::option::weighted(0.3, status_words());
    (proptest::option::weighted(0.7, dirty), status).prop_map(|(dirty, status)| Changed { dirty, status })
}

fn renewals() -> impl Strategy<Value = Action> {
    let overridden = proptest::option::weighted(0.6, overrides());
    (changed(), overridden, any::<bool>(), any::<bool>()).prop_map(
        |(changed, overridden, replicated, with_body)| Action::Renew {
            changed,
            overridden,
            replicated,
            with_body,
        },
    )
}

fn overrides() -> impl Strategy<Value = &'static str> {
    prop_oneof![2 => statuses(), 1 => select(vec!["up", "FOO", ""])]
}

fn status_changes() -> impl Strategy<Value = (Option<&'static str>, Changed, bool)> {
    let value = prop_oneof![20 => statuses(), 1 => select(vec!["up", "FOO", ""])];
    (proptest::option::weighted(0.9, value), changed(), replicated())
}

fn metadata_pairs() -> impl Strategy<Value = Vec<(String, Option<String>)>> {
    let value = select(vec!["", "new", "a b&c=d", "żółw", "<x>"]).prop_map(str::to_owned);
    let pair = (metadata_keys(), proptest::option::weighted(0.9, value));
    vec(pair, 0..3)
}

fn body_forms() -> impl Strategy<Value = BodyForm> {
    prop_oneof![
        24 => Just(BodyForm::Json),
        12 => Just(BodyForm::Xml),
        6 => Just(BodyForm::JsonWithCharset),
        4 => select(vec![
            BodyForm::JsonUnwrapped,
            BodyForm::JsonPacked,
            BodyForm::JsonAsText,
            BodyForm::JsonOfNoType,
            BodyForm::Null,
            BodyForm::CutOff,
        ]),
    ]
}

fn items() -> impl Strategy<Value = Item> {
    let action = prop_oneof![
        5 => Just("Heartbeat"),
        5 => Just("Register"),
        1 => Just("Cancel"),
        2 => Just("StatusUpdate"),
        2 => Just("DeleteStatusOverride"),
    ];
    (
        (0..4usize, spellings(), action),
        (proptest::option::weighted(0.85, dirty_numbers()), proptest::bool::weighted(0.1)),
        (proptest::option::weighted(0.8, status_words()), proptest::option::weighted(0.7, overrides())),
        documents(),
    )
        .prop_map(
            |((about, spelling, action), (dirty, dirty_as_text), (status, overridden), document)| Item {
                about,
                spelling,
                action,
                dirty,
                dirty_as_text,
                status,
                overridden,
                document: (action == "Register").then(|| document.strict()),
            },
        )
}

fn broken_batches() -> impl Strategy<Value = &'static str> {
    select(vec![
        "null",
        "[]",
        "{}",
        "",
        "{\"replicationList\":null}",
        "{\"replicationList\":[null]}",
        "{\"replicationList\":[{\"appName\":\"ORDERS\",\"id\":\"i-0\",\"action\":\"Fly\"}]}",
        "{\"replicationList\":[{\"appName\":\"ORDERS\",\"id\":\"i-0\",\"action\":\"Cancel\",\"x\":1}]}",
        "{\"replicationList\":[{\"appName\":\"ORDERS\",\"id\":\"i-0\",\"action\":\"Cancel\"}",
    ])
}
