//! `dataCenterInfo` in JSON, where a Java class name decides what else may be there.

use std::borrow::Cow;

use crate::registry::{DataCenter, Metadata};

use super::decode::DecodeError;
use super::document::SaidDataCenter;
use super::json_decode::metadata;
use super::json_value::Value;

pub(super) const AMAZON_CLASS: &str = "com.netflix.appinfo.AmazonInfo";
pub(super) const DEFAULT_CLASS: &str = "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo";
/// What fargo sends, and older Java clients.
const MY_CLASS: &str = "com.netflix.appinfo.MyDataCenterInfo";

const MEMBER: &str = "dataCenterInfo";

/// The members of a data center, in whatever order they came.
#[derive(Default)]
struct Members<'a> {
    class: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    metadata: Option<Value<'a>>,
    others: bool,
}

/// Reads a data center.
pub(super) fn decode(value: Value<'_>) -> Result<SaidDataCenter, DecodeError> {
    let members = members(value)?;
    match members.class.as_deref() {
        Some(AMAZON_CLASS) => amazon(members.metadata),
        Some(DEFAULT_CLASS | MY_CLASS) => by_name(members),
        Some(_) => Err(DecodeError::DataCenter("has an unknown @class")),
        None => Err(DecodeError::DataCenter("has no @class; name the Java class of the data center")),
    }
}

fn members(value: Value<'_>) -> Result<Members<'_>, DecodeError> {
    let mut members = Members::default();
    value.each_member(MEMBER, |name, value| {
        match &*name {
            "@class" => members.class = value.text("@class")?,
            "name" => members.name = value.text("name")?,
            "metadata" => members.metadata = (!value.is_null()).then_some(value),
            _ => members.others |= !value.is_null(),
        }
        Ok(())
    })?;
    Ok(members)
}

/// `AmazonInfo` is Amazon whatever its name says.
fn amazon(pairs: Option<Value<'_>>) -> Result<SaidDataCenter, DecodeError> {
    let pairs = pairs.ok_or(DecodeError::DataCenter("of class AmazonInfo has no metadata"))?;
    Ok(SaidDataCenter::Named(DataCenter::Amazon(metadata(pairs)?)))
}

fn by_name(members: Members<'_>) -> Result<SaidDataCenter, DecodeError> {
    // The name wins over the class: a Eureka server that believes the class here can no longer
    // write its registry.
    if members.name.as_deref() == Some("Amazon") {
        let pairs = members.metadata.map_or_else(|| Ok(Metadata::default()), metadata)?;
        return Ok(SaidDataCenter::Named(DataCenter::Amazon(pairs)));
    }
    if members.others || members.metadata.is_some() {
        return Err(DecodeError::DataCenter("may have nothing but @class and name unless it is Amazon's"));
    }
    match members.name.as_deref() {
        None => Ok(SaidDataCenter::Unnamed),
        Some("MyOwn") => Ok(SaidDataCenter::Named(DataCenter::MyOwn)),
        Some("Netflix") => Ok(SaidDataCenter::Named(DataCenter::Netflix)),
        Some(_) => Err(DecodeError::DataCenter("has a name other than MyOwn, Amazon and Netflix")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::json_value::root;
    use super::*;

    fn read(json: &str) -> Result<SaidDataCenter, DecodeError> {
        decode(root(json).unwrap())
    }

    fn plain(name: &str) -> String {
        format!(r#"{{"@class":"{DEFAULT_CLASS}","name":{name}}}"#)
    }

    #[test]
    fn classes_and_names_that_eureka_knows() {
        let named = |data_center| Ok(SaidDataCenter::Named(data_center));
        assert_eq!(read(&plain("\"MyOwn\"")), named(DataCenter::MyOwn));
        assert_eq!(read(&plain("\"Netflix\"")), named(DataCenter::Netflix));
        assert_eq!(read(&format!(r#"{{"name":"MyOwn","@class":"{MY_CLASS}"}}"#)), named(DataCenter::MyOwn));
        assert_eq!(read(&plain("null")), Ok(SaidDataCenter::Unnamed));
        assert_eq!(read(&format!(r#"{{"@class":"{DEFAULT_CLASS}"}}"#)), Ok(SaidDataCenter::Unnamed));
    }

    #[test]
    fn what_eureka_refuses_is_refused() {
        for json in [
            r#"{}"#.to_owned(),
            r#"{"name":"MyOwn"}"#.to_owned(),
            r#"{"@class":"com.example.Nope","name":"MyOwn"}"#.to_owned(),
            r#""MyOwn""#.to_owned(),
            plain("\"Azure\""),
            plain("\"myown\""),
            plain("\"\""),
            format!(r#"{{"@class":"{DEFAULT_CLASS}","name":"MyOwn","metadata":{{"a":"b"}}}}"#),
            format!(r#"{{"@class":"{DEFAULT_CLASS}","x":"MyOwn"}}"#),
            format!(r#"{{"@class":"{AMAZON_CLASS}","name":"Amazon"}}"#),
        ] {
            assert!(read(&json).is_err(), "{json}");
        }
    }

    #[test]
    fn amazon_is_known_by_class_or_by_name() {
        let expected = |pairs: &[(&str, &str)]| {
            let pairs = Metadata::from_pairs(pairs.iter().copied());
            Ok(SaidDataCenter::Named(DataCenter::Amazon(pairs)))
        };
        let id = [("instance-id", "i-1")];
        for json in [
            format!(r#"{{"metadata":{{"instance-id":"i-1"}},"x":{{}},"@class":"{AMAZON_CLASS}"}}"#),
            format!(r#"{{"@class":"{AMAZON_CLASS}","name":"Other","metadata":{{"instance-id":"i-1"}}}}"#),
            format!(r#"{{"@class":"{DEFAULT_CLASS}","name":"Amazon","metadata":{{"instance-id":"i-1"}}}}"#),
        ] {
            assert_eq!(read(&json), expected(&id), "{json}");
        }
        assert_eq!(read(&plain("\"Amazon\"")), expected(&[]));
    }
}
