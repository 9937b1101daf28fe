//! An instance in JSON, as any of Eureka's many clients writes it.

use crate::registry::{DEFAULT_PORT, DEFAULT_SECURE_PORT, Metadata, Port, Status};

use super::data_center_json;
use super::decode::DecodeError;
use super::document::Document;
use super::json_value::{Value, integer};

/// The key under which Java's JSON names a map's class; never one of the map's own.
pub(super) const CLASS_KEY: &str = "@class";

const ROOT: DecodeError = DecodeError::Root { expected: r#"{"instance":{…}}"# };

/// Reads an instance that stands in a member `instance` of the root, or is the root.
pub(super) fn decode(root: Value<'_>) -> Result<Document, DecodeError> {
    if !root.is_object() {
        return Err(ROOT);
    }
    let mut wrapped = None;
    let mut members = 0u64;
    root.each_member("root", |name, value| {
        members += 1;
        if name == "instance" {
            wrapped = Some(value);
        }
        Ok(())
    })?;
    match wrapped {
        None => instance(root),
        // A second root would be one that nobody reads.
        Some(value) if members == 1 && value.is_object() => instance(value),
        Some(_) => Err(ROOT),
    }
}

/// Reads an instance that stands by itself.
pub(super) fn instance(value: Value<'_>) -> Result<Document, DecodeError> {
    let mut document = Document::default();
    let mut app = None;
    value.each_member("instance", |name, value| {
        // Says nothing, not even that the member is not there after all.
        if value.is_null() {
            return Ok(());
        }
        if let Some(slot) = document.text_slot(&name) {
            *slot = value.text(&name)?.map(Box::from);
            return Ok(());
        }
        match &*name {
            "app" => app = value.text(&name)?.map(Box::from),
            "status" => document.status = status(value, &name)?,
            "overriddenStatus" | "overriddenstatus" => document.overridden_status = status(value, &name)?,
            "port" => document.port = port(value, &name, DEFAULT_PORT)?,
            "securePort" => document.secure_port = port(value, &name, DEFAULT_SECURE_PORT)?,
            "countryId" => document.country_id = value.text(&name)?.map(|text| integer_32(&text)),
            "dataCenterInfo" => document.data_center = Some(data_center_json::decode(value)?),
            "leaseInfo" => lease(value, &mut document)?,
            "metadata" => document.metadata = metadata(value)?,
            "lastDirtyTimestamp" => document.last_dirty_ms = value.text(&name)?.map(|text| integer(&text)),
            _ => {}
        }
        Ok(())
    })?;
    document.app = app.ok_or(DecodeError::MissingApp)?;
    // In JSON only; XML's stands as it is.
    document.app_group_name = document.app_group_name.map(|name| name.to_uppercase().into());
    take_id_from_metadata(&mut document);
    Ok(document)
}

/// Reads names and values. Scalars become their text, null among them, and what is nested stays the
/// JSON it is.
pub(super) fn metadata(value: Value<'_>) -> Result<Metadata, DecodeError> {
    let mut pairs = Vec::new();
    value.each_member("metadata", |name, value| {
        if name != CLASS_KEY {
            pairs.push((name, value.unquoted()?));
        }
        Ok(())
    })?;
    Ok(Metadata::from_pairs(pairs))
}

fn status(value: Value<'_>, member: &str) -> Result<Option<Status>, DecodeError> {
    let word = value.text(member)?;
    Ok(word.map(|word| Status::from_exact(&word).unwrap_or(Status::Unknown)))
}

/// Reads a port: an object, or just its number as some clients of old send it.
fn port(value: Value<'_>, member: &str, default: Port) -> Result<Option<Port>, DecodeError> {
    if !value.is_object() {
        let number = value.text(member)?;
        return Ok(number.map(|number| Port { number: integer_32(&number), ..default }));
    }
    let mut port = default;
    value.each_member(member, |name, value| {
        match &*name {
            // Null is a value here, as to Jackson: no port, and off.
            "$" | "port" => port.number = value.text(member)?.map_or(0, |number| integer_32(&number)),
            "@enabled" | "enabled" => port.enabled = value.is_yes()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(Some(port))
}

fn lease(value: Value<'_>, document: &mut Document) -> Result<(), DecodeError> {
    document.renewal_interval_secs = None;
    document.duration_secs = None;
    value.each_member("leaseInfo", |name, value| {
        let slot = match &*name {
            "renewalIntervalInSecs" => &mut document.renewal_interval_secs,
            "durationInSecs" => &mut document.duration_secs,
            _ => return Ok(()),
        };
        *slot = value.text(&name)?.map(|text| integer(&text));
        Ok(())
    })
}

/// Spring's rule for clients of its first releases, which put the id among the metadata.
fn take_id_from_metadata(document: &mut Document) {
    if document.instance_id.is_some() {
        return;
    }
    let Some(id) = document.metadata.get("instanceId").filter(|id| !id.trim().is_empty()) else { return };
    let host_name = document.host_name.as_deref().unwrap_or_default();
    let prefixed = host_name.trim().is_empty() || id.starts_with(host_name);
    let id = if prefixed { id.into() } else { format!("{host_name}:{id}").into() };
    document.instance_id = Some(id);
}

fn integer_32(text: &str) -> i32 {
    integer(text).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode_document;
    use super::super::format::RequestFormat;
    use super::super::samples;
    use super::*;

    fn read(json: &str) -> Result<Document, DecodeError> {
        decode_document(RequestFormat::Json, json.as_bytes())
    }

    fn with(members: &str) -> Document {
        read(&format!(r#"{{"instance":{{"app":"A","hostName":"h.local",{members}}}}}"#)).unwrap()
    }

    fn refused(members: &str) -> bool {
        read(&format!(r#"{{"instance":{{"app":"A",{members}}}}}"#)).is_err()
    }

    #[test]
    fn a_recorded_registration_is_read_whole() {
        let document = read(samples::REGISTER_ALL_FIELDS).unwrap();
        let text = |text: &str| Some(Box::from(text));
        assert_eq!(document.instance_id, text("all-1"));
        assert_eq!(document.host_name, text("host1.local"));
        assert_eq!(&*document.app, "ALLF");
        assert_eq!(document.port, Some(Port { number: 8080, enabled: true }));
        assert_eq!(document.secure_port, Some(Port { number: 8443, enabled: false }));
        assert_eq!(document.country_id, Some(44));
        assert_eq!((document.renewal_interval_secs, document.duration_secs), (Some(30), Some(90)));
        assert_eq!(document.metadata, Metadata::from_pairs([("management.port", "8080"), ("zone", "zone1")]));
        assert_eq!(document.secure_health_check_url, text("https://host1.local:8443/health"));
        assert_eq!(document.app_group_name, text("GROUP-1"));
        assert_eq!(document.asg_name, text("asg-1"));
        assert_eq!(document.last_dirty_ms, Some(1_700_000_000_000));
    }

    #[test]
    fn roots_are_one_instance_wrapped_or_not() {
        assert_eq!(&*read(r#"{"instance":{"app":"A"}}"#).unwrap().app, "A");
        assert_eq!(&*read(r#"{"app":"A","other":[{"app":"B"}]}"#).unwrap().app, "A");
        assert_eq!(&*read("\u{feff} {\"instance\":{\"app\":\"A\"}} garbage }").unwrap().app, "A");
        for json in [
            "{}",
            "[]",
            "5",
            "\"x\"",
            "null",
            r#"{"instance":{}}"#,
            r#"{"instance":null}"#,
            r#"{"instance":{"app":null}}"#,
            r#"{"instance":{"app":"A"},"extra":1}"#,
            r#"{"Instance":{"app":"A"}}"#,
            r#"{"com.netflix.appinfo.InstanceInfo":{"app":"A"}}"#,
            r#"{"instance":{"app":"A""#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
        assert_eq!(read(r#"{"instance":{"hostName":"h"}}"#), Err(DecodeError::MissingApp));
        assert_eq!(&*read(r#"{"instance":{"app":""}}"#).unwrap().app, "");
    }

    #[test]
    fn bodies_are_utf8_and_not_deep() {
        let latin1 = b"{\"instance\":{\"app\":\"A\",\"ipAddr\":\"\xff\"}}";
        assert_eq!(decode_document(RequestFormat::Json, latin1), Err(DecodeError::NotUtf8));
        let deep = format!("{}1", r#"{"instance":"#.repeat(1000));
        assert_eq!(read(&deep), Err(DecodeError::TooDeep));
    }

    #[test]
    fn ports_come_in_many_shapes() {
        for (json, number, enabled) in [
            (r#"{"$":8080,"@enabled":"true"}"#, 8080, true),
            (r#"{"@enabled":false,"$":"8080"}"#, 8080, false),
            (r#"{"$":8080}"#, 8080, true),
            (r#"{"@enabled":"false"}"#, 7001, false),
            (r#"{"$":null}"#, 0, true),
            (r#"{"$":80,"@enabled":null}"#, 80, false),
            (r#"{"$":"abc","@enabled":"yes"}"#, 0, false),
            (r#"{"$":-1,"@enabled":1}"#, -1, true),
            (r#"{"$":99999999999}"#, i32::MAX, true),
            (r#"{"port":80,"enabled":"false","x":[]}"#, 80, false),
            (r#"8080"#, 8080, true),
            (r#""8080""#, 8080, true),
        ] {
            assert_eq!(with(&format!("\"port\":{json}")).port, Some(Port { number, enabled }), "{json}");
        }
        assert_eq!(with(r#""securePort":8443"#).secure_port, Some(Port { number: 8443, enabled: false }));
        assert_eq!(with(r#""port":null"#).port, None);
        assert!(refused(r#""port":[8080]"#));
    }

    #[test]
    fn status_words_count_in_their_own_case() {
        for (json, expected) in [
            (r#""UP""#, Some(Status::Up)),
            (r#""OUT_OF_SERVICE""#, Some(Status::OutOfService)),
            (r#""up""#, Some(Status::Unknown)),
            (r#""""#, Some(Status::Unknown)),
            ("5", Some(Status::Unknown)),
            ("null", None),
        ] {
            assert_eq!(with(&format!("\"status\":{json}")).status, expected, "{json}");
        }
        for both in [
            r#""overriddenStatus":"DOWN","overriddenstatus":"UP""#,
            r#""overriddenstatus":"DOWN","overriddenStatus":"UP""#,
            r#""overriddenstatus":"UP","overriddenStatus":null"#,
        ] {
            assert_eq!(with(both).overridden_status, Some(Status::Up));
        }
    }

    #[test]
    fn metadata_values_become_text() {
        let metadata = |json: &str| with(&format!("\"metadata\":{json}")).metadata;
        let pairs = |pairs: &[(&str, &str)]| Metadata::from_pairs(pairs.iter().copied());
        assert_eq!(
            metadata(r#"{"n":5,"b":true,"f":1.50,"z":null,"s":"","o":{"x":1},"a":[1]}"#),
            pairs(&[
                ("n", "5"),
                ("b", "true"),
                ("f", "1.50"),
                ("z", "null"),
                ("s", ""),
                ("o", r#"{"x":1}"#),
                ("a", "[1]")
            ])
        );
        assert_eq!(metadata(r#"{"@class":"java.util.Collections$EmptyMap"}"#), pairs(&[]));
        assert_eq!(metadata(r#"{"k":"1","@class":"x","k":"2"}"#), pairs(&[("k", "2")]));
        assert_eq!(metadata(r#"{"a b":"1","1abc":"2","a/b":"3","a<b":"4","":"7"}"#).len(), 5);
        assert_eq!(metadata("null"), pairs(&[]));
        assert!(refused(r#""metadata":"x""#) && refused(r#""metadata":["x"]"#));
    }

    #[test]
    fn leases_take_numbers_and_texts() {
        let lease = |json: &str| {
            let document = with(&format!("\"leaseInfo\":{json}"));
            (document.renewal_interval_secs, document.duration_secs)
        };
        assert_eq!(lease(r#"{"renewalIntervalInSecs":"10","durationInSecs":45}"#), (Some(10), Some(45)));
        assert_eq!(lease(r#"{"renewalIntervalInSecs":"x","durationInSecs":-1}"#), (Some(0), Some(-1)));
        assert_eq!(lease(r#"{"evictionDurationInSecs":90,"whatever":{}}"#), (None, None));
        assert_eq!(lease("null"), (None, None));
        assert!(refused(r#""leaseInfo":"x""#));
    }

    #[test]
    fn scalars_of_any_type_are_text_and_the_last_of_a_name_counts() {
        let document = with(r#""ipAddr":"10.2.2.2","ipAddr":10.9,"vipAddress":true,"homePageUrl":null"#);
        assert_eq!(document.ip_addr.as_deref(), Some("10.9"));
        assert_eq!(document.vip_address.as_deref(), Some("true"));
        assert_eq!(document.home_page_url, None);
        assert!(refused(r#""hostName":{"a":1}"#) && refused(r#""vipAddress":[]"#));
        let unknown = with(r#""newField":"x","n":5,"other":{"a":[1,2]},"list":[1],"ipAddr":"1.2.3.4""#);
        assert_eq!(unknown.ip_addr.as_deref(), Some("1.2.3.4"));
    }

    #[test]
    fn null_takes_nothing_back() {
        for member in [
            r#""ipAddr":"1""#,
            r#""port":{"$":1}"#,
            r#""metadata":{"a":"b"}"#,
            r#""leaseInfo":{"durationInSecs":9}"#,
        ] {
            let name = member.split(':').next().unwrap();
            assert_eq!(with(&format!("{member},{name}:null")), with(member));
        }
    }

    #[test]
    fn group_names_are_in_capitals() {
        assert_eq!(with(r#""appGroupName":"group-two""#).app_group_name.as_deref(), Some("GROUP-TWO"));
        assert_eq!(with(r#""appGroupName":"""#).app_group_name.as_deref(), Some(""));
    }

    #[test]
    fn dirty_times_that_are_no_number_count_as_none_at_all() {
        for (json, expected) in [
            ("1700000000007", Some(1_700_000_000_007)),
            (r#""1700000000007""#, Some(1_700_000_000_007)),
            (r#""-5""#, Some(-5)),
            (r#""abc""#, Some(0)),
            ("null", None),
        ] {
            assert_eq!(with(&format!("\"lastDirtyTimestamp\":{json}")).last_dirty_ms, expected, "{json}");
        }
        assert_eq!(with(r#""x":1"#).last_dirty_ms, None);
    }

    #[test]
    fn ids_among_the_metadata_count_when_there_is_no_other() {
        let id = |members: &str| with(members).instance_id;
        assert_eq!(id(r#""metadata":{"instanceId":"angel-1"}"#).as_deref(), Some("h.local:angel-1"));
        assert_eq!(id(r#""metadata":{"instanceId":"h.local-1"}"#).as_deref(), Some("h.local-1"));
        assert_eq!(id(r#""metadata":{"instanceId":"x"},"instanceId":null"#).as_deref(), Some("h.local:x"));
        assert_eq!(id(r#""metadata":{"instanceId":"x"},"hostName":"""#).as_deref(), Some("x"));
        assert_eq!(id(r#""metadata":{"instanceId":"x"},"instanceId":"own""#).as_deref(), Some("own"));
        assert_eq!(id(r#""metadata":{"instanceId":"x"},"instanceId":"""#).as_deref(), Some(""));
        assert_eq!(id(r#""metadata":{"instanceId":" "}"#), None);
    }

    #[test]
    fn shapes_of_other_clients_are_read() {
        for body in samples::OTHER_CLIENTS {
            let document = read(body).unwrap();
            let accepted = document.into_registration("billing").unwrap();
            assert_eq!(accepted.key.app.as_str(), "BILLING", "{body}");
            assert_eq!(accepted.instance.port, Port { number: 7101, enabled: true }, "{body}");
            assert_eq!((accepted.instance.renewal_interval_secs, accepted.instance.duration_secs), (30, 90));
        }
    }

    #[test]
    fn many_members_are_all_read() {
        let mut body = String::from(r#"{"instance":{"app":"A","metadata":{"#);
        let mut count = 0;
        while body.len() < 1 << 20 {
            body.push_str(&format!("\"{count}\":1,"));
            count += 1;
        }
        body.push_str("\"k\":1}}}");
        assert_eq!(read(&body).unwrap().metadata.len(), count + 1);
        let repeated = format!(r#"{{"app":"A","metadata":{{{}"k":1}}}}"#, "\"k\":0,".repeat(100_000));
        assert_eq!(read(&repeated).unwrap().metadata.len(), 1);
    }
}
