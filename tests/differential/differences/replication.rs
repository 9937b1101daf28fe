//! Differences in what is made of other servers' changes.

use serde_json::{Value, json};

use super::super::action::{Action, BodyForm, Item};
use super::super::target::Target;
use super::{Case, Memory, Onward, is_status};

impl Memory {
    pub fn has_adopted(&self, target: Target) -> bool {
        self.adopted.contains(&key(target))
    }

    /// Learns from a change that was answered so.
    fn learn(&mut self, change: Change, target: Target, status: u64) {
        match (change, status) {
            (Change::AdoptingRenewal, 404) => self.adopted.insert(key(target)),
            (Change::Registration, 204) | (Change::Cancel, 200) => self.adopted.remove(&key(target)),
            _ => false,
        };
    }
}

/// What matters of a change here.
enum Change {
    AdoptingRenewal,
    Registration,
    Cancel,
}

fn key(target: Target) -> (String, String) {
    (target.app().to_uppercase(), target.id())
}

/// The action is told by the node: `ADDED` and `MODIFIED` are the same to clients.
pub fn adopted(case: &mut Case<'_>) -> Onward {
    remember(case);
    if !case.memory.adopted.is_empty() {
        let Case { wanted, answered, memory, .. } = case;
        show_modified(&mut wanted["body"], &answered["body"], memory);
    }
    Onward::Together
}

/// Whether its client has renewed since is not looked at: then both answer alike, and part for nothing.
pub fn late_cancellation(case: &mut Case<'_>) -> Onward {
    let (target, targets) = (case.step.target, &case.step.targets);
    match &case.step.action {
        Action::Register { replicated: true, .. } | Action::Renew { replicated: true, .. } => {
            case.memory.told.insert(key(target));
        }
        Action::Register { replicated: false, .. } if case.memory.told.contains(&key(target)) => {
            case.memory.moved.insert(key(target));
        }
        Action::Cancel { replicated: true } if case.memory.moved.contains(&key(target)) => {
            return Onward::Parted;
        }
        Action::Batch { items } => {
            let mut onward = Onward::Together;
            for (place, (item, target)) in items.iter().zip(targets).enumerate() {
                if item.action != "Cancel" {
                    case.memory.told.insert(key(*target));
                } else if case.memory.moved.contains(&key(*target)) {
                    onward = Onward::Parted;
                    leave_alone(case, place, *target);
                }
            }
            return onward;
        }
        _ => {}
    }
    Onward::Together
}

/// What the rest of a batch says of an instance is what the node says.
fn leave_alone(case: &mut Case<'_>, from: usize, target: Target) {
    for place in from..case.step.targets.len() {
        let path = format!("/body/responseList/{place}");
        if key(case.step.targets[place]) == key(target)
            && let (Some(wanted), Some(answered)) =
                (case.wanted.pointer_mut(&path), case.answered.pointer(&path))
        {
            *wanted = answered.clone();
        }
    }
}

fn show_modified(wanted: &mut Value, answered: &Value, memory: &Memory) {
    match (wanted, answered) {
        (Value::Object(wanted), Value::Object(answered)) => {
            let both = |action: &str, other: &str| {
                wanted.get("actionType") == Some(&json!(action))
                    && answered.get("actionType") == Some(&json!(other))
            };
            if both("ADDED", "MODIFIED") && memory.adopted.contains(&key_of(answered)) {
                wanted.insert("actionType".to_owned(), json!("MODIFIED"));
            }
            for (name, member) in wanted.iter_mut().filter(|(name, _)| *name != "metadata") {
                if let Some(other) = answered.get(name) {
                    show_modified(member, other, memory);
                }
            }
        }
        (Value::Array(wanted), Value::Array(answered)) => {
            wanted
                .iter_mut()
                .zip(answered)
                .for_each(|(wanted, answered)| show_modified(wanted, answered, memory));
        }
        _ => {}
    }
}

fn key_of(instance: &serde_json::Map<String, Value>) -> (String, String) {
    let text = |value: Option<&Value>| {
        value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let amazon = instance.get("dataCenterInfo").and_then(|center| center.pointer("/metadata/instance-id"));
    let id =
        text(instance.get("instanceId")).or_else(|| text(amazon)).or_else(|| text(instance.get("hostName")));
    (text(instance.get("app")).unwrap_or_default(), id.unwrap_or_default())
}

fn remember(case: &mut Case<'_>) {
    let (target, status) = (case.step.target, case.status());
    match &case.step.action {
        Action::Renew { overridden: Some(_), replicated: true, .. } => {
            case.memory.learn(Change::AdoptingRenewal, target, status);
        }
        Action::Register { document, body, .. }
            if document.names_its_target(target, *body == BodyForm::Xml) =>
        {
            case.memory.learn(Change::Registration, target, status);
        }
        Action::PutMetadata { .. } if status == 200 => case.memory.learn(Change::Registration, target, 204),
        Action::Cancel { .. } => case.memory.learn(Change::Cancel, target, status),
        Action::Batch { items } => {
            for (place, (item, target)) in items.iter().zip(&case.step.targets).enumerate() {
                let code = &case.wanted["body"]["responseList"][place]["statusCode"];
                let change = match item.action {
                    "Heartbeat" if item.overridden.is_some() => Change::AdoptingRenewal,
                    "Cancel" => Change::Cancel,
                    // Answered 200 whether it was taken or not.
                    _ => continue,
                };
                case.memory.learn(change, *target, code.as_u64().unwrap_or_default());
            }
        }
        _ => {}
    }
}

pub fn removal_without_time(case: &mut Case<'_>) -> Onward {
    let Action::Batch { items } = &case.step.action else { return Onward::Together };
    let [Item { action: "DeleteStatusOverride", dirty: None, status, .. }] = items.as_slice() else {
        return Onward::Together;
    };
    if case.status() != 200 || !status.is_none_or(is_status) {
        return Onward::Together;
    }
    let target = case.step.targets[0];
    let code = if case.listed("application/json", target.app(), &target.id()).is_some() { 200 } else { 404 };
    case.wanted["body"]["responseList"][0]["statusCode"] = json!(code);
    Onward::Parted
}

pub fn unreadable_item(case: &mut Case<'_>) -> Onward {
    let Action::Batch { items } = &case.step.action else { return Onward::Together };
    let [Item { document: Some(document), .. }] = items.as_slice() else { return Onward::Together };
    if case.status() == 400 && !document.is_readable() {
        case.want(200, "application/json", json!({"responseList": [{"statusCode": 500}]}));
    }
    Onward::Together
}

pub fn bad_override(case: &mut Case<'_>) -> Onward {
    let Action::Batch { items } = &case.step.action else { return Onward::Together };
    for (place, item) in items.iter().enumerate() {
        let is_bad = item.action == "Heartbeat" && !item.overridden.is_none_or(is_status);
        let code = case.wanted.pointer_mut(&format!("/body/responseList/{place}/statusCode"));
        if let (true, Some(code)) = (is_bad, code)
            && *code == 500
        {
            *code = json!(404);
        }
    }
    Onward::Together
}

pub fn bad_status(case: &mut Case<'_>) -> Onward {
    let Action::Batch { items } = &case.step.action else { return Onward::Together };
    if case.status() != 200 {
        return Onward::Together;
    }
    for (place, item) in items.iter().enumerate() {
        let is_bad = match item.action {
            "StatusUpdate" => !item.status.is_some_and(is_status),
            "DeleteStatusOverride" => !item.status.is_none_or(is_status),
            _ => false,
        };
        if is_bad {
            case.wanted["body"]["responseList"][place]["statusCode"] = json!(500);
        }
    }
    Onward::Together
}

/// Knows what the rest of the batch was about, and leaves what it did to the reads that follow.
pub fn entity_of_its_time(case: &mut Case<'_>) -> Onward {
    let Action::Batch { items } = &case.step.action else { return Onward::Together };
    for place in 0..items.len() {
        let touched_later = case.step.targets[place + 1..].contains(&case.step.targets[place]);
        let path = format!("/body/responseList/{place}/responseEntity");
        if let (true, Some(wanted), Some(answered)) =
            (touched_later, case.wanted.pointer_mut(&path), case.answered.pointer(&path))
        {
            *wanted = answered.clone();
        }
    }
    Onward::Together
}
