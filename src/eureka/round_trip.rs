//! Whatever is written reads back as the same, and whatever is read never brings the reader down.

use proptest::collection::vec;
use proptest::prelude::*;

use super::arbitrary::registration;
use super::*;
use crate::registry::{AppName, DataCenter, Instance, Metadata, Registration};

/// What a reader of the written form is to find.
fn expected(registration: &Registration) -> Instance {
    Instance { overridden_status: registration.overridden_status(), ..registration.instance.decode() }
}

fn read_back(format: RequestFormat, body: &[u8], app: &str) -> Accepted {
    let shown = String::from_utf8_lossy(body);
    let document = decode_document(format, body).unwrap_or_else(|error| panic!("{error}: {shown}"));
    document.into_registration(app).unwrap_or_else(|refusal| panic!("{refusal}: {shown}"))
}

/// Text as XML carries it: what it cannot is replaced.
pub(super) fn as_xml(text: &str) -> Box<str> {
    let carry = |character| match character {
        '\t' | '\n' | '\r' => character,
        '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        _ => character,
    };
    text.chars().map(carry).collect::<String>().into()
}

fn metadata_as_xml(metadata: &Metadata) -> Metadata {
    Metadata::from_pairs(metadata.iter().map(|(key, value)| (key, as_xml(value))))
}

fn instance_as_xml(instance: Instance) -> Instance {
    let optional = |text: Option<Box<str>>| text.map(|text| as_xml(&text));
    Instance {
        instance_id: optional(instance.instance_id),
        host_name: as_xml(&instance.host_name),
        app: AppName::parse(&as_xml(instance.app.as_str())).unwrap(),
        ip_addr: as_xml(&instance.ip_addr),
        sid: optional(instance.sid),
        data_center: match &instance.data_center {
            DataCenter::Amazon(pairs) => DataCenter::Amazon(metadata_as_xml(pairs)),
            other => other.clone(),
        },
        metadata: metadata_as_xml(&instance.metadata),
        app_group_name: optional(instance.app_group_name),
        home_page_url: optional(instance.home_page_url),
        status_page_url: optional(instance.status_page_url),
        health_check_url: optional(instance.health_check_url),
        secure_health_check_url: optional(instance.secure_health_check_url),
        vip_address: optional(instance.vip_address),
        secure_vip_address: optional(instance.secure_vip_address),
        asg_name: optional(instance.asg_name),
        ..instance
    }
}

/// A page of two applications with this instance in each.
pub(super) fn page(format: Format, registration: &Registration) -> String {
    let mut out = applications_header(format, "1", "UP_2_");
    for at in 0..2 {
        if at > 0 {
            out.extend_from_slice(applications_separator(format));
        }
        application_fragment(
            format,
            &registration.instance.decode().app,
            [registration].into_iter(),
            &mut out,
        );
    }
    out.extend(applications_trailer(format, "1", "UP_2_"));
    String::from_utf8(out).unwrap()
}

/// A sample with some of its bytes replaced, dropped or repeated.
fn mutated(sample: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), any::<u8>(), 0u8..3);
    vec(edit, 1..8).prop_map(move |edits| {
        let mut body = sample.as_bytes().to_vec();
        for (at, byte, kind) in edits {
            let at = at.index(body.len());
            match kind {
                0 => body[at] = byte,
                1 => drop(body.remove(at)),
                _ => body.insert(at, body[at]),
            }
        }
        body
    })
}

fn read_every_way(body: &[u8]) {
    for format in [RequestFormat::Json, RequestFormat::Xml] {
        if let Ok(document) = decode_document(format, body) {
            let app = document.app.clone();
            let _ = document.into_registration(&app);
        }
    }
    let _ = decode_batch(body);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn json_reads_back_as_it_was_written(registration in registration()) {
        let body = instance_document(Format::Json, &registration);
        let accepted = read_back(RequestFormat::Json, &body, registration.instance.decode().app.as_str());
        prop_assert_eq!(accepted.last_dirty_ms, Some(registration.last_dirty_ms));
        prop_assert_eq!(accepted.instance, expected(&registration));
    }

    #[test]
    fn xml_reads_back_as_it_was_written(registration in registration()) {
        let body = instance_document(Format::Xml, &registration);
        let instance = instance_as_xml(expected(&registration));
        let accepted = read_back(RequestFormat::Xml, &body, instance.app.as_str());
        prop_assert_eq!(accepted.last_dirty_ms, Some(registration.last_dirty_ms));
        prop_assert_eq!(accepted.instance, instance);
    }

    #[test]
    fn json_pages_are_well_formed(registration in registration()) {
        for format in [Format::Json, Format::CompactJson] {
            let value: serde_json::Value = serde_json::from_str(&page(format, &registration)).unwrap();
            let applications = value["applications"]["application"].as_array().unwrap();
            prop_assert_eq!(applications.len(), 2);
            let instance = registration.instance.decode();
            prop_assert_eq!(&applications[0]["name"], instance.app.as_str());
        }
    }

    #[test]
    fn entities_of_batches_read_back(registration in registration()) {
        let body = encode_batch_response(&[ItemAnswer { status_code: 409, entity: Some(&registration) }]);
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let entity = value["responseList"][0]["responseEntity"].to_string();
        let batch = format!(r#"{{"replicationList":[{{"instanceInfo":{entity}}}]}}"#);
        let document = decode_batch(batch.as_bytes()).unwrap().remove(0).instance.unwrap();
        let instance = registration.instance.decode();
        prop_assert_eq!(&*document.app, instance.app.as_str());
        prop_assert_eq!(document.last_dirty_ms, Some(registration.last_dirty_ms));
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(body in vec(any::<u8>(), 0..256)) {
        read_every_way(&body);
    }

    #[test]
    fn arbitrary_markup_does_no_harm(pieces in vec(prop::sample::select(vec![
        "<instance>", "</instance>", "<app>", "</app>", "<metadata", ">", "/>", "<", "&", "&#", ";", "x", "\"",
        "'", "=", "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>", "<!DOCTYPE", "{", "}", "[", "]", ":", ",",
        "\"instance\"", "\"app\"", "\\", "\\u", "d800", "1", "e", "-", "null", "\u{feff}", "port enabled=",
    ]), 0..40)) {
        read_every_way(pieces.concat().as_bytes());
    }

    #[test]
    fn mutated_documents_do_no_harm(
        json in mutated(samples::REGISTER_ALL_FIELDS),
        xml in mutated(samples::INSTANCE_ALL_FIELDS_XML),
        batch in mutated(samples::BATCH_SENT),
    ) {
        read_every_way(&json);
        read_every_way(&xml);
        read_every_way(&batch);
    }
}
