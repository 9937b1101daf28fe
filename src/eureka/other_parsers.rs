//! XML as others read it: parsers that know namespaces, and names of XML's older editions only. Such a
//! parser gives up a whole page for one name, so nothing that a client says may become a bad one.

use proptest::prelude::*;
use roxmltree::{Document, Node};

use super::arbitrary::registration;
use super::round_trip::{as_xml, page};
use super::{Format, xml_name};
use crate::registry::{DataCenter, Metadata, Registration};

/// Names and texts, as they stand.
type Texts = Vec<(String, String)>;

/// Reads a page with a parser that is not ours.
fn parse(xml: &str) -> Document<'_> {
    Document::parse(xml).unwrap_or_else(|error| panic!("{error}: {xml}"))
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Node<'a, 'i> {
    let mut children = node.children().filter(|child| child.has_tag_name(name));
    children.next().unwrap_or_else(|| panic!("no {name} in {node:?}"))
}

/// The elements within this one that have only text in them.
fn texts(node: Node<'_, '_>) -> Texts {
    let leaves = node.children().filter(|child| child.is_element() && child.attributes().len() == 0);
    let leaves = leaves.filter(|child| !child.children().any(|inner| inner.is_element()));
    let text = |leaf: Node<'_, '_>| leaf.text().unwrap_or_default().to_owned();
    leaves.map(|leaf| (leaf.tag_name().name().to_owned(), text(leaf))).collect()
}

/// Pairs of metadata, with their names decoded as XStream does.
fn pairs(node: Node<'_, '_>) -> Texts {
    texts(node).into_iter().map(|(name, text)| (xml_name::decode(&name).into_owned(), text)).collect()
}

fn pairs_expected(metadata: &Metadata) -> Texts {
    metadata.iter().map(|(name, value)| (name.to_owned(), as_xml(value).into_string())).collect()
}

/// What stands in an `<instance>` by itself, in full.
fn texts_expected(registration: &Registration) -> Texts {
    let instance = &registration.instance.decode();
    let number = |number: i64| Some(number.to_string());
    let text = |text: &str| Some(as_xml(text).into_string());
    let optional = |optional: &Option<Box<str>>| optional.as_deref().and_then(text);
    let all = [
        ("instanceId", optional(&instance.instance_id)),
        ("hostName", text(&instance.host_name)),
        ("app", text(instance.app.as_str())),
        ("ipAddr", text(&instance.ip_addr)),
        ("sid", optional(&instance.sid)),
        ("status", text(registration.status.as_str())),
        ("overriddenstatus", text(registration.overridden_status().as_str())),
        ("countryId", number(instance.country_id.into())),
        ("appGroupName", optional(&instance.app_group_name)),
        ("homePageUrl", optional(&instance.home_page_url)),
        ("statusPageUrl", optional(&instance.status_page_url)),
        ("healthCheckUrl", optional(&instance.health_check_url)),
        ("secureHealthCheckUrl", optional(&instance.secure_health_check_url)),
        ("vipAddress", optional(&instance.vip_address)),
        ("secureVipAddress", optional(&instance.secure_vip_address)),
        ("isCoordinatingDiscoveryServer", text("false")),
        ("lastUpdatedTimestamp", number(registration.last_updated_ms)),
        ("lastDirtyTimestamp", number(registration.last_dirty_ms)),
        ("actionType", text(&format!("{:?}", registration.action).to_uppercase())),
        ("asgName", optional(&instance.asg_name)),
    ];
    all.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn another_parser_finds_the_same_instance(registration in registration()) {
        let xml = page(Format::Xml, &registration);
        let document = parse(&xml);
        let instances: Vec<_> = document.descendants().filter(|node| node.has_tag_name("instance")).collect();
        prop_assert_eq!(instances.len(), 2);
        for instance in instances {
            let metadata = child(instance, "metadata");
            prop_assert_eq!(pairs(metadata), pairs_expected(&registration.instance.decode().metadata));
            let own = texts(instance).into_iter().filter(|(name, _)| name != "metadata");
            prop_assert_eq!(own.collect::<Texts>(), texts_expected(&registration));
            let data_center = child(instance, "dataCenterInfo");
            if let DataCenter::Amazon(metadata) = &registration.instance.decode().data_center {
                prop_assert_eq!(pairs(child(data_center, "metadata")), pairs_expected(metadata));
            }
        }
    }

    #[test]
    fn another_parser_reads_compact_pages(registration in registration()) {
        let xml = page(Format::CompactXml, &registration);
        let instances = parse(&xml).descendants().filter(|node| node.has_tag_name("instance")).count();
        prop_assert_eq!(instances, 2);
    }
}

/// Letters that expat (Python), Go's encoding/xml and Java's parsers take at the start of a name; more are
/// in the fifth edition of XML only, which these do not know.
fn letters_of_every_edition() -> Vec<(u32, u32)> {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/xml/letters.txt"));
    let ranges = text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
    let code = |text: &str| u32::from_str_radix(text, 16).unwrap();
    ranges.map(|range| range.split_once('-').unwrap()).map(|(from, to)| (code(from), code(to))).collect()
}

#[test]
fn names_hold_only_what_every_edition_of_xml_takes() {
    let letters = letters_of_every_edition();
    let is_listed = |c: char| letters.iter().any(|(from, to)| (*from..=*to).contains(&u32::from(c)));
    let is_letter = |c: char| c.is_ascii_alphabetic() || (!c.is_ascii() && is_listed(c));
    let is_rest = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '_') || is_letter(c);
    for character in ('\0'..='\u{ffff}').chain(['\u{10000}', '😀', char::MAX]) {
        for key in [character.to_string(), format!("a{character}")] {
            let name = xml_name::encode(&key);
            let good = name.starts_with(|c| c == '_' || is_letter(c)) && name.chars().all(is_rest);
            assert!(good, "{key:?} becomes {name:?}");
        }
    }
}

#[test]
fn names_that_namespaces_reserve_are_names_like_others() {
    for key in ["xml", "xmlns", "XML-a", "xmlns:a", "xml:lang", "a:b", ":", "a:", ":a", "a:b:c"] {
        let name = xml_name::encode(key);
        let xml = format!("<m><{name}>v</{name}></m>");
        let document = parse(&xml);
        let found = document.root_element().first_element_child().unwrap().tag_name();
        assert_eq!((found.namespace(), xml_name::decode(found.name()).as_ref()), (None, key));
    }
}
