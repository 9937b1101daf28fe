//! `dataCenterInfo` as clients write it, well or badly.

use proptest::prelude::*;
use proptest::sample::select;

use super::target::Target;
use super::text::{Scalar, element_name, quoted, text, texts};

const DEFAULT_CLASS: &str = "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo";
const MY_CLASS: &str = "com.netflix.appinfo.MyDataCenterInfo";
const AMAZON_CLASS: &str = "com.netflix.appinfo.AmazonInfo";

#[derive(Debug, Clone)]
pub struct DataCenter {
    form: Form,
    /// Amazon's metadata.
    pairs: Vec<(&'static str, Scalar)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    MyOwn,
    /// As fargo writes it.
    MyOwnOfItsClass,
    Netflix,
    Amazon,
    /// The class says what it is, and the name nothing.
    AmazonMisnamed,
    AmazonWithoutMetadata,
    MetadataBeforeName,
    Nameless,
    Classless,
    OfUnknownClass,
    OfUnknownName,
    WithMetadata,
    Null,
}

impl DataCenter {
    pub fn sound() -> Self {
        Self { form: Form::MyOwn, pairs: Vec::new() }
    }

    /// Whether a Eureka server refuses it in JSON, at least where other members follow.
    pub fn needs_lenience(&self) -> bool {
        self.form == Form::MetadataBeforeName
    }

    /// Whether a Eureka server that reads it as JSON loses the member after it.
    pub fn derails(&self, target: Target) -> bool {
        self.form(target) == Form::AmazonWithoutMetadata
    }

    /// Whether it is one in JSON.
    pub fn is_readable(&self) -> bool {
        !matches!(
            self.form,
            Form::AmazonWithoutMetadata
                | Form::Classless
                | Form::OfUnknownClass
                | Form::OfUnknownName
                | Form::WithMetadata
        )
    }

    pub fn json(&self, target: Target) -> String {
        let (class, name, with_metadata) = match self.form(target) {
            Form::MyOwn => (Some(DEFAULT_CLASS), Some("MyOwn"), false),
            Form::MyOwnOfItsClass => (Some(MY_CLASS), Some("MyOwn"), false),
            Form::Netflix => (Some(DEFAULT_CLASS), Some("Netflix"), false),
            Form::Amazon | Form::MetadataBeforeName => (Some(AMAZON_CLASS), Some("Amazon"), true),
            Form::AmazonMisnamed => (Some(AMAZON_CLASS), Some("Other"), true),
            Form::AmazonWithoutMetadata => (Some(AMAZON_CLASS), Some("Amazon"), false),
            Form::Nameless => (Some(DEFAULT_CLASS), None, false),
            Form::Classless => (None, Some("MyOwn"), false),
            Form::OfUnknownClass => (Some("com.example.Cloud"), Some("MyOwn"), false),
            Form::OfUnknownName => (Some(DEFAULT_CLASS), Some("myown"), false),
            Form::WithMetadata => (Some(DEFAULT_CLASS), Some("MyOwn"), true),
            Form::Null => return "null".to_owned(),
        };
        let mut members = Vec::new();
        members.extend(class.map(|class| format!("\"@class\":{}", quoted(class))));
        members.extend(name.map(|name| format!("\"name\":{}", quoted(name))));
        if with_metadata {
            let pairs = self.pairs(target).into_iter();
            let pairs: Vec<String> =
                pairs.map(|(key, value)| format!("{}:{}", quoted(key), value.json())).collect();
            members.push(format!("\"metadata\":{{{}}}", pairs.join(",")));
        }
        if self.form(target) == Form::MetadataBeforeName {
            members.reverse();
        }
        format!("{{{}}}", members.join(","))
    }

    pub fn xml(&self, target: Target) -> String {
        let (class, name, with_metadata) = match self.form(target) {
            Form::MyOwn => (DEFAULT_CLASS, Some("MyOwn"), false),
            Form::MyOwnOfItsClass => (MY_CLASS, Some("MyOwn"), false),
            Form::Netflix => (DEFAULT_CLASS, Some("Netflix"), false),
            Form::Amazon | Form::MetadataBeforeName => (AMAZON_CLASS, Some("Amazon"), true),
            Form::AmazonMisnamed => (DEFAULT_CLASS, Some("AMAZON"), true),
            Form::AmazonWithoutMetadata => (AMAZON_CLASS, Some("Amazon"), false),
            Form::Nameless => (DEFAULT_CLASS, None, false),
            Form::Classless => ("", Some("MyOwn"), false),
            Form::OfUnknownClass => ("com.example.Cloud", Some("MyOwn"), false),
            Form::OfUnknownName => (DEFAULT_CLASS, Some("myown"), false),
            Form::WithMetadata => (DEFAULT_CLASS, Some("MyOwn"), true),
            Form::Null => return String::new(),
        };
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let mut children = Vec::new();
        children.extend(name.map(|name| format!("<name>{name}</name>")));
        if with_metadata {
            let pairs = self.pairs(target).into_iter();
            let pairs = pairs.filter_map(|(key, value)| Some((element_name(key), value.xml()?)));
            let pairs: String = pairs.map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
            children.push(format!("<metadata>{pairs}</metadata>"));
        }
        if self.form(target) == Form::MetadataBeforeName {
            children.reverse();
        }
        format!("<dataCenterInfo{class}>{}</dataCenterInfo>", children.concat())
    }

    /// Amazon's where the target's id comes from there.
    fn form(&self, target: Target) -> Form {
        if target.amazon_id().is_some() { Form::Amazon } else { self.form }
    }

    fn pairs(&self, target: Target) -> Vec<(&'static str, Scalar)> {
        let mut pairs = self.pairs.clone();
        if let Some(id) = target.amazon_id() {
            pairs.retain(|(key, _)| *key != "instance-id");
            pairs.push(("instance-id", text(&id)));
        }
        pairs
    }
}

pub fn data_centers() -> impl Strategy<Value = DataCenter> {
    let form = prop_oneof![
        16 => Just(Form::MyOwn),
        2 => select(vec![Form::MyOwnOfItsClass, Form::Netflix]),
        4 => select(vec![Form::Amazon, Form::Amazon, Form::AmazonMisnamed, Form::MetadataBeforeName]),
        1 => Just(Form::AmazonWithoutMetadata),
        5 => select(vec![
            Form::Nameless,
            Form::Classless,
            Form::OfUnknownClass,
            Form::OfUnknownName,
            Form::WithMetadata,
            Form::Null,
        ]),
    ];
    let keys =
        select(vec!["ami-id", "availability-zone", "public-hostname", "local-ipv4", "vpc-id", "x_y z"]);
    let pair = (keys, texts());
    (form, proptest::collection::btree_map(pair.0, pair.1, 0..4))
        .prop_map(|(form, pairs)| DataCenter { form, pairs: pairs.into_iter().collect() })
}
