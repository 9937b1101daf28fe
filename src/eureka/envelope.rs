//! Answers put together: instances within applications within the envelope.

use crate::registry::{AppName, Registration};

use super::format::Format;
use super::json_encode::{compact_instance, instance, scalar};
use super::xml_encode;
use super::xml_write::XmlWriter;

/// Levels at which indented elements stand within `<applications>`.
const APPLICATION_LEVEL: usize = 1;
const INSTANCE_LEVEL: usize = APPLICATION_LEVEL + 1;

/// Appends one instance as it stands within an application.
pub fn instance_fragment(format: Format, registration: &Registration, out: &mut Vec<u8>) {
    match format {
        Format::Json => instance(registration, out),
        Format::CompactJson => compact_instance(registration, out),
        Format::Xml => xml_encode::instance(registration, &mut XmlWriter::indented(out, INSTANCE_LEVEL)),
        Format::CompactXml => {
            xml_encode::compact_instance(registration, &mut XmlWriter::on_one_line(out));
        }
    }
}

/// Appends one application as it stands between [`applications_header`] and
/// [`applications_trailer`].
pub fn application_fragment<'r>(
    format: Format,
    name: &AppName,
    instances: impl Iterator<Item = &'r Registration>,
    out: &mut Vec<u8>,
) {
    match format {
        Format::Json | Format::CompactJson => json_application(format, name, instances, out),
        Format::Xml | Format::CompactXml => {
            xml_application(format, name, instances, &mut xml_writer(format, APPLICATION_LEVEL, out));
        }
    }
}

/// What stands before the first application. `version` is `versions__delta`, `hash`
/// `apps__hashcode`; the compact forms have them in the trailer.
pub fn applications_header(format: Format, version: &str, hash: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    match format {
        Format::Json => {
            out.extend_from_slice(b"{\"applications\":{");
            json_version_and_hash(version, hash, &mut out);
            out.extend_from_slice(b",\"application\":[");
        }
        Format::CompactJson => out.extend_from_slice(b"{\"applications\":{\"application\":["),
        Format::Xml => {
            let mut xml = XmlWriter::indented(&mut out, 0);
            xml.open("applications", "");
            xml_version_and_hash(version, hash, &mut xml);
        }
        Format::CompactXml => out.extend_from_slice(b"<applications>"),
    }
    out
}

/// What stands between two applications.
pub const fn applications_separator(format: Format) -> &'static [u8] {
    match format {
        Format::Json | Format::CompactJson => b",",
        Format::Xml | Format::CompactXml => b"",
    }
}

/// What stands after the last application; see [`applications_header`].
pub fn applications_trailer(format: Format, version: &str, hash: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    match format {
        Format::Json => out.extend_from_slice(b"]}}"),
        Format::CompactJson => {
            out.extend_from_slice(b"],");
            json_version_and_hash(version, hash, &mut out);
            out.extend_from_slice(b"}}");
        }
        Format::Xml => out.extend_from_slice(b"</applications>"),
        Format::CompactXml => {
            xml_version_and_hash(version, hash, &mut XmlWriter::on_one_line(&mut out));
            out.extend_from_slice(b"</applications>");
        }
    }
    out
}

/// A whole document of one application.
pub fn application_document<'r>(
    format: Format,
    name: &AppName,
    instances: impl Iterator<Item = &'r Registration>,
) -> Vec<u8> {
    let mut out = Vec::new();
    match format {
        Format::Json | Format::CompactJson => {
            out.extend_from_slice(b"{\"application\":");
            json_application(format, name, instances, &mut out);
            out.push(b'}');
        }
        Format::Xml | Format::CompactXml => {
            xml_application(format, name, instances, &mut xml_writer(format, 0, &mut out));
            drop_line_end(&mut out);
        }
    }
    out
}

/// A whole document of one instance; the compact forms have none of their own.
pub fn instance_document(format: Format, registration: &Registration) -> Vec<u8> {
    let mut out = Vec::with_capacity(2048);
    match format {
        Format::Json | Format::CompactJson => {
            out.extend_from_slice(b"{\"instance\":");
            instance(registration, &mut out);
            out.push(b'}');
        }
        Format::Xml | Format::CompactXml => {
            xml_encode::instance(registration, &mut XmlWriter::indented(&mut out, 0));
            drop_line_end(&mut out);
        }
    }
    out
}

fn json_application<'r>(
    format: Format,
    name: &AppName,
    instances: impl Iterator<Item = &'r Registration>,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"{\"name\":");
    scalar(name.as_str(), out);
    out.extend_from_slice(b",\"instance\":[");
    for (at, registration) in instances.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        instance_fragment(format, registration, out);
    }
    out.extend_from_slice(b"]}");
}

fn xml_application<'r>(
    format: Format,
    name: &AppName,
    instances: impl Iterator<Item = &'r Registration>,
    xml: &mut XmlWriter<'_>,
) {
    xml.open("application", "");
    xml.text("name", name.as_str());
    for registration in instances {
        if format == Format::CompactXml {
            xml_encode::compact_instance(registration, xml);
        } else {
            xml_encode::instance(registration, xml);
        }
    }
    xml.close("application");
}

fn xml_writer(format: Format, level: usize, out: &mut Vec<u8>) -> XmlWriter<'_> {
    if format == Format::CompactXml { XmlWriter::on_one_line(out) } else { XmlWriter::indented(out, level) }
}

fn json_version_and_hash(version: &str, hash: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"versions__delta\":");
    scalar(version, out);
    out.extend_from_slice(b",\"apps__hashcode\":");
    scalar(hash, out);
}

fn xml_version_and_hash(version: &str, hash: &str, xml: &mut XmlWriter<'_>) {
    xml.text("versions__delta", version);
    xml.text("apps__hashcode", hash);
}

/// Whole documents end without a line end, as Eureka's do.
fn drop_line_end(out: &mut Vec<u8>) {
    if out.last() == Some(&b'\n') {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, registered};
    use super::*;
    use crate::registry::Action;

    fn page(format: Format, version: &str, hash: &str, applications: &[&[&Registration]]) -> String {
        let mut out = applications_header(format, version, hash);
        for (at, instances) in applications.iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(applications_separator(format));
            }
            let name = &instances[0].instance.decode().app;
            application_fragment(format, name, instances.iter().copied(), &mut out);
        }
        out.extend(applications_trailer(format, version, hash));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn empty_pages_are_the_recorded_ones() {
        assert_eq!(
            page(Format::Json, "1", "", &[]),
            r#"{"applications":{"versions__delta":"1","apps__hashcode":"","application":[]}}"#
        );
        assert_eq!(
            page(Format::Xml, "-1", "", &[]),
            "<applications>\n  <versions__delta>-1</versions__delta>\n  <apps__hashcode></apps__hashcode>\n</applications>"
        );
        assert_eq!(
            page(Format::CompactJson, "1", "", &[]),
            r#"{"applications":{"application":[],"versions__delta":"1","apps__hashcode":""}}"#
        );
        assert_eq!(
            page(Format::CompactXml, "1", "", &[]),
            "<applications><versions__delta>1</versions__delta><apps__hashcode></apps__hashcode></applications>"
        );
    }

    #[test]
    fn pages_of_one_instance_are_the_recorded_ones() {
        let demo = samples::demo();
        let write = |format| page(format, "1", "UP_1_", &[&[&demo]]);
        assert_eq!(write(Format::Json), samples::APPS_JSON.trim_end());
        assert_eq!(write(Format::Xml), samples::APPS_XML.trim_end());
        assert_eq!(write(Format::CompactJson), samples::APPS_COMPACT_JSON.trim_end());
        assert_eq!(write(Format::CompactXml), samples::APPS_COMPACT_XML.trim_end());
    }

    #[test]
    fn several_applications_and_instances_are_separated() {
        let (one, two) = (samples::demo(), registered(samples::REGISTER_ALL_FIELDS));
        let json = page(Format::Json, "7", "UP_3_", &[&[&one, &one], &[&two]]);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let applications = value["applications"]["application"].as_array().unwrap();
        assert_eq!(applications.len(), 2);
        assert_eq!(applications[0]["instance"].as_array().unwrap().len(), 2);
        assert_eq!(applications[1]["name"], "ALLF");
        for format in [Format::Xml, Format::CompactXml] {
            let xml = page(format, "7", "UP_3_", &[&[&one, &one], &[&two]]);
            assert_eq!(xml.matches("<instance>").count(), 3);
            assert_eq!(xml.matches("</application>").count(), 2);
        }
    }

    #[test]
    fn documents_are_whole_and_instances_never_compact() {
        let demo = samples::demo();
        let application = |format| {
            let instances = [&demo].into_iter();
            String::from_utf8(application_document(format, &demo.instance.decode().app, instances)).unwrap()
        };
        let page = samples::APPS_JSON;
        let inner = &page[page.find(r#"{"name""#).unwrap()..page.rfind("]}}").unwrap()];
        assert_eq!(application(Format::Json), format!(r#"{{"application":{inner}}}"#));
        let xml = application(Format::Xml);
        assert!(xml.starts_with("<application>\n  <name>DEMO</name>\n  <instance>\n    <instanceId>"));
        assert!(xml.ends_with("    <actionType>ADDED</actionType>\n  </instance>\n</application>"));
        assert!(application(Format::CompactXml).starts_with("<application><name>DEMO</name><instance>"));
        assert!(
            application(Format::CompactJson).starts_with(r#"{"application":{"name":"DEMO","instance":[{"#)
        );

        for (compact, full) in [(Format::CompactJson, Format::Json), (Format::CompactXml, Format::Xml)] {
            assert_eq!(instance_document(compact, &demo), instance_document(full, &demo));
        }
    }

    #[test]
    fn every_field_stands_where_eureka_has_it() {
        let registration = samples::answered(samples::INSTANCE_ALL_FIELDS_JSON);
        let json = String::from_utf8(instance_document(Format::Json, &registration)).unwrap();
        assert_eq!(json, samples::INSTANCE_ALL_FIELDS_JSON.trim_end());
        let xml = String::from_utf8(instance_document(Format::Xml, &registration)).unwrap();
        assert_eq!(xml, samples::INSTANCE_ALL_FIELDS_XML.trim_end());
    }

    #[test]
    fn ids_and_sids_show_only_if_they_are_set() {
        let mut registration = samples::demo();
        let json = |registration: &Registration| {
            String::from_utf8(instance_document(Format::Json, registration)).unwrap()
        };
        let change = |registration: &mut Registration, id: Option<&str>, sid: Option<&str>| {
            let mut instance = registration.instance.decode();
            instance.instance_id = id.map(Box::from);
            instance.sid = sid.map(Box::from);
            registration.instance = instance.into();
        };
        change(&mut registration, None, None);
        assert!(json(&registration).starts_with(r#"{"instance":{"hostName":"host1.local","app""#));
        change(&mut registration, Some(""), Some("s-1"));
        assert!(json(&registration).starts_with(r#"{"instance":{"instanceId":"","hostName""#));
        assert!(json(&registration).contains(r#""ipAddr":"10.1.1.1","sid":"s-1","status""#));
    }

    #[test]
    fn amazon_shows_its_metadata_and_compact_five_of_them() {
        let registration = registered(samples::REGISTER_AMAZON);
        let write = |format| {
            let mut out = Vec::new();
            instance_fragment(format, &registration, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert!(write(Format::Json).contains(concat!(
            r#""dataCenterInfo":{"@class":"com.netflix.appinfo.AmazonInfo","name":"Amazon","#,
            r#""metadata":{"ami-id":"ami-0abcdef1","instance-id":"i-0123456789abcdef0","availability-zone":"us-east-1a"}}"#
        )));
        assert!(write(Format::CompactJson).contains(
            r#""metadata":{"instance-id":"i-0123456789abcdef0","availability-zone":"us-east-1a"}}"#
        ));
        assert!(write(Format::CompactXml).contains(concat!(
            r#"<dataCenterInfo class="com.netflix.appinfo.AmazonInfo"><name>Amazon</name><metadata>"#,
            r#"<instance-id>i-0123456789abcdef0</instance-id><availability-zone>us-east-1a</availability-zone>"#,
            r#"</metadata></dataCenterInfo>"#
        )));
        assert!(write(Format::Xml).contains("        <metadata>\n          <ami-id>ami-0abcdef1</ami-id>\n"));
    }

    #[test]
    fn deleted_instances_keep_their_status_and_say_when() {
        let mut registration = samples::demo();
        registration.action = Action::Deleted;
        registration.lease.evicted_ms = 1_795_347_385_108;
        let json = String::from_utf8(instance_document(Format::Json, &registration)).unwrap();
        assert!(json.contains(r#""status":"UP""#) && json.contains(r#""actionType":"DELETED""#));
        assert!(json.contains(r#""evictionTimestamp":1795347385108,"#));
    }
}
