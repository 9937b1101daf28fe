//! Memory that stays: storing the same state over and over again must not take more and more of it.
//! A test of its own, as it counts every allocation of its process.

use std::alloc::System;
use std::sync::Arc;

use rs_registry::format::Formats;
use rs_registry::message::StateHeader;
use rs_registry::registry::{
    Action, AppName, DEFAULT_PORT, DEFAULT_SECURE_PORT, DataCenter, Instance, InstanceId, Keeper, Key, Lease,
    Metadata, Registration, Snapshot, Status,
};
use rs_registry::storage::{InstanceUpdate, StateStore, StateUpdate};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const INSTANCES: usize = 5000;
/// Rounds after which caches and buffers are as large as they get.
const WARM_UP_ROUNDS: u64 = 10;
const ROUNDS: u64 = 20;
/// Pages that were replaced and never freed would be ten times this.
const MOST_GROWTH_BYTES: usize = 4 << 20;

#[test]
fn storing_again_and_again_takes_no_more_memory() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = StateStore::open(dir.path(), Formats::THIS).expect("a new store");
    let mut warm = 0;
    for round in 0..WARM_UP_ROUNDS + ROUNDS {
        if round == WARM_UP_ROUNDS {
            warm = live_bytes();
        }
        let instances = instances(round);
        match store.needs_whole() {
            true => store.replace(&StateHeader::default(), &whole(instances)),
            false => store.write(&update(instances)),
        }
        .expect("stored");
    }
    let grown = live_bytes().saturating_sub(warm);
    assert!(grown < MOST_GROWTH_BYTES, "{grown} bytes more after {ROUNDS} rounds");
}

fn live_bytes() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}

/// Every instance anew.
fn instances(round: u64) -> Vec<(Key, Arc<Registration>)> {
    let app = AppName::parse("memory").expect("a name");
    let instance = |at| {
        let id = InstanceId::parse(&format!("instance-{at}")).expect("an id");
        (Key::new(app.clone(), id), Arc::new(registration(&app, round)))
    };
    (0..INSTANCES).map(instance).collect()
}

fn whole(registrations: Vec<(Key, Arc<Registration>)>) -> Snapshot {
    Snapshot { registrations, ..Snapshot::default() }
}

fn update(instances: Vec<(Key, Arc<Registration>)>) -> StateUpdate {
    let documents = instances.into_iter().map(|(key, held)| InstanceUpdate::Document(key, held));
    StateUpdate { header: StateHeader::default(), instances: documents.collect(), ..StateUpdate::default() }
}

fn registration(app: &AppName, round: u64) -> Registration {
    let instance = Instance {
        instance_id: None,
        host_name: "host.example.org".into(),
        app: app.clone(),
        ip_addr: "10.1.2.3".into(),
        sid: None,
        status: Status::Up,
        overridden_status: Status::Unknown,
        port: DEFAULT_PORT,
        secure_port: DEFAULT_SECURE_PORT,
        country_id: 1,
        data_center: DataCenter::MyOwn,
        renewal_interval_secs: 30,
        duration_secs: 90,
        metadata: Metadata::from_pairs([("round", round.to_string())]),
        app_group_name: None,
        home_page_url: Some("http://host.example.org:8080/".into()),
        status_page_url: Some("http://host.example.org:8080/actuator/info".into()),
        health_check_url: Some("http://host.example.org:8080/actuator/health".into()),
        secure_health_check_url: None,
        vip_address: Some("memory".into()),
        secure_vip_address: Some("memory".into()),
        asg_name: None,
    };
    let lease = Lease {
        duration_ms: 90_000,
        registered_ms: 0,
        renewed_ms: 0,
        evicted_ms: 0,
        service_up_ms: 0,
        renew_seq: round,
        keeper: Keeper::Client,
    };
    Registration {
        instance: instance.into(),
        status: Status::Up,
        overridden: None,
        last_dirty_ms: 0,
        last_updated_ms: 0,
        action: Action::Added,
        lease,
    }
}
