//! An instance's document: what its client says of it. Never changed in place; a new document
//! replaces the old.

use std::collections::HashMap;

use super::name::AppName;
use super::status::Status;

/// Eureka's defaults for what a document leaves out (`InstanceInfo`, `LeaseInfo` of eureka-client).
pub const DEFAULT_PORT: Port = Port { number: 7001, enabled: true };
pub const DEFAULT_SECURE_PORT: Port = Port { number: 7002, enabled: false };
pub const DEFAULT_COUNTRY_ID: i32 = 1;
pub const DEFAULT_RENEWAL_INTERVAL_SECS: u32 = 30;
pub const DEFAULT_DURATION_SECS: u32 = 90;

/// Largest document kept, in bytes of its text ([`Instance::stored_bytes`]).
pub const MAX_INSTANCE_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// As the client wrote it, `""` included. The id it is kept under may be another
    /// ([`super::Key::id`]): hostName or the Amazon instance-id stands in for an absent one.
    pub instance_id: Option<Box<str>>,
    pub host_name: Box<str>,
    pub app: AppName,
    pub ip_addr: Box<str>,
    /// Never `na` or `unknown`: those stand for an absent one.
    pub sid: Option<Box<str>>,
    pub status: Status,
    /// The override the document asks for; `Unknown` for none.
    pub overridden_status: Status,
    pub port: Port,
    pub secure_port: Port,
    pub country_id: i32,
    pub data_center: DataCenter,
    pub renewal_interval_secs: u32,
    pub duration_secs: u32,
    pub metadata: Metadata,
    pub app_group_name: Option<Box<str>>,
    pub home_page_url: Option<Box<str>>,
    pub status_page_url: Option<Box<str>>,
    pub health_check_url: Option<Box<str>>,
    pub secure_health_check_url: Option<Box<str>>,
    pub vip_address: Option<Box<str>>,
    pub secure_vip_address: Option<Box<str>>,
    pub asg_name: Option<Box<str>>,
}

impl Instance {
    /// What this document takes to store: its text, and a little for each name-value pair.
    pub fn stored_bytes(&self) -> usize {
        let texts = [
            &self.instance_id,
            &self.sid,
            &self.app_group_name,
            &self.home_page_url,
            &self.status_page_url,
            &self.health_check_url,
            &self.secure_health_check_url,
            &self.vip_address,
            &self.secure_vip_address,
            &self.asg_name,
        ];
        let optional: usize = texts.into_iter().flatten().map(|text| text.len()).sum();
        let amazon = match &self.data_center {
            DataCenter::Amazon(metadata) => metadata.stored_bytes(),
            DataCenter::MyOwn | DataCenter::Netflix => 0,
        };
        let required = self.host_name.len() + self.app.as_str().len() + self.ip_addr.len();
        required + optional + amazon + self.metadata.stored_bytes()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    pub number: i32,
    pub enabled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataCenter {
    MyOwn,
    Netflix,
    Amazon(Metadata),
}

/// Among so few pairs a name is found sooner by looking at each.
const SEARCHED_PAIRS: usize = 16;

/// Name-value pairs in the order their client wrote them; each name once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata(Vec<(Box<str>, Box<str>)>);

impl Metadata {
    /// Collects pairs; of a name that occurs twice the last value counts, at the first's place.
    pub fn from_pairs<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<Box<str>>,
        V: Into<Box<str>>,
    {
        let mut kept: Vec<(Box<str>, Box<str>)> = Vec::new();
        let mut places: HashMap<Box<str>, usize> = HashMap::new();
        for (name, value) in pairs {
            let (name, value) = (name.into(), value.into());
            let place = match kept.len() {
                ..=SEARCHED_PAIRS => kept.iter().position(|(kept, _)| *kept == name),
                _ => places.get(&name).copied(),
            };
            if let Some(place) = place {
                kept[place].1 = value;
                continue;
            }
            kept.push((name, value));
            if kept.len() > SEARCHED_PAIRS {
                let missing = kept.iter().enumerate().skip(places.len());
                places.extend(missing.map(|(place, (name, _))| (name.clone(), place)));
            }
        }
        kept.shrink_to_fit();
        Self(kept)
    }

    /// These pairs with others merged in; where both have a name, the other's value counts.
    pub fn merged(&self, other: &Metadata) -> Self {
        Self::from_pairs(self.iter().chain(other.iter()))
    }

    fn stored_bytes(&self) -> usize {
        const PER_PAIR: usize = 8;
        self.0.iter().map(|(name, value)| name.len() + value.len() + PER_PAIR).sum()
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(existing, _)| *existing == name).map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// The parts of a VIP address: split on commas, neither trimmed nor folded, as Eureka does.
pub fn vip_names(address: &str) -> impl Iterator<Item = &str> {
    address.split(',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_name_that_occurs_twice_the_last_value_counts_at_the_firsts_place_however_many_there_are() {
        for names in 1..SEARCHED_PAIRS * 3 {
            let pairs =
                |round: usize| (0..names).map(move |name| (format!("n{name}"), format!("{round}.{name}")));
            let metadata = Metadata::from_pairs(pairs(1).chain(pairs(2)));
            let kept: Vec<(String, String)> =
                metadata.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert_eq!(kept, pairs(2).collect::<Vec<_>>());
            let merged = metadata.merged(&Metadata::from_pairs(pairs(3)));
            assert_eq!(merged, Metadata::from_pairs(pairs(3)), "merged");
        }
    }
}
