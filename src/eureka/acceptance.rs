//! From what a client said to what is registered: the checks of a Eureka server, in its order and
//! with its texts, and its defaults.

use crate::registry::{
    AppName, DEFAULT_COUNTRY_ID, DEFAULT_DURATION_SECS, DEFAULT_PORT, DEFAULT_RENEWAL_INTERVAL_SECS,
    DEFAULT_SECURE_PORT, DataCenter, Instance, InstanceId, Key, Metadata, NameError, Status, vip_names,
};

use super::dirty_time::{DirtyTimeOutOfRange, check_dirty_time};
use super::document::{Document, SaidDataCenter};
use super::xml_name::{MetadataNameTooLong, check_metadata_names};

/// Longest lease duration kept, in seconds (24.8 days): the most whose milliseconds a Eureka server,
/// which counts them in 32 bits, can be told. Longer ones become this.
pub const MAX_DURATION_SECS: u32 = (i32::MAX / 1000) as u32;

/// Longest renewal interval kept, in seconds: the most that Eureka's documents hold. Nothing here
/// depends on it.
pub const MAX_RENEWAL_INTERVAL_SECS: u32 = i32::MAX as u32;

/// Most names in a VIP address. Each is an entry of an index of its own, of a kilobyte or so.
pub const MAX_VIP_NAMES: usize = 100;

/// Name under which Amazon's metadata keep the instance's id.
const AMAZON_INSTANCE_ID: &str = "instance-id";

/// A document that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub key: Key,
    pub instance: Instance,
    /// Epoch milliseconds of the client's clock; `None` if the document has none.
    pub last_dirty_ms: Option<i64>,
}

/// Why a document is not registered. Its text is the body of the 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("Missing instanceId")]
    MissingInstanceId,
    #[error("Missing hostname")]
    MissingHostName,
    #[error("Missing ip address")]
    MissingIpAddress,
    #[error("Missing appName")]
    MissingAppName,
    #[error("Mismatched appName, expecting {expected} but was {found}")]
    MismatchedAppName { expected: String, found: AppName },
    #[error("Missing dataCenterInfo")]
    MissingDataCenter,
    #[error("Missing dataCenterInfo Name")]
    MissingDataCenterName,
    #[error("{0}")]
    Name(#[from] NameError),
    #[error("{0}")]
    MetadataName(#[from] MetadataNameTooLong),
    #[error("{0}")]
    DirtyTime(#[from] DirtyTimeOutOfRange),
    #[error("{member} lists {count} names; at most {MAX_VIP_NAMES} are accepted")]
    TooManyVips { member: &'static str, count: usize },
}

/// What an instance takes to store, in bytes; over [`super::MAX_INSTANCE_BYTES`] it is
/// to be refused.
pub fn stored_size(instance: &Instance) -> usize {
    instance.stored_bytes()
}

impl Document {
    /// Checks this document, which came under `path_app`, and fills in what it left out.
    ///
    /// # Errors
    /// The [`Refusal`] whose rule fails first.
    pub fn into_registration(self, path_app: &str) -> Result<Accepted, Refusal> {
        let id: Box<str> = self.effective_id().ok_or(Refusal::MissingInstanceId)?.into();
        let host_name = filled(self.host_name).ok_or(Refusal::MissingHostName)?;
        let ip_addr = filled(self.ip_addr).ok_or(Refusal::MissingIpAddress)?;
        let app = checked_app(&self.app, path_app)?;
        let data_center = match self.data_center.ok_or(Refusal::MissingDataCenter)? {
            SaidDataCenter::Unnamed => return Err(Refusal::MissingDataCenterName),
            SaidDataCenter::Named(data_center) => with_amazon_id(data_center, &id),
        };
        let key = Key::new(app.clone(), InstanceId::parse(&id)?);
        check_metadata_names(&self.metadata)?;
        if let DataCenter::Amazon(metadata) = &data_center {
            check_metadata_names(metadata)?;
        }
        let last_dirty_ms = self.last_dirty_ms.map(check_dirty_time).transpose()?;
        check_vip_names("vipAddress", self.vip_address.as_deref())?;
        check_vip_names("secureVipAddress", self.secure_vip_address.as_deref())?;
        let instance = Instance {
            instance_id: self.instance_id,
            host_name,
            app,
            ip_addr,
            sid: self.sid.filter(|sid| !matches!(&**sid, "na" | "unknown")),
            status: self.status.unwrap_or(Status::Up),
            overridden_status: self.overridden_status.unwrap_or(Status::Unknown),
            port: self.port.unwrap_or(DEFAULT_PORT),
            secure_port: self.secure_port.unwrap_or(DEFAULT_SECURE_PORT),
            country_id: self.country_id.unwrap_or(DEFAULT_COUNTRY_ID),
            data_center,
            renewal_interval_secs: bounded_secs(
                self.renewal_interval_secs,
                DEFAULT_RENEWAL_INTERVAL_SECS,
                MAX_RENEWAL_INTERVAL_SECS,
            ),
            duration_secs: bounded_secs(self.duration_secs, DEFAULT_DURATION_SECS, MAX_DURATION_SECS),
            metadata: self.metadata,
            app_group_name: self.app_group_name,
            home_page_url: self.home_page_url,
            status_page_url: self.status_page_url,
            health_check_url: self.health_check_url,
            secure_health_check_url: self.secure_health_check_url,
            vip_address: self.vip_address,
            secure_vip_address: self.secure_vip_address,
            asg_name: self.asg_name,
        };
        Ok(Accepted { key, instance, last_dirty_ms })
    }
}

/// A text that is there; Eureka counts an empty one as missing, but not one of spaces.
fn filled(text: Option<Box<str>>) -> Option<Box<str>> {
    text.filter(|text| !text.is_empty())
}

fn checked_app(said: &str, path_app: &str) -> Result<AppName, Refusal> {
    if said.is_empty() {
        return Err(Refusal::MissingAppName);
    }
    // Before the comparison, so that its message never repeats a name of any length.
    let app = AppName::parse(said)?;
    let expected = path_app.to_uppercase();
    if expected != app.as_str() {
        return Err(Refusal::MismatchedAppName { expected, found: app });
    }
    Ok(app)
}

fn check_vip_names(member: &'static str, address: Option<&str>) -> Result<(), Refusal> {
    let count = address.map_or(0, |address| vip_names(address).count());
    if count > MAX_VIP_NAMES {
        return Err(Refusal::TooManyVips { member, count });
    }
    Ok(())
}

fn with_amazon_id(data_center: DataCenter, id: &str) -> DataCenter {
    match data_center {
        DataCenter::Amazon(metadata) if metadata.get(AMAZON_INSTANCE_ID).is_none() => {
            DataCenter::Amazon(metadata.merged(&Metadata::from_pairs([(AMAZON_INSTANCE_ID, id)])))
        }
        other => other,
    }
}

fn bounded_secs(said: Option<i64>, default: u32, max: u32) -> u32 {
    match said {
        Some(secs) if secs > 0 => u32::try_from(secs).unwrap_or(u32::MAX).min(max),
        _ => default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{MAX_INSTANCE_BYTES, MAX_NAME_BYTES};

    fn complete() -> Document {
        Document {
            instance_id: Some("bad-1".into()),
            host_name: Some("mini.local".into()),
            app: "bad".into(),
            ip_addr: Some("10.2.2.2".into()),
            data_center: Some(SaidDataCenter::Named(DataCenter::MyOwn)),
            ..Document::default()
        }
    }

    fn refusal(spoil: impl FnOnce(&mut Document)) -> String {
        let mut document = complete();
        spoil(&mut document);
        document.into_registration("BAD").expect_err("the document is spoiled").to_string()
    }

    #[test]
    fn what_is_left_out_gets_eurekas_defaults() {
        let Accepted { key, instance, last_dirty_ms } = complete().into_registration("Bad").unwrap();
        assert_eq!(key.to_string(), "BAD(bad-1)");
        assert_eq!(last_dirty_ms, None);
        assert_eq!((instance.port, instance.secure_port), (DEFAULT_PORT, DEFAULT_SECURE_PORT));
        assert_eq!((instance.status, instance.overridden_status), (Status::Up, Status::Unknown));
        assert_eq!((instance.renewal_interval_secs, instance.duration_secs), (30, 90));
        assert_eq!(instance.country_id, 1);
        assert!(instance.metadata.is_empty());
    }

    #[test]
    fn each_rule_has_its_text() {
        assert_eq!(
            refusal(|d| {
                d.instance_id = None;
                d.host_name = Some("".into());
            }),
            "Missing instanceId"
        );
        assert_eq!(refusal(|d| d.host_name = None), "Missing hostname");
        assert_eq!(refusal(|d| d.host_name = Some("".into())), "Missing hostname");
        assert_eq!(refusal(|d| d.ip_addr = Some("".into())), "Missing ip address");
        assert_eq!(refusal(|d| d.app = "".into()), "Missing appName");
        assert_eq!(refusal(|d| d.app = "other".into()), "Mismatched appName, expecting BAD but was OTHER");
        assert_eq!(refusal(|d| d.data_center = None), "Missing dataCenterInfo");
        assert_eq!(refusal(|d| d.data_center = Some(SaidDataCenter::Unnamed)), "Missing dataCenterInfo Name");
    }

    #[test]
    fn the_rules_apply_in_eurekas_order() {
        let mut document = Document::default();
        let mut texts = Vec::new();
        type Mend = fn(&mut Document);
        let mends: [Mend; 6] = [
            |d| d.instance_id = Some("bad-1".into()),
            |d| d.host_name = Some("mini.local".into()),
            |d| d.ip_addr = Some("10.2.2.2".into()),
            |d| d.app = "OTHER".into(),
            |d| d.app = "BAD".into(),
            |d| d.data_center = Some(SaidDataCenter::Unnamed),
        ];
        for mend in mends {
            texts.push(document.clone().into_registration("bad").unwrap_err().to_string());
            mend(&mut document);
        }
        texts.push(document.into_registration("bad").unwrap_err().to_string());
        assert_eq!(
            texts,
            [
                "Missing instanceId",
                "Missing hostname",
                "Missing ip address",
                "Missing appName",
                "Mismatched appName, expecting BAD but was OTHER",
                "Missing dataCenterInfo",
                "Missing dataCenterInfo Name",
            ]
        );
    }

    #[test]
    fn names_that_cannot_be_stored_are_refused_after_eurekas_rules() {
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        assert_eq!(
            refusal(|d| d.instance_id = Some(long.as_str().into())),
            "instance id is 1025 bytes long; at most 1024 are accepted"
        );
        assert_eq!(refusal(|d| d.instance_id = Some("a\0b".into())), "instance id contains a NUL character");
        assert_eq!(
            refusal(|d| d.app = long.as_str().into()),
            "application name is 1025 bytes long; at most 1024 are accepted"
        );
        assert_eq!(
            refusal(|d| {
                d.instance_id = Some("a\0b".into());
                d.data_center = None;
            }),
            "Missing dataCenterInfo"
        );
    }

    #[test]
    fn metadata_names_that_xml_cannot_carry_are_refused() {
        let long = || Metadata::from_pairs([("x".repeat(1001), "")]);
        let text =
            "a metadata name takes 1001 characters as the name of an XML element; at most 1000 are accepted";
        assert_eq!(refusal(|d| d.metadata = long()), text);
        let amazon = SaidDataCenter::Named(DataCenter::Amazon(long()));
        assert_eq!(refusal(|d| d.data_center = Some(amazon)), text);
    }

    #[test]
    fn vip_addresses_list_a_hundred_names_at_most() {
        let list = |names: usize| Some(vec!["v"; names].join(",").into());
        let mut document = complete();
        (document.vip_address, document.secure_vip_address) = (list(100), list(100));
        assert!(document.into_registration("BAD").is_ok());
        let text = "vipAddress lists 101 names; at most 100 are accepted";
        assert_eq!(refusal(|d| d.vip_address = list(101)), text);
        let text = "secureVipAddress lists 60000 names; at most 100 are accepted";
        assert_eq!(refusal(|d| d.secure_vip_address = list(60_000)), text);
    }

    #[test]
    fn amazon_without_an_id_gets_the_effective_one() {
        let mut document = complete();
        let pairs = Metadata::from_pairs([("ami-id", "ami-1")]);
        document.data_center = Some(SaidDataCenter::Named(DataCenter::Amazon(pairs)));
        let accepted = document.clone().into_registration("BAD").unwrap();
        let expected = Metadata::from_pairs([("ami-id", "ami-1"), ("instance-id", "bad-1")]);
        assert_eq!(accepted.instance.data_center, DataCenter::Amazon(expected));

        let own = DataCenter::Amazon(Metadata::from_pairs([("instance-id", "")]));
        document.data_center = Some(SaidDataCenter::Named(own.clone()));
        assert_eq!(document.into_registration("BAD").unwrap().instance.data_center, own);
    }

    #[test]
    fn lease_times_are_positive_and_bounded() {
        let accepted = |said: Option<i64>| {
            let document = Document { renewal_interval_secs: said, duration_secs: said, ..complete() };
            let instance = document.into_registration("BAD").unwrap().instance;
            (instance.renewal_interval_secs, instance.duration_secs)
        };
        for (said, expected) in [
            (None, (30, 90)),
            (Some(0), (30, 90)),
            (Some(-1), (30, 90)),
            (Some(i64::MIN), (30, 90)),
            (Some(1), (1, 1)),
            (Some(2_147_483), (2_147_483, 2_147_483)),
            (Some(2_147_484), (2_147_484, 2_147_483)),
            (Some(i64::MAX), (2_147_483_647, 2_147_483)),
        ] {
            assert_eq!(accepted(said), expected, "{said:?}");
        }
    }

    #[test]
    fn words_for_no_sid_are_none() {
        let with = |sid: &str| {
            let mut document = complete();
            document.sid = Some(sid.into());
            document.into_registration("BAD").unwrap().instance.sid
        };
        assert_eq!(with("na"), None);
        assert_eq!(with("unknown"), None);
        assert_eq!(with("sid-1"), Some("sid-1".into()));
    }

    #[test]
    fn size_counts_the_text_of_metadata() {
        let mut document = complete();
        let small = stored_size(&document.clone().into_registration("BAD").unwrap().instance);
        let value = "x".repeat(MAX_INSTANCE_BYTES);
        document.metadata = Metadata::from_pairs([("k", value)]);
        let large = stored_size(&document.into_registration("BAD").unwrap().instance);
        assert!(small < 200 && large > small + MAX_INSTANCE_BYTES, "{small} {large}");
    }
}
