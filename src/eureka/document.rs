//! An instance as its client said it: what was left out is still known to be left out.

use crate::registry::{DataCenter, Metadata, Port, Status};

/// A decoded instance, not yet checked. `None` is what the body left out or gave as null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    pub instance_id: Option<Box<str>>,
    pub host_name: Option<Box<str>>,
    /// As written, in any case. A body without one is no instance at all.
    pub app: Box<str>,
    pub ip_addr: Option<Box<str>>,
    pub sid: Option<Box<str>>,
    /// A word that is no status counts as `Unknown`.
    pub status: Option<Status>,
    pub overridden_status: Option<Status>,
    pub port: Option<Port>,
    pub secure_port: Option<Port>,
    pub country_id: Option<i32>,
    pub data_center: Option<SaidDataCenter>,
    /// Seconds, of any size and sign.
    pub renewal_interval_secs: Option<i64>,
    /// Seconds, of any size and sign.
    pub duration_secs: Option<i64>,
    pub metadata: Metadata,
    pub app_group_name: Option<Box<str>>,
    pub home_page_url: Option<Box<str>>,
    pub status_page_url: Option<Box<str>>,
    pub health_check_url: Option<Box<str>>,
    pub secure_health_check_url: Option<Box<str>>,
    pub vip_address: Option<Box<str>>,
    pub secure_vip_address: Option<Box<str>>,
    pub asg_name: Option<Box<str>>,
    /// Epoch milliseconds of the client's clock.
    pub last_dirty_ms: Option<i64>,
}

/// A data center that a document gives, with or without saying which one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaidDataCenter {
    Unnamed,
    Named(DataCenter),
}

impl Document {
    /// Where the text member of this name goes, in both syntaxes; `None` for any other member.
    pub(super) fn text_slot(&mut self, name: &str) -> Option<&mut Option<Box<str>>> {
        Some(match name {
            "instanceId" => &mut self.instance_id,
            "hostName" => &mut self.host_name,
            "ipAddr" => &mut self.ip_addr,
            "sid" => &mut self.sid,
            "appGroupName" => &mut self.app_group_name,
            "homePageUrl" => &mut self.home_page_url,
            "statusPageUrl" => &mut self.status_page_url,
            "healthCheckUrl" => &mut self.health_check_url,
            "secureHealthCheckUrl" => &mut self.secure_health_check_url,
            "vipAddress" => &mut self.vip_address,
            "secureVipAddress" => &mut self.secure_vip_address,
            "asgName" => &mut self.asg_name,
            _ => return None,
        })
    }

    /// The id the instance is kept under: its own, else Amazon's, else its host name.
    pub fn effective_id(&self) -> Option<&str> {
        let amazon_id = match &self.data_center {
            Some(SaidDataCenter::Named(DataCenter::Amazon(metadata))) => metadata.get("instance-id"),
            _ => None,
        };
        [self.instance_id.as_deref(), amazon_id, self.host_name.as_deref()]
            .into_iter()
            .flatten()
            .find(|id| !id.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_id_that_is_not_empty_counts() {
        let mut document = Document::default();
        assert_eq!(document.effective_id(), None);
        document.host_name = Some("host".into());
        assert_eq!(document.effective_id(), Some("host"));
        let amazon = |id: &str| {
            let metadata = Metadata::from_pairs([("instance-id", id)]);
            Some(SaidDataCenter::Named(DataCenter::Amazon(metadata)))
        };
        document.data_center = amazon("i-1");
        assert_eq!(document.effective_id(), Some("i-1"));
        document.instance_id = Some("own".into());
        assert_eq!(document.effective_id(), Some("own"));
        document.instance_id = Some("".into());
        assert_eq!(document.effective_id(), Some("i-1"));
        document.data_center = amazon("");
        assert_eq!(document.effective_id(), Some("host"));
        document.host_name = Some("".into());
        assert_eq!(document.effective_id(), None);
    }
}
