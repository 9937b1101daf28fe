//! The registry of another server, or what lately changed in it, as that answers `GET apps` and `GET apps/delta`: read
//! one instance at a time, of which one that is broken spoils no other.

use crate::registry::Action;

use super::decode::{DecodeError, body_text};
use super::document::Document;
use super::json_decode;
use super::json_value::{self, Value, integer};

/// Longest registry that is read, in bytes.
pub const MAX_APPLICATIONS_BYTES: usize = 256 * 1024 * 1024;

/// Most instances of a registry that are read, with those that cannot be.
pub const MAX_LISTED_INSTANCES: usize = 1_000_000;

/// Most of a name that is repeated in a message, in characters.
const SHOWN_NAME_CHARS: usize = 100;

/// An instance as a server lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedInstance {
    pub document: Document,
    /// What became of it, in a delta. `None` if nothing is said, or something else.
    pub action: Option<Action>,
    /// When its lease was renewed, in epoch milliseconds of the server's clock; 0 if it does not say.
    pub renewed_ms: i64,
}

/// An instance that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct UnreadableInstance {
    /// What can be told of its application and id.
    pub name: String,
    pub reason: DecodeError,
}

/// Reads `{"applications":{…}}`, hands each instance to `each` in order, and returns its `apps__hashcode` if it has one.
/// Lists of one member may be that member alone, as some codecs of Eureka's write them.
///
/// # Errors
/// [`DecodeError`] if it is no registry, or one beyond the bounds. `each` may have been called before.
pub fn decode_applications(
    body: &[u8],
    mut each: impl FnMut(Result<ListedInstance, UnreadableInstance>),
) -> Result<Option<Box<str>>, DecodeError> {
    let text = body_text(body, MAX_APPLICATIONS_BYTES)?;
    let mut applications = None;
    json_value::root(text)?.each_member("answer", |name, value| {
        if name == "applications" {
            applications = Some(value);
        }
        Ok(())
    })?;
    let applications = applications.ok_or(DecodeError::Applications("it has no applications"))?;
    let (mut hashcode, mut list) = (None, None);
    applications.each_member("applications", |name, value| {
        match &*name {
            "apps__hashcode" => hashcode = value.text(&name)?.map(Box::from),
            "application" => list = Some(value),
            _ => {}
        }
        Ok(())
    })?;
    let Some(list) = list else {
        // An empty registry, as the oldest codecs write it. All else is something that only looks like one.
        let none = hashcode.as_deref() == Some("");
        return none.then_some(hashcode).ok_or(DecodeError::Applications("it has no list of applications"));
    };
    let mut count = 0;
    let mut counted = |instance: Result<ListedInstance, UnreadableInstance>| {
        if count == MAX_LISTED_INSTANCES {
            return Err(DecodeError::TooManyInstances { limit: MAX_LISTED_INSTANCES });
        }
        count += 1;
        each(instance);
        Ok(())
    };
    each_of("application", list, |value| application(value, &mut counted))?;
    Ok(hashcode)
}

fn application(
    value: Value<'_>,
    each: &mut impl FnMut(Result<ListedInstance, UnreadableInstance>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    if !value.is_object() {
        let reason = DecodeError::wrong_type("application", "an object");
        return each(Err(UnreadableInstance { name: "an application".to_owned(), reason }));
    }
    let (mut app, mut list) = (None, None);
    value.each_member("application", |name, value| {
        match &*name {
            "name" => app = value.text(&name).ok().flatten().as_deref().map(shown_name),
            "instance" => list = Some(value),
            _ => {}
        }
        Ok(())
    })?;
    let app = app.unwrap_or_else(|| "an application without a name".to_owned());
    let Some(list) = list else { return Ok(()) };
    each_of("instance", list, |value| {
        let unreadable = |reason| UnreadableInstance { name: format!("{app}({})", said_id(value)), reason };
        each(instance(value).map_err(unreadable))
    })
}

fn instance(value: Value<'_>) -> Result<ListedInstance, DecodeError> {
    let document = json_decode::instance(value)?;
    let (mut action, mut renewed_ms) = (None, 0);
    value.each_member("instance", |name, value| {
        match &*name {
            "actionType" => action = value.text(&name)?.as_deref().and_then(known_action),
            "leaseInfo" if value.is_object() => renewed_ms = renewed(value)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(ListedInstance { document, action, renewed_ms })
}

fn renewed(lease: Value<'_>) -> Result<i64, DecodeError> {
    const MEMBER: &str = "lastRenewalTimestamp";
    let mut ms = 0;
    lease.each_member("leaseInfo", |name, value| {
        if name == MEMBER {
            ms = value.text(MEMBER)?.map_or(0, |text| integer(&text));
        }
        Ok(())
    })?;
    Ok(ms)
}

fn known_action(word: &str) -> Option<Action> {
    Some(match word {
        "ADDED" => Action::Added,
        "MODIFIED" => Action::Modified,
        "DELETED" => Action::Deleted,
        _ => return None,
    })
}

/// Calls `each` with the members of a list, with what stands in its place, or not at all for null.
fn each_of<'a>(
    member: &str,
    list: Value<'a>,
    mut each: impl FnMut(Value<'a>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    if list.is_null() {
        return Ok(());
    }
    if list.is_object() { each(list) } else { list.each_element(member, each) }
}

/// The id that an instance says it has, or its host, as far as that can be read.
fn said_id(value: Value<'_>) -> String {
    let (mut id, mut host) = (None, None);
    // Whatever is wrong with it, the reason is told already.
    let _ = value.each_member("instance", |name, value| {
        match &*name {
            "instanceId" => id = value.text(&name)?.as_deref().map(shown_name),
            "hostName" => host = value.text(&name)?.as_deref().map(shown_name),
            _ => {}
        }
        Ok(())
    });
    id.or(host).unwrap_or_else(|| "?".to_owned())
}

/// A name that anybody may have chosen, fit for a message of one line.
pub fn shown_name(name: &str) -> String {
    let plain = name.chars().map(|character| if character.is_control() { '?' } else { character });
    plain.take(SHOWN_NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::super::decode::MAX_DEPTH;
    use super::super::{arbitrary, envelope, format::Format, samples};
    use super::*;
    use crate::registry::AppName;
    use proptest::prelude::*;

    type Read = (Vec<Result<ListedInstance, UnreadableInstance>>, Option<Box<str>>);

    fn read(json: &str) -> Result<Read, DecodeError> {
        let mut instances = Vec::new();
        let hashcode = decode_applications(json.as_bytes(), |instance| instances.push(instance))?;
        Ok((instances, hashcode))
    }

    fn ids(json: &str) -> Vec<String> {
        let (instances, _) = read(json).expect(json);
        let id = |instance: Result<ListedInstance, UnreadableInstance>| {
            instance.expect("an instance").document.effective_id().expect("an id").to_owned()
        };
        instances.into_iter().map(id).collect()
    }

    #[test]
    fn a_recorded_registry_is_read_whole() {
        let (mut instances, hashcode) = read(samples::APPS_JSON).unwrap();
        assert_eq!((instances.len(), hashcode.as_deref()), (1, Some("UP_1_")));
        let ListedInstance { document, action, renewed_ms } = instances.remove(0).unwrap();
        let expected = samples::demo();
        assert_eq!((action, renewed_ms), (Some(Action::Added), expected.lease.renewed_ms));
        assert_eq!(document.into_registration("DEMO").unwrap().instance, expected.instance.decode());
    }

    #[test]
    fn lists_of_one_may_be_that_one() {
        const ONE: &str = r#"{"app":"A","instanceId":"a-1"}"#;
        const TWO: &str = r#"{"app":"A","instanceId":"a-2"}"#;
        for (list, expected) in [
            (format!(r#"[{{"name":"A","instance":[{ONE},{TWO}]}}]"#), &["a-1", "a-2"][..]),
            (format!(r#"{{"name":"A","instance":{ONE}}}"#), &["a-1"]),
            (format!(r#"[{{"instance":{ONE}}},{{"name":"A","instance":{TWO}}}]"#), &["a-1", "a-2"]),
            (r#"[{"name":"A","instance":null},{"name":"A"},{"name":"A","instance":[]}]"#.to_owned(), &[]),
            ("[]".to_owned(), &[]),
            ("null".to_owned(), &[]),
        ] {
            let json =
                format!(r#"{{"x":1,"applications":{{"versions__delta":1,"application":{list}}}}} tail"#);
            assert_eq!(ids(&json), expected, "{json}");
        }
        assert_eq!(ids(r#"{"applications":{"apps__hashcode":"","versions__delta":1}}"#), [""; 0]);
    }

    #[test]
    fn changes_say_what_became_of_whom() {
        let one = |members: &str| {
            let instance = format!(r#"{{"app":"A","hostName":"h",{members}}}"#);
            let json = format!(r#"{{"applications":{{"application":{{"instance":{instance}}}}}}}"#);
            let instance = read(&json).expect(&json).0.remove(0).expect(&json);
            (instance.action, instance.renewed_ms)
        };
        assert_eq!(one(r#""actionType":"DELETED""#), (Some(Action::Deleted), 0));
        assert_eq!(
            one(r#""actionType":"MODIFIED","leaseInfo":{"lastRenewalTimestamp":"17"}"#),
            (Some(Action::Modified), 17)
        );
        assert_eq!(one(r#""actionType":"deleted","leaseInfo":{"lastRenewalTimestamp":null}"#), (None, 0));
        assert_eq!(one(r#""actionType":null,"leaseInfo":null"#), (None, 0));
    }

    #[test]
    fn a_broken_instance_is_named_and_spoils_no_other() {
        let json = r#"{"applications":{"application":[5,{"name":"A\nB","instance":[
            {"app":"A","instanceId":"a-1","port":[1]},
            {"hostName":"h-1"},
            7,
            {"app":"A","instanceId":"a-2"}]}]}}"#;
        let (instances, _) = read(json).unwrap();
        let told: Vec<String> = instances
            .into_iter()
            .map(|instance| match instance {
                Ok(listed) => listed.document.effective_id().unwrap().to_owned(),
                Err(unreadable) => unreadable.to_string(),
            })
            .collect();
        assert_eq!(
            told,
            [
                "an application: member \"application\" is not an object",
                "A?B(a-1): member \"port\" is not a text",
                "A?B(h-1): the instance has no app; name its application",
                "A?B(?): member \"instance\" is not an object",
                "a-2",
            ]
        );
    }

    #[test]
    fn what_is_no_registry_is_not_an_empty_one() {
        for json in [
            "",
            "{}",
            "[]",
            "null",
            "<applications/>",
            "<html>busy</html>",
            r#"{"applications":null}"#,
            r#"{"applications":[]}"#,
            r#"{"applications":{}}"#,
            r#"{"applications":{"apps__hashcode":"UP_1_"}}"#,
            r#"{"applications":{"apps__hashcode":"","application":5}}"#,
            r#"{"applications":{"apps__hashcode":{},"application":[]}}"#,
            r#"{"application":[]}"#,
            r#"{"applications":{"application":[{"name":"A","instance":[{"app":"A"}"#,
            r#"{"applications":{"application":[{"name":"A","instance":7}]}}"#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn depth_and_count_are_bounded() {
        let deep = format!("{}1", r#"{"applications":"#.repeat(MAX_DEPTH + 1));
        assert_eq!(read(&deep), Err(DecodeError::TooDeep));
        let list = |count: usize| {
            let nulls = vec!["0"; count].join(",");
            format!(r#"{{"applications":{{"application":{{"instance":[{nulls}]}}}}}}"#)
        };
        let mut count = 0;
        assert!(decode_applications(list(MAX_LISTED_INSTANCES).as_bytes(), |_| count += 1).is_ok());
        assert_eq!(count, MAX_LISTED_INSTANCES);
        let result = decode_applications(list(MAX_LISTED_INSTANCES + 1).as_bytes(), |_| {});
        assert_eq!(result, Err(DecodeError::TooManyInstances { limit: MAX_LISTED_INSTANCES }));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_listed_is_what_is_read(registrations in proptest::collection::vec(arbitrary::registration(), 0..4)) {
            let mut json = envelope::applications_header(Format::Json, "1", "UP_1_");
            for (at, registration) in registrations.iter().enumerate() {
                if at > 0 {
                    json.push(b',');
                }
                let name = AppName::parse("APP").unwrap();
                envelope::application_fragment(Format::Json, &name, [registration].into_iter(), &mut json);
            }
            json.extend(envelope::applications_trailer(Format::Json, "1", "UP_1_"));
            let (instances, hashcode) = read(std::str::from_utf8(&json).unwrap()).unwrap();
            prop_assert_eq!(hashcode.as_deref(), Some("UP_1_"));
            prop_assert_eq!(instances.len(), registrations.len());
            for (instance, registration) in instances.into_iter().zip(&registrations) {
                let instance = instance.unwrap();
                prop_assert_eq!(instance.action, Some(registration.action));
                prop_assert_eq!(instance.renewed_ms, registration.lease.renewed_ms);
                prop_assert_eq!(instance.document.last_dirty_ms, Some(registration.last_dirty_ms));
                prop_assert_eq!(instance.document.overridden_status, Some(registration.overridden_status()));
            }
        }
    }
}
