mod delta;
mod followed;
mod incremental;
mod instance;
mod sharing;
mod stitching;
mod vip;

use std::io::Read;
use std::sync::Arc;

use super::{Page, View};
use crate::eureka::Format;
use crate::registry::{
    Action, AppName, Cause, Change, DEFAULT_COUNTRY_ID, DEFAULT_PORT, DEFAULT_SECURE_PORT, DataCenter,
    Instance, InstanceId, Keeper, Key, Lease, Metadata, Origin, Registration, Status,
};

const FORMATS: [Format; 4] = [Format::Json, Format::Xml, Format::CompactJson, Format::CompactXml];

fn key(app: &str, id: &str) -> Key {
    Key::new(AppName::parse(app).unwrap(), InstanceId::parse(id).unwrap())
}

/// An instance of `app` called `id`, with what a test wants to say of it.
#[derive(Clone)]
struct Sample {
    app: &'static str,
    id: &'static str,
    status: Status,
    vip: Option<String>,
    secure_vip: Option<String>,
    metadata: Metadata,
    renewed_ms: i64,
}

impl Sample {
    fn new(app: &'static str, id: &'static str) -> Self {
        Self {
            app,
            id,
            status: Status::Up,
            vip: None,
            secure_vip: None,
            metadata: Metadata::default(),
            renewed_ms: 1_700_000_000_000,
        }
    }

    fn status(self, status: Status) -> Self {
        Self { status, ..self }
    }

    fn vip(self, vip: &str) -> Self {
        Self { vip: Some(vip.into()), ..self }
    }

    fn secure_vip(self, vip: &str) -> Self {
        Self { secure_vip: Some(vip.into()), ..self }
    }

    fn metadata(self, name: &str, value: &str) -> Self {
        Self { metadata: Metadata::from_pairs([(name, value)]), ..self }
    }

    fn key(&self) -> Key {
        key(self.app, self.id)
    }

    fn put(&self) -> Change {
        put(&self.key(), self.registration())
    }

    fn registration(&self) -> Registration {
        let instance = Instance {
            instance_id: Some(self.id.into()),
            host_name: format!("{}.example.org", self.id).into(),
            app: AppName::parse(self.app).unwrap(),
            ip_addr: "10.1.2.3".into(),
            sid: None,
            status: self.status,
            overridden_status: Status::Unknown,
            port: DEFAULT_PORT,
            secure_port: DEFAULT_SECURE_PORT,
            country_id: DEFAULT_COUNTRY_ID,
            data_center: DataCenter::MyOwn,
            renewal_interval_secs: 30,
            duration_secs: 90,
            metadata: self.metadata.clone(),
            app_group_name: None,
            home_page_url: None,
            status_page_url: None,
            health_check_url: None,
            secure_health_check_url: None,
            vip_address: self.vip.as_deref().map(Into::into),
            secure_vip_address: self.secure_vip.as_deref().map(Into::into),
            asg_name: None,
        };
        Registration {
            instance: instance.into(),
            status: self.status,
            overridden: None,
            last_dirty_ms: 1_699_999_999_000,
            last_updated_ms: 1_700_000_000_000,
            action: Action::Added,
            lease: Lease {
                duration_ms: 90_000,
                registered_ms: 1_700_000_000_000,
                renewed_ms: self.renewed_ms,
                evicted_ms: 0,
                service_up_ms: 1_700_000_000_000,
                renew_seq: 1,
                keeper: Keeper::Client,
            },
        }
    }
}

fn put(key: &Key, registration: Registration) -> Change {
    Change::Put {
        key: key.clone(),
        registration: Arc::new(registration),
        cause: Cause::Registered(Origin::Client),
    }
}

fn renewed(sample: &Sample, renewed_ms: i64) -> Change {
    let lease = Lease { renewed_ms, ..sample.registration().lease };
    Change::Renewed { key: sample.key(), lease, cause: Cause::Renewed(Origin::Client) }
}

fn delta_added(seq: u64, sample: &Sample) -> Change {
    let registration = Arc::new(sample.registration());
    Change::DeltaAdded { seq, key: sample.key(), registration }
}

fn delta_dropped(seq: u64, sample: &Sample) -> Change {
    Change::DeltaDropped { seq, key: sample.key() }
}

/// The view of a registry with just these instances.
fn view_of(samples: &[Sample]) -> View {
    let changes: Vec<Change> = samples.iter().map(Sample::put).collect();
    View::default().update(&changes, 7, |_, _| {})
}

fn text(page: Page) -> String {
    assert!(!page.gzip());
    String::from_utf8(page.into_bytes().to_vec()).unwrap()
}

/// The text of a gzip page, which must be exactly one member with nothing after it.
fn gunzip(page: Page) -> String {
    assert!(page.gzip());
    let packed = page.into_bytes();
    let mut one_member = String::new();
    let mut decoder = flate2::bufread::GzDecoder::new(&packed[..]);
    decoder.read_to_string(&mut one_member).unwrap();
    assert_eq!(decoder.into_inner(), b"", "bytes after the first member");
    let mut all_members = String::new();
    flate2::read::MultiGzDecoder::new(&packed[..]).read_to_string(&mut all_members).unwrap();
    assert_eq!(all_members, one_member);
    one_member
}
