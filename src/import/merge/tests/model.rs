//! A server as a registry of its own: what it shows as another server reads it, and what becomes of what is written to
//! it.

use std::time::Instant;

use crate::command::Command;
use crate::eureka::{
    BatchAction, BatchItem, Document, Format, ListedInstance, MAX_OUTGOING_ITEMS, OutgoingBatch,
    SaidDataCenter, StatusCounts, application_fragment, applications_header, applications_trailer,
    decode_batch,
};
use crate::import::listed::Listed;
use crate::import::merge::{Merged, Outcome};
use crate::import::source::{self, Reading};
use crate::import::task::Task;
use crate::registry::{
    AppName, DataCenter, InstanceId, Key, Origin, Outcome as Applied, Registration, Registry, Status,
};

#[derive(Debug, Default)]
pub struct Server(pub Registry);

impl Server {
    pub fn apply(&mut self, command: Command) -> Applied {
        command.apply(&mut self.0, &mut Vec::new())
    }

    /// Moves its clock.
    pub fn advance(&mut self, ms: i64) {
        let now_ms = self.0.now_ms() + ms;
        self.0.advance(now_ms, &mut Vec::new());
    }

    /// What `GET apps/` answers.
    pub fn all(&self) -> Reading {
        let registrations: Vec<Registration> =
            self.0.registrations().map(|(_, registration)| (**registration).clone()).collect();
        source::whole(&self.page(&registrations)).expect("a registry")
    }

    /// What `GET apps/delta` answers.
    pub fn delta(&self) -> Reading {
        let last = |key: &Key| self.0.get(key).map(|registration| (**registration).clone());
        let entries = self.0.delta().entries().filter_map(|(_, entry)| {
            entry.deleted.as_ref().map(|deleted| (**deleted).clone()).or_else(|| last(&entry.key))
        });
        source::delta(&self.page(&entries.collect::<Vec<_>>())).expect("a delta")
    }

    /// Writes what there is to do, until there is nothing more.
    pub fn take(&mut self, merged: &mut Merged, now: Instant) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        loop {
            let tasks = merged.tasks(now, MAX_OUTGOING_ITEMS);
            if tasks.is_empty() {
                assert_eq!(merged.open_count(), 0);
                return outcomes;
            }
            for task in tasks {
                let statuses = self.statuses(&task);
                outcomes.push(merged.answered(&task, &statuses, now));
            }
        }
    }

    fn statuses(&mut self, task: &Task) -> Vec<u16> {
        let mut batch = OutgoingBatch::default();
        assert!(batch.push(&task.items()));
        let items = decode_batch(&batch.finish()).expect("a batch");
        items.into_iter().map(|item| self.status(item)).collect()
    }

    fn status(&mut self, item: BatchItem) -> u16 {
        let key = key(&item.app, &item.id);
        let known = |word: Option<crate::eureka::StatusWord>| word.and_then(|word| word.known());
        let (origin, last_dirty_ms) = (Origin::Import, item.last_dirty_ms);
        let command = match item.action.expect("an action") {
            BatchAction::Register => {
                let document = item.instance.expect("an instance");
                let accepted = document.into_registration(&item.app).expect("a good one");
                Command::Register {
                    key: accepted.key,
                    instance: accepted.instance.into(),
                    last_dirty_ms: accepted.last_dirty_ms,
                    origin,
                }
            }
            BatchAction::Cancel => Command::Cancel { key, origin },
            BatchAction::StatusUpdate => Command::SetStatus {
                key,
                status: known(item.status).expect("a status"),
                last_dirty_ms,
                origin,
            },
            BatchAction::DeleteStatusOverride => {
                Command::RemoveStatus { key, status: known(item.status), last_dirty_ms, origin }
            }
            BatchAction::Heartbeat => {
                let overridden = known(item.overridden_status);
                Command::Renew { key, last_dirty_ms, overridden, origin }
            }
        };
        match self.apply(command) {
            Applied::NotFound => 404,
            Applied::Conflict(_) => 409,
            _ => 200,
        }
    }

    fn page(&self, registrations: &[Registration]) -> Vec<u8> {
        let counts: StatusCounts =
            self.0.registrations().map(|(_, registration)| registration.status).collect();
        let mut page = applications_header(Format::Json, "1", &counts.hashcode());
        if !registrations.is_empty() {
            // As it does not matter: which application an instance is of, it says itself.
            let name = AppName::parse("ANY").expect("a name");
            application_fragment(Format::Json, &name, registrations.iter(), &mut page);
        }
        page.extend(applications_trailer(Format::Json, "1", &counts.hashcode()));
        page
    }
}

pub fn key(app: &str, id: &str) -> Key {
    Key::new(AppName::parse(app).expect("a name"), InstanceId::parse(id).expect("an id"))
}

/// The registration of an instance by its client.
pub fn registered(id: &str, status: Status, last_dirty_ms: i64) -> Command {
    let accepted = document(id, status, last_dirty_ms).into_registration("APP").expect("a good one");
    Command::Register {
        key: accepted.key,
        instance: accepted.instance.into(),
        last_dirty_ms: accepted.last_dirty_ms,
        origin: Origin::Client,
    }
}

/// An instance of APP as a source lists it.
pub fn listed(
    id: &str,
    status: Status,
    last_dirty_ms: i64,
    renewed_ms: i64,
) -> (Key, std::sync::Arc<Listed>) {
    let document = document(id, status, last_dirty_ms);
    Listed::check(ListedInstance { document, action: None, renewed_ms }).expect("a good one")
}

fn document(id: &str, status: Status, last_dirty_ms: i64) -> Document {
    Document {
        app: "APP".into(),
        instance_id: Some(id.into()),
        host_name: Some("host".into()),
        ip_addr: Some("10.0.0.1".into()),
        status: Some(status),
        data_center: Some(SaidDataCenter::Named(DataCenter::MyOwn)),
        last_dirty_ms: Some(last_dirty_ms),
        ..Document::default()
    }
}
