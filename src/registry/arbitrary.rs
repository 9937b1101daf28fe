//! Any log entries, for property tests: few keys and times close together, so that commands meet.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{
    AppName, Change, DELTA_RETENTION_MS, DataCenter, Instance, InstanceId, Key, Metadata, Origin, Outcome,
    PeerProgress, Port, Registry, Scope, Silence, Status,
};
use crate::command::Command;
use crate::encoding::{EncodedBatch, EncodedCommands};
use crate::format::Format;

/// What the leader's clock shows before the first entry, epoch milliseconds.
pub const START_MS: i64 = 1_700_000_000_000;

pub const APPS: [&str; 3] = ["BILLING", "CART", "LEDGER"];
pub const IDS: [&str; 3] = ["a", "b", "c"];

/// More than half of what an instance may hold: one such value fits, two do not.
const LARGE_VALUE_BYTES: usize = 40 * 1024;

#[derive(Debug, Clone)]
pub struct Entry {
    pub stamped_ms: i64,
    pub acts: Vec<Act>,
}

/// A command, but for the sequences of leases, which are known only when it is made.
#[derive(Debug, Clone)]
pub enum Act {
    Command(Command),
    Expire(Vec<(Key, Seen)>),
}

/// Which sequence of a lease an expiry was decided for.
#[derive(Debug, Clone, Copy)]
pub enum Seen {
    Current,
    Former,
    Never,
}

impl Act {
    pub fn command(&self, registry: &Registry) -> Command {
        match self {
            Act::Command(command) => command.clone(),
            Act::Expire(leases) => {
                let sequence = |(key, seen): &(Key, Seen)| {
                    let current = registry.get(key).map_or(1, |held| held.lease.renew_seq);
                    let sequence = match seen {
                        Seen::Current => current,
                        Seen::Former => current - 1,
                        Seen::Never => u64::MAX,
                    };
                    (key.clone(), sequence)
                };
                Command::Expire { leases: leases.iter().map(sequence).collect() }
            }
        }
    }
}

impl Entry {
    pub fn apply(&self, registry: &mut Registry) -> (Vec<Outcome>, Vec<Change>) {
        let mut changes = Vec::new();
        registry.advance(self.stamped_ms, &mut changes);
        let apply = |act: &Act| act.command(registry).apply(registry, &mut changes);
        let outcomes = self.acts.iter().map(apply).collect();
        (outcomes, changes)
    }

    /// The entry as the log has it: with the sequences of a registry that it has not changed yet.
    pub fn encode(&self, registry: &Registry) -> EncodedBatch {
        let mut encoded = EncodedCommands::default();
        for act in &self.acts {
            encoded.join(&EncodedCommands::one(&act.command(registry)));
        }
        encoded.stamped(self.stamped_ms, Format::FIRST)
    }
}

pub fn key_of(app: &str, id: &str) -> Key {
    Key::new(AppName::parse(app).unwrap(), InstanceId::parse(id).unwrap())
}

/// An instance with nothing remarkable.
pub fn plain_instance(key: &Key) -> Instance {
    Instance {
        instance_id: Some(key.id.as_str().into()),
        host_name: "node-a.example.org".into(),
        app: key.app.clone(),
        ip_addr: "10.1.2.3".into(),
        sid: None,
        status: Status::Up,
        overridden_status: Status::Unknown,
        port: Port { number: 8080, enabled: true },
        secure_port: Port { number: 8443, enabled: false },
        country_id: 1,
        data_center: DataCenter::MyOwn,
        renewal_interval_secs: 30,
        duration_secs: 90,
        metadata: Metadata::default(),
        app_group_name: None,
        home_page_url: None,
        status_page_url: None,
        health_check_url: None,
        secure_health_check_url: None,
        vip_address: None,
        secure_vip_address: None,
        asg_name: None,
    }
}

/// Up to `longest` entries, from a clock that stands still, jumps and goes backwards.
pub fn entries(longest: usize) -> impl Strategy<Value = Vec<Entry>> {
    vec((step_ms(), vec(act(), 1..4)), 1..=longest).prop_map(|steps| {
        let mut stamped_ms = START_MS;
        let entry = |(step_ms, acts)| {
            stamped_ms += step_ms;
            Entry { stamped_ms, acts }
        };
        steps.into_iter().map(entry).collect()
    })
}

pub fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        6 => register(),
        6 => (key(), dirty_ms(), option::of(override_asked()), origin()).prop_map(
            |(key, last_dirty_ms, overridden, origin)| {
                Command::Renew { key, last_dirty_ms, overridden, origin }
            }
        ),
        2 => (key(), origin()).prop_map(|(key, origin)| Command::Cancel { key, origin }),
        3 => (key(), status(), dirty_ms(), origin()).prop_map(|(key, status, last_dirty_ms, origin)| {
            Command::SetStatus { key, status, last_dirty_ms, origin }
        }),
        2 => (key(), option::of(status()), dirty_ms(), origin()).prop_map(
            |(key, status, last_dirty_ms, origin)| {
                Command::RemoveStatus { key, status, last_dirty_ms, origin }
            }
        ),
        2 => (key(), metadata()).prop_map(|(key, pairs)| Command::PutMetadata { key, pairs }),
        2 => (scope(), option::of(silence()))
            .prop_map(|(scope, silence)| Command::SetSelfPreservation { scope, silence }),
        1 => peer_progress().prop_map(|progress| Command::SetPeerProgress { progress }),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let seen = select(vec![Seen::Current, Seen::Current, Seen::Former, Seen::Never]);
    prop_oneof![
        20 => command().prop_map(Act::Command),
        2 => vec((key(), seen), 0..4).prop_map(Act::Expire),
    ]
}

fn register() -> impl Strategy<Value = Command> {
    let words = (status(), planted(), select(vec![1, 30, 90]), metadata());
    let vip = option::of(select(vec!["x", "x,y", "y"]));
    (key(), words, vip, dirty_ms(), origin()).prop_map(|(key, words, vip, last_dirty_ms, origin)| {
        let (status, overridden_status, duration_secs, metadata) = words;
        let vip_address = vip.map(Box::from);
        let instance = Instance {
            status,
            overridden_status,
            duration_secs,
            metadata,
            vip_address,
            ..plain_instance(&key)
        };
        Command::Register { key, instance: instance.into(), last_dirty_ms, origin }
    })
}

fn step_ms() -> impl Strategy<Value = i64> {
    const R: i64 = DELTA_RETENTION_MS;
    prop_oneof![
        4 => Just(0),
        4 => 1..2000_i64,
        2 => select(vec![R / 3, R - 1, R, R + 1]),
        1 => select(vec![-1, -2000, -R, -10 * R]),
        1 => Just(10 * R),
    ]
}

fn key() -> impl Strategy<Value = Key> {
    (select(APPS.to_vec()), select(IDS.to_vec())).prop_map(|(app, id)| key_of(app, id))
}

fn scope() -> impl Strategy<Value = Scope> {
    option::of(key()).prop_map(|key| key.map_or(Scope::Cluster, |key| Scope::Application(key.app)))
}

fn silence() -> impl Strategy<Value = Silence> {
    (0..3_u32, 3..5_u32).prop_map(|(silent, leases)| Silence { silent, leases })
}

/// Clients' versions of their documents, on both sides of the log's clock.
fn dirty_ms() -> impl Strategy<Value = Option<i64>> {
    option::of(select(vec![0, START_MS - 1, START_MS, START_MS + 1, START_MS + 400_000, i64::MAX / 2]))
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![3 => Just(Status::Up), 2 => Just(Status::OutOfService), 3 => select(Status::ALL.to_vec())]
}

fn override_asked() -> impl Strategy<Value = Status> {
    select(vec![Status::Up, Status::Up, Status::OutOfService, Status::Down, Status::Starting])
}

fn planted() -> impl Strategy<Value = Status> {
    prop_oneof![4 => Just(Status::Unknown), 1 => override_asked()]
}

fn origin() -> impl Strategy<Value = Origin> {
    select(vec![Origin::Client, Origin::Client, Origin::Replication, Origin::Replication, Origin::Import])
}

fn peer_progress() -> impl Strategy<Value = PeerProgress> {
    let url = (0..20_u8).prop_map(|number| format!("http://eureka-{number}:8761/eureka").into());
    btree_map(url, 0..START_MS, 0..20)
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let small = (select(vec!["zone", "weight", "build"]), select(vec!["1", "2"]));
    let small = vec(small, 0..3).prop_map(Metadata::from_pairs);
    let large = select(vec!["left", "right"])
        .prop_map(|name| Metadata::from_pairs([(name.to_string(), "v".repeat(LARGE_VALUE_BYTES))]));
    prop_oneof![12 => small, 1 => large]
}
