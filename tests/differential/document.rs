//! Instances as clients write them, well or badly, in JSON and in XML.

use proptest::prelude::*;

use super::data_center::{DataCenter, data_centers};
use super::member::{Member, members};
use super::target::{Spelling, Target, spellings};
use super::text::quoted;

/// An instance to register, but for its names, which its target has.
#[derive(Debug, Clone)]
pub struct Document {
    spoilt: Option<Spoilt>,
    app: Spelling,
    data_center: DataCenter,
    members: Vec<Member>,
    /// How many members come before the names.
    before: usize,
}

/// What is wrong with one of the members that each document needs.
#[derive(Debug, Clone)]
enum Spoilt {
    Without(&'static str),
    Empty(&'static str),
    Null(&'static str),
    OtherApp,
}

/// A document's members by name, each in its own syntax.
type Rendered = Vec<(String, String)>;

impl Document {
    /// The instance as an object, without anything around it.
    pub fn json(&self, target: Target) -> String {
        let names = self.names(target).into_iter().map(|(name, value)| {
            let value = value.map_or_else(|| "null".to_owned(), |value| quoted(&value));
            (name.to_owned(), value)
        });
        let mut rendered: Rendered = names.collect();
        rendered.push(("dataCenterInfo".to_owned(), self.data_center.json(target)));
        let more = self.kept(target).map(|member| (member.name().to_owned(), member.json(target)));
        let mut more: Rendered = more.collect();
        if target.id_in_metadata().is_some() {
            more.push(("metadata".to_owned(), Member::Metadata(None).json(target)));
        }
        let members: Vec<String> = self
            .ordered(rendered, more)
            .into_iter()
            .map(|(name, value)| format!("{}:{value}", quoted(&name)))
            .collect();
        format!("{{{}}}", members.join(","))
    }

    /// The instance as the root of a document.
    pub fn xml(&self, target: Target) -> String {
        let mut rendered = Rendered::new();
        for (name, value) in self.names(target) {
            if let Some(value) = value {
                rendered.push((
                    name.to_owned(),
                    format!("<{name}>{}</{name}>", quick_xml::escape::escape(value)),
                ));
            }
        }
        rendered.push(("dataCenterInfo".to_owned(), self.data_center.xml(target)));
        let more = self.kept(target).map(|member| (member.name().to_owned(), member.xml()));
        let elements: String =
            self.ordered(rendered, more.collect()).into_iter().map(|(_, element)| element).collect();
        format!("<instance>{elements}</instance>")
    }

    /// Whether no server other than a lenient one takes it for what it is.
    pub fn needs_lenience(&self) -> bool {
        self.data_center.needs_lenience() || self.members.iter().any(Member::needs_lenience)
    }

    /// Whether it is registered under its target's id.
    pub fn names_its_target(&self, target: Target, in_xml: bool) -> bool {
        let spoilt = match self.spoilt {
            Some(Spoilt::Without(name) | Spoilt::Empty(name) | Spoilt::Null(name)) => name == "instanceId",
            _ => false,
        };
        let unheard = in_xml && target.id_in_metadata().is_some();
        !spoilt && !unheard
    }

    /// Whether it is an instance, if not a good one, to a server that reads it as JSON.
    pub fn is_readable(&self) -> bool {
        self.data_center.is_readable()
            && !matches!(self.spoilt, Some(Spoilt::Without("app") | Spoilt::Null("app")))
    }

    /// Whether a Eureka server that reads it as JSON loses one of its members.
    pub fn derails(&self, target: Target) -> bool {
        self.data_center.derails(target)
    }

    /// With nothing wrong in it but what needs lenience.
    pub fn sound(mut self) -> Self {
        self.spoilt = None;
        if !self.data_center.needs_lenience() {
            self.data_center = DataCenter::sound();
        }
        self
    }

    /// Without what needs lenience.
    pub fn strict(mut self) -> Self {
        self.members.retain(|member| !member.needs_lenience());
        if self.data_center.needs_lenience() {
            self.data_center = DataCenter::sound();
        }
        self
    }

    fn names(&self, target: Target) -> Vec<(&'static str, Option<String>)> {
        let app = match self.spoilt {
            Some(Spoilt::OtherApp) => "OTHER".to_owned(),
            _ => self.app.of(target.app()),
        };
        let mut names = vec![
            ("hostName", Some(target.host_name())),
            ("app", Some(app)),
            ("ipAddr", Some("10.2.2.2".to_owned())),
        ];
        names.extend(target.instance_id().map(|id| ("instanceId", Some(id))));
        match self.spoilt {
            Some(Spoilt::Without(spoilt)) => names.retain(|(name, _)| *name != spoilt),
            Some(Spoilt::Empty(spoilt)) => {
                names
                    .iter_mut()
                    .filter(|(name, _)| *name == spoilt)
                    .for_each(|(_, v)| *v = Some(String::new()));
            }
            Some(Spoilt::Null(spoilt)) => {
                names.iter_mut().filter(|(name, _)| *name == spoilt).for_each(|(_, v)| *v = None);
            }
            Some(Spoilt::OtherApp) | None => {}
        }
        names
    }

    /// The members without overrides where the target may have none.
    fn kept(&self, target: Target) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |member| target.may_be_overridden() || !member.overrides())
    }

    /// Each name once, some of the members before the names and some after.
    fn ordered(&self, names: Rendered, mut more: Rendered) -> Rendered {
        let after = more.split_off(self.before.min(more.len()));
        let mut ordered = Rendered::new();
        for (name, value) in more.into_iter().chain(names).chain(after) {
            if !ordered.iter().any(|(known, _)| *known == name) {
                ordered.push((name, value));
            }
        }
        ordered
    }
}

pub fn documents() -> impl Strategy<Value = Document> {
    let needed = || proptest::sample::select(vec!["hostName", "app", "ipAddr", "instanceId"]);
    let spoilt = prop_oneof![
        needed().prop_map(Spoilt::Without),
        needed().prop_map(Spoilt::Empty),
        needed().prop_map(Spoilt::Null),
        Just(Spoilt::OtherApp),
    ];
    let spoilt = proptest::option::weighted(0.06, spoilt);
    (spoilt, spellings(), data_centers(), members(), 0..8usize).prop_map(
        |(spoilt, app, data_center, members, before)| {
            let document = Document { spoilt, app, data_center, members, before };
            // What is wrong besides would be told in place of what needs lenience.
            if document.needs_lenience() { document.sound() } else { document }
        },
    )
}
