//! Whatever happens at a source, after each look at it this cluster shows what it shows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;

use super::model::{Server, key, registered};
use crate::command::Command;
use crate::import::listed::Listed;
use crate::import::merge::{DOUBT, Merged};
use crate::import::source::Reading;
use crate::registry::{DELTA_RETENTION_MS, Key, Origin, Status};

#[derive(Debug, Clone)]
enum Event {
    Register {
        id: usize,
        status: Status,
    },
    Cancel {
        id: usize,
    },
    SetStatus {
        id: usize,
        status: Status,
    },
    RemoveStatus {
        id: usize,
        status: Option<Status>,
    },
    Look,
    /// It does not answer once.
    Silence,
    /// Its delta has nothing of what changed before.
    ForgetDelta,
    /// It has nothing of what was.
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    let id = 0..6_usize;
    let status = prop::sample::select(Status::ALL.to_vec());
    prop_oneof![
        6 => (id.clone(), status.clone()).prop_map(|(id, status)| Event::Register { id, status }),
        3 => id.clone().prop_map(|id| Event::Cancel { id }),
        4 => (id.clone(), status.clone()).prop_map(|(id, status)| Event::SetStatus { id, status }),
        3 => (id, prop::option::of(status)).prop_map(|(id, status)| Event::RemoveStatus { id, status }),
        6 => Just(Event::Look),
        1 => Just(Event::Silence),
        1 => Just(Event::ForgetDelta),
        1 => Just(Event::Restart),
    ]
}

struct Trial {
    source: Server,
    here: Server,
    merged: Merged,
    now: Instant,
    wants_all: bool,
    has_delta: bool,
    /// Whether something may be gone without having been told.
    forgot: bool,
    dirty_ms: i64,
}

impl Trial {
    fn new(has_delta: bool) -> Self {
        let (source, here) = (Server::default(), Server::default());
        let (merged, now) = (Merged::new(1), Instant::now());
        Self { source, here, merged, now, wants_all: true, has_delta, forgot: false, dirty_ms: 0 }
    }

    fn happen(&mut self, event: Event) {
        let key = |id: usize| key("APP", &format!("i-{id}"));
        let (last_dirty_ms, origin) = (None, Origin::Client);
        match event {
            Event::Register { id, status } => {
                self.dirty_ms += 1;
                self.source.apply(registered(&format!("i-{id}"), status, self.dirty_ms));
            }
            Event::Cancel { id } => {
                self.source.apply(Command::Cancel { key: key(id), origin });
            }
            Event::SetStatus { id, status } => {
                self.source.apply(Command::SetStatus { key: key(id), status, last_dirty_ms, origin });
            }
            Event::RemoveStatus { id, status } => {
                self.source.apply(Command::RemoveStatus { key: key(id), status, last_dirty_ms, origin });
            }
            Event::Look => self.look(),
            Event::Silence => {
                self.merged.take_silence(0, self.now);
                self.wants_all = true;
                self.forgot |= !self.has_delta;
            }
            Event::ForgetDelta => {
                self.source.advance(DELTA_RETENTION_MS + 1);
                (self.wants_all, self.forgot) = (true, true);
            }
            Event::Restart => {
                self.source = Server::default();
                self.forgot = true;
            }
        }
    }

    /// As [`crate::import::Follower`] looks at it.
    fn look(&mut self) {
        self.now += Duration::from_secs(5);
        self.source.advance(5_000);
        self.here.advance(5_000);
        let is_known = self.has_delta && self.merged.take_delta(0, self.source.delta());
        if self.wants_all || !is_known {
            self.merged.take_all(0, self.source.all(), !self.has_delta, self.now);
        }
        self.wants_all = false;
        self.here.take(&mut self.merged, self.now);
        self.compare();
    }

    fn compare(&self) {
        let (there, here) = (shown(self.source.all()), shown(self.here.all()));
        for (key, listed) in &there {
            let Some(found) = here.get(key) else { panic!("{key} is not here") };
            assert!(listed.shows_the_same(found), "{listed:?} is here as {found:?}");
        }
        if !self.forgot {
            assert_eq!(here.len(), there.len(), "{:?} are here, {:?} there", here.keys(), there.keys());
        }
    }
}

fn shown(reading: Reading) -> BTreeMap<Key, std::sync::Arc<Listed>> {
    reading.listed.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn this_cluster_shows_what_the_source_shows(events in vec(event(), 0..40), has_delta in any::<bool>()) {
        let mut trial = Trial::new(has_delta);
        for event in events {
            trial.happen(event);
        }
        trial.look();
        // What may only be late is renewed for so long, and then nothing is left of it.
        trial.merged.give_up(trial.now + DOUBT);
        trial.look();
        prop_assert_eq!(trial.merged.instance_count(), trial.source.0.instance_count());
        prop_assert_eq!(trial.merged.renewed_count(), trial.source.0.instance_count());
    }
}
