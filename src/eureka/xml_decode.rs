//! An instance in XML, as XStream reads it and as fargo writes it.

use quick_xml::events::BytesStart;

use crate::registry::{DataCenter, Metadata, Port, Status};

use super::decode::DecodeError;
use super::document::{Document, SaidDataCenter};
use super::json_decode::CLASS_KEY;
use super::xml_name;
use super::xml_pull::{Node, XmlPull, attribute};

/// Reads an instance that is the root element.
pub(super) fn decode(text: &str) -> Result<Document, DecodeError> {
    let mut pull = XmlPull::new(text)?;
    if pull.root()?.name().as_ref() != "instance" {
        return Err(DecodeError::Root { expected: "<instance>…</instance>" });
    }
    let mut document = Document::default();
    let mut app = None;
    each_child(&mut pull, |pull, child| {
        let name = child.name().into_inner();
        if let Some(slot) = document.text_slot(name) {
            *slot = Some(pull.text()?.into());
            return Ok(());
        }
        match name {
            "app" => app = Some(pull.text()?.into()),
            "status" => document.status = Some(status(pull)?),
            "overriddenstatus" | "overriddenStatus" => document.overridden_status = Some(status(pull)?),
            // Each word but one means what no word does.
            "port" => document.port = Some(port(pull, child, |word| word != "false")?),
            "securePort" => document.secure_port = Some(port(pull, child, |word| word == "true")?),
            "countryId" => document.country_id = Some(whole_number(pull, name)?),
            "dataCenterInfo" => document.data_center = data_center(pull)?,
            "leaseInfo" => lease(pull, &mut document)?,
            "metadata" => document.metadata = metadata(pull)?,
            "lastDirtyTimestamp" => document.last_dirty_ms = pull.text()?.parse().ok(),
            _ => pull.skip()?,
        }
        Ok(())
    })?;
    pull.finish()?;
    document.app = app.ok_or(DecodeError::MissingApp)?;
    Ok(document)
}

/// Calls `each` with the children of the element just opened; it must read each to its end.
fn each_child<'a>(
    pull: &mut XmlPull<'a>,
    mut each: impl FnMut(&mut XmlPull<'a>, &BytesStart<'a>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    loop {
        match pull.next()? {
            Node::Open(child) => each(pull, &child)?,
            Node::Text(_) => {}
            Node::Close => return Ok(()),
        }
    }
}

fn status(pull: &mut XmlPull<'_>) -> Result<Status, DecodeError> {
    let word = pull.text()?.to_uppercase();
    Ok(Status::from_exact(&word).unwrap_or(Status::Unknown))
}

fn port(
    pull: &mut XmlPull<'_>,
    start: &BytesStart<'_>,
    is_on: impl FnOnce(&str) -> bool,
) -> Result<Port, DecodeError> {
    let enabled = is_on(&attribute(start, "enabled")?.unwrap_or_default());
    Ok(Port { number: whole_number(pull, start.name().into_inner())?, enabled })
}

fn whole_number(pull: &mut XmlPull<'_>, member: &str) -> Result<i32, DecodeError> {
    pull.text()?.parse().map_err(|_| DecodeError::wrong_type(member, "a whole number of 32 bits"))
}

/// The name decides what a data center is, whatever class the element says; with neither a name nor
/// metadata there is none.
fn data_center(pull: &mut XmlPull<'_>) -> Result<Option<SaidDataCenter>, DecodeError> {
    let mut found = None;
    each_child(pull, |pull, child| {
        match (child.name().into_inner(), &mut found) {
            ("name", found) => *found = Some(named(&pull.text()?)?),
            ("metadata", None) => {
                return Err(DecodeError::DataCenter("has metadata before its name; put the name first"));
            }
            ("metadata", Some(DataCenter::Amazon(pairs))) => *pairs = metadata(pull)?,
            _ => pull.skip()?,
        }
        Ok(())
    })?;
    Ok(found.map(SaidDataCenter::Named))
}

fn named(name: &str) -> Result<DataCenter, DecodeError> {
    match name {
        "MyOwn" => Ok(DataCenter::MyOwn),
        "Netflix" => Ok(DataCenter::Netflix),
        _ if name.eq_ignore_ascii_case("Amazon") => Ok(DataCenter::Amazon(Metadata::default())),
        _ => Err(DecodeError::DataCenter("has a name other than MyOwn, Amazon and Netflix")),
    }
}

/// Reads the lease's times; those that are no number count as left out.
fn lease(pull: &mut XmlPull<'_>, document: &mut Document) -> Result<(), DecodeError> {
    document.renewal_interval_secs = None;
    document.duration_secs = None;
    each_child(pull, |pull, child| {
        let slot = match child.name().into_inner() {
            "renewalIntervalInSecs" => &mut document.renewal_interval_secs,
            "durationInSecs" => &mut document.duration_secs,
            _ => return pull.skip(),
        };
        *slot = pull.text()?.trim().parse().ok();
        Ok(())
    })
}

fn metadata(pull: &mut XmlPull<'_>) -> Result<Metadata, DecodeError> {
    let mut pairs = Vec::new();
    each_child(pull, |pull, child| {
        let key = xml_name::decode(child.name().into_inner()).into_owned();
        let value = pull.text()?;
        // As in JSON, where such a key would come back as the map's class.
        if key != CLASS_KEY {
            pairs.push((key, value));
        }
        Ok(())
    })?;
    Ok(Metadata::from_pairs(pairs))
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode_document;
    use super::super::format::RequestFormat;
    use super::super::samples;
    use super::*;

    fn read(xml: &str) -> Result<Document, DecodeError> {
        decode_document(RequestFormat::Xml, xml.as_bytes())
    }

    fn with(children: &str) -> Result<Document, DecodeError> {
        read(&format!("<instance><app>A</app>{children}</instance>"))
    }

    #[test]
    fn a_recorded_instance_is_read_whole() {
        let document = read(samples::INSTANCE_XML).unwrap();
        let accepted = document.into_registration("META").unwrap();
        let instance = accepted.instance;
        assert_eq!(accepted.key.to_string(), "META(meta-8)");
        assert_eq!(accepted.last_dirty_ms, Some(1_795_347_391_274));
        assert_eq!(instance.data_center, DataCenter::MyOwn);
        let expected = [("a b", "1"), ("$x", "6"), ("a/b", "3"), ("a_b", "5"), ("1abc", "2"), ("a<b", "4")];
        assert_eq!(instance.metadata, Metadata::from_pairs(expected));
        assert_eq!(instance.port, Port { number: 7001, enabled: true });
        assert_eq!(instance.secure_port, Port { number: 7002, enabled: false });
    }

    #[test]
    fn what_fargo_posts_is_a_good_registration() {
        let accepted = read(samples::FARGO_XML).unwrap().into_registration("billing").unwrap();
        let instance = accepted.instance;
        assert_eq!(accepted.key.id.as_str(), "i-1");
        assert_eq!((instance.status, instance.overridden_status), (Status::Up, Status::Unknown));
        assert_eq!((instance.renewal_interval_secs, instance.duration_secs), (30, 90));
        assert!(instance.metadata.is_empty());
        assert_eq!(instance.data_center, DataCenter::MyOwn);
        assert_eq!(instance.country_id, 1);
    }

    #[test]
    fn roots_are_one_instance() {
        let declared = "\u{feff}<?xml version=\"1.0\"?>\n<instance><app/></instance>\n";
        assert_eq!(&*read(declared).unwrap().app, "");
        assert!(read("<instance><app/></instance><instance/>").is_err());
        assert_eq!(read("<instance/>"), Err(DecodeError::MissingApp));
        for xml in ["<application/>", "<applications><instance/></applications>"] {
            assert!(matches!(read(xml), Err(DecodeError::Root { .. })), "{xml}");
        }
    }

    #[test]
    fn status_words_count_in_any_case() {
        for (word, expected) in
            [("UP", Status::Up), ("up", Status::Up), ("Foo", Status::Unknown), ("", Status::Unknown)]
        {
            for name in ["status", "overriddenstatus", "overriddenStatus"] {
                let document = with(&format!("<{name}>{word}</{name}>")).unwrap();
                let found = if name == "status" { document.status } else { document.overridden_status };
                assert_eq!(found, Some(expected), "{name} {word}");
            }
        }
    }

    #[test]
    fn numbers_must_be_whole_and_bare() {
        let number = |xml: &str| with(xml).map(|document| document.port);
        assert_eq!(number("<port>80</port>"), Ok(Some(Port { number: 80, enabled: true })));
        assert_eq!(number("<port enabled='false'>-1</port>"), Ok(Some(Port { number: -1, enabled: false })));
        let secure = with("<securePort enabled=\"true\">443</securePort><securePort>8443</securePort>");
        assert_eq!(secure.unwrap().secure_port, Some(Port { number: 8443, enabled: false }));
        for xml in [
            "<port/>",
            "<port> 80</port>",
            "<port>x</port>",
            "<port>99999999999</port>",
            "<countryId></countryId>",
            "<securePort>1.5</securePort>",
        ] {
            assert!(matches!(with(xml), Err(DecodeError::WrongType { .. })), "{xml}");
        }
        assert_eq!(with("<countryId>44</countryId>").unwrap().country_id, Some(44));
    }

    #[test]
    fn a_port_is_on_unless_it_is_off_and_a_secure_one_off_unless_it_is_on() {
        for (word, on, secure_on) in
            [("true", true, true), ("false", false, false), ("TRUE", true, false), ("", true, false)]
        {
            let ports =
                format!("<port enabled=\"{word}\">80</port><securePort enabled=\"{word}\">443</securePort>");
            let document = with(&ports).unwrap();
            assert_eq!(document.port, Some(Port { number: 80, enabled: on }), "{word}");
            assert_eq!(document.secure_port, Some(Port { number: 443, enabled: secure_on }), "{word}");
        }
    }

    #[test]
    fn data_centers_go_by_name() {
        let read = |xml: &str| with(&format!("<dataCenterInfo class=\"x\">{xml}</dataCenterInfo>"));
        let named = |data_center| Some(SaidDataCenter::Named(data_center));
        assert_eq!(read("<name>MyOwn</name>").unwrap().data_center, named(DataCenter::MyOwn));
        let ignored = read("<name>Netflix</name><metadata><a>b</a></metadata><x><y/></x>");
        assert_eq!(ignored.unwrap().data_center, named(DataCenter::Netflix));
        let amazon = read("<name>AMAZON</name><metadata><ami-id>1</ami-id></metadata>").unwrap();
        let pairs = Metadata::from_pairs([("ami-id", "1")]);
        assert_eq!(amazon.data_center, named(DataCenter::Amazon(pairs)));
        assert_eq!(read("").unwrap().data_center, None);
        for xml in ["<name>myown</name>", "<name/>", "<metadata/><name>Amazon</name>"] {
            assert!(matches!(read(xml), Err(DecodeError::DataCenter(_))), "{xml}");
        }
    }

    #[test]
    fn texts_stand_as_they_are_and_the_last_of_a_name_counts() {
        let document = with("<hostName>a</hostName><hostName> b\r\n&#xd;<x>no</x></hostName><x><y>z</y></x>");
        assert_eq!(document.unwrap().host_name.as_deref(), Some(" b\n\r"));
        assert_eq!(with("<vipAddress/>").unwrap().vip_address.as_deref(), Some(""));
        let lease = with("<leaseInfo><durationInSecs>x</durationInSecs><a/></leaseInfo><ipAddr>1</ipAddr>");
        let lease = lease.unwrap();
        assert_eq!((lease.duration_secs, lease.ip_addr.as_deref()), (None, Some("1")));
        let class = with("<metadata><_.0040class>x</_.0040class><k>1</k><k>2</k></metadata>").unwrap();
        assert_eq!(class.metadata, Metadata::from_pairs([("k", "2")]));
    }

    #[test]
    fn group_names_stand_as_they_are() {
        let document = with("<appGroupName>group-two</appGroupName>").unwrap();
        assert_eq!(document.app_group_name.as_deref(), Some("group-two"));
    }

    #[test]
    fn dirty_times_that_are_no_number_count_as_left_out() {
        let dirty = |text: &str| {
            with(&format!("<lastDirtyTimestamp>{text}</lastDirtyTimestamp>")).unwrap().last_dirty_ms
        };
        assert_eq!(dirty("1700000000007"), Some(1_700_000_000_007));
        assert_eq!(dirty("-5"), Some(-5));
        for text in ["soon", "", " 5", "1.5", "99999999999999999999"] {
            assert_eq!(dirty(text), None, "{text}");
        }
    }

    #[test]
    fn many_elements_and_attributes_are_all_read() {
        let mut body = String::from("<instance><app>A</app><metadata>");
        let mut count = 0;
        while body.len() < 1 << 20 {
            body.push_str(&format!("<k{count}/>"));
            count += 1;
        }
        body.push_str("</metadata></instance>");
        assert_eq!(read(&body).unwrap().metadata.len(), count);

        let attributes: String = (0..60_000).map(|n| format!(" a{n}='&lt;'")).collect();
        let port = format!("<port{attributes} enabled='false'>1</port>");
        assert_eq!(with(&port).unwrap().port, Some(Port { number: 1, enabled: false }));
    }
}
