//! What a step should mean here: what was recorded, changed by the differences that are listed.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::golden::Step;
use super::meaning::{self, Asked, Parts};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    difference: Vec<Difference>,
}

/// One wanted difference from the recording, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    reason: String,
    /// `GROUP/NNNN`, or a prefix ended by `*`.
    steps: Vec<String>,
    /// Only where the recorded status is one of these.
    #[serde(default)]
    where_status: Vec<u16>,
    status: Option<u16>,
    /// Media type; "" for none.
    r#type: Option<String>,
    coding: Option<String>,
    /// The whole body, in its own format.
    body: Option<String>,
    /// The body of another recorded step, which `change` then alters.
    body_of: Option<String>,
    #[serde(default)]
    change: Vec<Change>,
}

/// A difference inside a body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    /// A path of names in the body, in which `*` is any one name and a leading `**` any path.
    at: String,
    /// Only where this is what was recorded.
    from: Option<Value>,
    /// What stands there instead; absent when the member is not there.
    to: Option<Value>,
}

/// All listed differences, and how often each was of use.
pub struct Expected {
    differences: Vec<Difference>,
    uses: Vec<usize>,
    recorded: HashMap<String, Value>,
}

impl Expected {
    /// Reads `differences.toml` for the recorded steps.
    pub fn load<'a>(steps: impl Iterator<Item = &'a Step>) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/differences.toml");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::parse(&text, steps)
    }

    fn parse<'a>(text: &str, steps: impl Iterator<Item = &'a Step>) -> Self {
        let file: File = toml::from_str(text).unwrap_or_else(|error| panic!("differences.toml: {error}"));
        let uses = vec![0; file.difference.len()];
        let recorded = steps.map(|step| (step.number.clone(), recorded(step))).collect();
        Self { differences: file.difference, uses, recorded }
    }

    /// The meanings of a step as recorded, and as it should be here.
    pub fn of(&mut self, step: &Step) -> (Value, Value) {
        let recorded = self.recorded[&step.number].clone();
        let mut wanted = recorded.clone();
        for (difference, uses) in self.differences.iter().zip(&mut self.uses) {
            if difference.is_for(step) && difference.apply(&mut wanted, &self.recorded) {
                *uses += 1;
            }
        }
        (recorded, wanted)
    }

    /// The reasons of differences that changed no step.
    pub fn unused(&self) -> Vec<&str> {
        let used = self.differences.iter().zip(&self.uses);
        used.filter(|(_, uses)| **uses == 0).map(|(difference, _)| difference.reason.as_str()).collect()
    }
}

fn recorded(step: &Step) -> Value {
    let parts = Parts {
        status: step.status,
        content_type: step.response_header("content-type"),
        content_encoding: step.response_header("content-encoding"),
        body: &step.body,
    };
    meaning::of(&parts, &Asked { path: &step.path, at_ms: step.sent_at_ms })
}

impl Difference {
    fn is_for(&self, step: &Step) -> bool {
        let named = self.steps.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => step.number.starts_with(prefix),
            None => *pattern == step.number,
        });
        named && (self.where_status.is_empty() || self.where_status.contains(&step.status))
    }

    /// Whether anything was not so already.
    fn apply(&self, wanted: &mut Value, recorded: &HashMap<String, Value>) -> bool {
        let before = wanted.clone();
        if let Some(status) = self.status {
            wanted["status"] = status.into();
        }
        if let Some(media_type) = &self.r#type {
            wanted["type"] = media_type.as_str().into();
        }
        if let Some(coding) = &self.coding {
            wanted["coding"] = coding.as_str().into();
        }
        if let Some(text) = &self.body {
            let status =
                wanted["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or_default();
            let media_type = wanted["type"].as_str().unwrap_or_default().to_owned();
            wanted["body"] = meaning::body(status, &media_type, text.as_bytes());
        }
        if let Some(number) = &self.body_of {
            let other = recorded.get(number).unwrap_or_else(|| panic!("no step {number} was recorded"));
            wanted["body"] = other["body"].clone();
        }
        for change in &self.change {
            let path: Vec<&str> = change.at.split('/').collect();
            match path.split_first() {
                Some((&"**", rest)) => change.apply_anywhere(&mut wanted["body"], rest),
                _ => change.apply_at(&mut wanted["body"], &path),
            }
        }
        before != *wanted
    }
}

impl Change {
    fn apply_anywhere(&self, value: &mut Value, path: &[&str]) {
        self.apply_at(value, path);
        match value {
            Value::Object(members) => {
                let told = members.iter_mut().filter(|(name, _)| *name != "metadata");
                told.for_each(|(_, member)| self.apply_anywhere(member, path));
            }
            Value::Array(members) => members.iter_mut().for_each(|member| self.apply_anywhere(member, path)),
            _ => {}
        }
    }

    fn apply_at(&self, value: &mut Value, path: &[&str]) {
        let (Value::Object(members), Some((name, rest))) = (value, path.split_first()) else { return };
        if !rest.is_empty() {
            let fits = |key: &str| *name == "*" || *name == key;
            members
                .iter_mut()
                .filter(|(key, _)| fits(key))
                .for_each(|(_, member)| self.apply_at(member, rest));
            return;
        }
        if self.from.is_some() && self.from.as_ref() != members.get(*name) {
            return;
        }
        match &self.to {
            Some(to) => {
                members.insert((*name).to_owned(), to.clone());
            }
            None => {
                members.remove(*name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;

    /// A toml with this one difference.
    fn with(difference: &str) -> (Vec<Step>, Expected) {
        let steps = golden::load("0000");
        let text = format!("[[difference]]\nreason = 'because'\n{difference}");
        let expected = Expected::parse(&text, steps.iter());
        (steps, expected)
    }

    #[test]
    fn a_difference_changes_its_step_and_no_other() {
        let (steps, mut expected) =
            with("steps = ['0000/0024']\nchange = [{ at = '**/status', from = 'UP', to = 'DOWN' }]");
        for step in &steps {
            let (recorded, wanted) = expected.of(step);
            assert_eq!(recorded != wanted, step.number == "0000/0024", "{}", step.number);
        }
        assert!(expected.unused().is_empty());
    }

    #[test]
    fn a_difference_that_changes_nothing_is_told() {
        let (steps, mut expected) =
            with("steps = ['0000/*']\nchange = [{ at = '**/status', from = 'STARTING', to = 'DOWN' }]");
        for step in &steps {
            expected.of(step);
        }
        assert_eq!(expected.unused(), ["because"]);
    }

    #[test]
    fn a_body_can_be_that_of_another_step() {
        let (steps, mut expected) = with(
            "steps = ['0000/0001']\nbody_of = '0000/0033'\nchange = [{ at = 'instance/port/$', to = 9 }, { at = 'instance/app' }]",
        );
        let (_, wanted) = expected.of(&steps[1]);
        assert_eq!(wanted["body"]["instance"]["port"]["$"], 9);
        assert_eq!(wanted["body"]["instance"]["hostName"], "host1.local");
        assert_eq!(wanted["body"]["instance"].get("app"), None);
    }
}
