//! However a view came about, it is what its registry says: random changes, read in between, against
//! a plain model and against a view made at once.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::eureka::{
    StatusCounts, application_fragment, applications_header, applications_separator, applications_trailer,
    instance_document,
};
use crate::registry::vip_names;
use crate::view::Bulk;

const APPS: [&str; 4] = ["A", "B", "C", "D"];
const IDS: [&str; 4] = ["i1", "i2", "i3", "i4"];
const VIPS: [&str; 5] = ["x", "x,y", "y,x,x", "", "z, x"];
const VIP_NAMES: [&str; 6] = ["x", "y", "", "z", " x", "none"];

#[derive(Debug, Clone)]
enum Step {
    Put {
        app: usize,
        id: usize,
        status: usize,
        vip: Option<usize>,
        secure_vip: Option<usize>,
    },
    Remove {
        app: usize,
        id: usize,
    },
    Renew {
        app: usize,
        id: usize,
        renewed_ms: i64,
    },
    ExpireDelta,
    /// Makes pages of the view as it is, so that there is something to forget.
    Read,
}

/// The registry in the plainest form, with what a view must say of it.
#[derive(Default)]
struct Model {
    instances: BTreeMap<Key, Registration>,
    delta: BTreeMap<u64, (Key, Registration)>,
    next_seq: u64,
}

impl Model {
    fn apply(&mut self, step: &Step) -> Vec<Change> {
        match *step {
            Step::Put { app, id, status, vip, secure_vip } => {
                let mut sample = Sample::new(APPS[app], IDS[id]).status(Status::ALL[status]);
                sample.vip = vip.map(|vip| VIPS[vip].to_string());
                sample.secure_vip = secure_vip.map(|vip| VIPS[vip].to_string());
                let registration = sample.registration();
                self.instances.insert(sample.key(), registration.clone());
                let mut changes = vec![put(&sample.key(), registration.clone())];
                self.enter_delta(sample.key(), registration, &mut changes);
                changes
            }
            Step::Remove { app, id } => {
                let key = key(APPS[app], IDS[id]);
                let Some(mut registration) = self.instances.remove(&key) else { return Vec::new() };
                registration.action = Action::Deleted;
                let mut changes =
                    vec![Change::Removed { key: key.clone(), cause: Cause::Cancelled(Origin::Client) }];
                self.enter_delta(key, registration, &mut changes);
                changes
            }
            Step::Renew { app, id, renewed_ms } => {
                let key = key(APPS[app], IDS[id]);
                let Some(registration) = self.instances.get_mut(&key) else { return Vec::new() };
                registration.lease.renewed_ms = renewed_ms;
                vec![Change::Renewed {
                    key,
                    lease: registration.lease,
                    cause: Cause::Renewed(Origin::Client),
                }]
            }
            Step::ExpireDelta => match self.delta.pop_first() {
                Some((seq, (key, _))) => vec![Change::DeltaDropped { seq, key }],
                None => Vec::new(),
            },
            Step::Read => Vec::new(),
        }
    }

    fn enter_delta(&mut self, key: Key, registration: Registration, changes: &mut Vec<Change>) {
        let former = self.delta.iter().find(|(_, (entered, _))| *entered == key).map(|(seq, _)| *seq);
        if let Some(seq) = former {
            self.delta.remove(&seq);
            changes.push(Change::DeltaDropped { seq, key: key.clone() });
        }
        let seq = self.next_seq;
        self.next_seq += 1;
        self.delta.insert(seq, (key.clone(), registration.clone()));
        changes.push(Change::DeltaAdded { seq, key, registration: Arc::new(registration) });
    }

    /// A view made at once, the instances in another order than they came.
    fn view(&self, index: u64) -> View {
        let puts = self.instances.iter().rev().map(|(key, registration)| put(key, registration.clone()));
        let added = self.delta.iter().map(|(seq, (key, registration))| Change::DeltaAdded {
            seq: *seq,
            key: key.clone(),
            registration: Arc::new(registration.clone()),
        });
        let changes: Vec<Change> = puts.chain(added).collect();
        View::default().update(&changes, index, |_, _| {})
    }

    fn full(&self, format: Format) -> String {
        let all: Vec<_> = self.instances.iter().collect();
        envelope(format, "1", &self.hash(), &all)
    }

    fn delta(&self, format: Format, index: u64) -> String {
        let mut all: Vec<_> = self.delta.values().map(|(key, registration)| (key, registration)).collect();
        let first = |app: &AppName| self.delta.values().position(|(key, _)| key.app == *app);
        all.sort_by_key(|(key, _)| first(&key.app));
        envelope(format, &(index + 1).to_string(), &self.hash(), &all)
    }

    fn vip(&self, format: Format, name: &str, address: impl Fn(&Instance) -> Option<&str>) -> String {
        let names = |registration: &Registration| {
            address(&registration.instance.decode())
                .is_some_and(|address| vip_names(address).any(|vip| vip == name))
        };
        let members: Vec<_> = self.instances.iter().filter(|(_, registration)| names(registration)).collect();
        envelope(format, "-1", &hash(members.iter().map(|(_, registration)| *registration)), &members)
    }

    fn hash(&self) -> String {
        hash(self.instances.values())
    }
}

fn hash<'a>(registrations: impl Iterator<Item = &'a Registration>) -> String {
    let mut counts = StatusCounts::default();
    registrations.for_each(|registration| counts.add(registration.status));
    counts.hashcode()
}

fn envelope(format: Format, version: &str, hash: &str, all: &[(&Key, &Registration)]) -> String {
    let mut body = applications_header(format, version, hash);
    for (place, app) in all.chunk_by(|(one, _), (next, _)| one.app == next.app).enumerate() {
        if place > 0 {
            body.extend_from_slice(applications_separator(format));
        }
        application_fragment(
            format,
            &app[0].0.app,
            app.iter().map(|(_, registration)| *registration),
            &mut body,
        );
    }
    body.extend_from_slice(&applications_trailer(format, version, hash));
    String::from_utf8(body).unwrap()
}

fn vip_step() -> impl Strategy<Value = Option<usize>> {
    proptest::option::of(0..VIPS.len())
}

fn step(with_renewals: bool) -> impl Strategy<Value = Step> {
    let put = (0..APPS.len(), 0..IDS.len(), 0..Status::ALL.len(), vip_step(), vip_step())
        .prop_map(|(app, id, status, vip, secure_vip)| Step::Put { app, id, status, vip, secure_vip });
    let remove = (0..APPS.len(), 0..IDS.len()).prop_map(|(app, id)| Step::Remove { app, id });
    let renew = (0..APPS.len(), 0..IDS.len(), any::<i64>()).prop_map(|(app, id, renewed_ms)| Step::Renew {
        app,
        id,
        renewed_ms,
    });
    let renewals = if with_renewals { 4 } else { 0 };
    prop_oneof![
        4 => put,
        3 => remove,
        renewals => renew,
        1 => Just(Step::ExpireDelta),
        2 => Just(Step::Read),
    ]
}

/// Steps in log entries of one to four steps each.
fn entries(with_renewals: bool) -> impl Strategy<Value = Vec<Vec<Step>>> {
    proptest::collection::vec(proptest::collection::vec(step(with_renewals), 1..5), 0..12)
}

fn play(entries: &[Vec<Step>]) -> (Model, View) {
    let (mut model, mut view) = (Model::default(), View::default());
    for (index, steps) in (1..).zip(entries) {
        let changes: Vec<Change> = steps.iter().flat_map(|step| model.apply(step)).collect();
        if View::is_visible(&changes) {
            view = view.update(&changes, index, |_, _| {});
        } else {
            view.renewed(&changes);
        }
        if steps.iter().any(|step| matches!(step, Step::Read)) {
            all_pages(&view);
        }
    }
    (model, view)
}

fn all_pages(view: &View) -> Vec<Page> {
    let mut pages = Vec::new();
    for format in FORMATS {
        for bulk in [Bulk::Full, Bulk::Delta] {
            pages.extend([false, true].map(|gzip| view.bulk(bulk, format, gzip)));
        }
        for name in VIP_NAMES {
            pages.extend([view.vip(name, format), view.svip(name, format)]);
        }
        for id in IDS {
            pages.extend(view.instance_by_id(id, format));
            pages.extend(APPS.iter().filter_map(|app| view.instance(*app, id, format)));
        }
        pages.extend(APPS.iter().filter_map(|app| view.app(*app, format)));
    }
    pages
}

proptest! {
    // A case reads hundreds of pages.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_view_grown_is_a_view_made_at_once(entries in entries(false)) {
        let (model, grown) = play(&entries);
        let made = model.view(grown.index());
        let bodies = |view| all_pages(view).into_iter().map(Page::into_bytes).collect::<Vec<_>>();
        prop_assert_eq!(bodies(&grown), bodies(&made));
        prop_assert_eq!(grown.statuses().hashcode(), made.statuses().hashcode());
    }

    #[test]
    fn a_view_says_what_the_registry_is(entries in entries(false)) {
        let (model, view) = play(&entries);
        prop_assert_eq!(view.instance_count(), model.instances.len());
        prop_assert_eq!(view.delta_count(), model.delta.len());
        prop_assert_eq!(view.statuses().hashcode(), model.hash());
        let listed: Vec<Key> = view
            .applications()
            .flat_map(|app| app.instances().map(|(id, _)| Key::new(app.name().clone(), id.clone())))
            .collect();
        prop_assert_eq!(listed, model.instances.keys().cloned().collect::<Vec<_>>());
        for format in FORMATS {
            prop_assert_eq!(text(view.bulk(Bulk::Full, format, false)), model.full(format));
            prop_assert_eq!(gunzip(view.bulk(Bulk::Full, format, true)), model.full(format));
            let delta = model.delta(format, view.index());
            prop_assert_eq!(text(view.bulk(Bulk::Delta, format, false)), delta.clone());
            prop_assert_eq!(gunzip(view.bulk(Bulk::Delta, format, true)), delta);
            for name in VIP_NAMES {
                let vip = model.vip(format, name, |instance| instance.vip_address.as_deref());
                prop_assert_eq!(text(view.vip(name, format)), vip);
                let svip = model.vip(format, name, |instance| instance.secure_vip_address.as_deref());
                prop_assert_eq!(text(view.svip(name, format)), svip);
            }
        }
    }

    #[test]
    fn an_instance_says_when_it_was_renewed(entries in entries(true)) {
        let (model, view) = play(&entries);
        for format in FORMATS {
            for (key, registration) in &model.instances {
                let document = String::from_utf8(instance_document(format, registration)).unwrap();
                let page = view.instance(&key.app, key.id.as_str(), format).unwrap();
                prop_assert_eq!(text(page), document);
            }
            for id in IDS {
                let first = model.instances.iter().find(|(key, _)| key.id.as_str() == id);
                let document =
                    first.map(|(_, found)| String::from_utf8(instance_document(format, found)).unwrap());
                prop_assert_eq!(view.instance_by_id(id, format).map(text), document);
            }
        }
    }
}

/// Enough instances for the maps to grow by levels and to shrink again, against the same model.
#[test]
fn many_instances_come_and_go() {
    let (mut model, mut view) = (Model::default(), View::default());
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for index in 1..=600 {
        let removals_of_ten = if index <= 300 { 3 } else { 8 };
        let changes: Vec<Change> = (0..20)
            .map(|_| {
                let key = key(&format!("APP{}", random(40)), &format!("i{}", random(40)));
                if random(10) < removals_of_ten {
                    model.instances.remove(&key);
                    return Change::Removed { key, cause: Cause::Cancelled(Origin::Client) };
                }
                let registration =
                    Sample::new("ANY", "a").vip(&format!("{0},v{0}", random(50))).registration();
                model.instances.insert(key.clone(), registration.clone());
                put(&key, registration)
            })
            .collect();
        view = view.update(&changes, index, |_, _| {});
        if index % 100 == 0 {
            assert_eq!(view.instance_count(), model.instances.len());
            assert_eq!(text(view.bulk(Bulk::Full, Format::Json, false)), model.full(Format::Json));
            for name in (0..50).flat_map(|vip| [format!("{vip}"), format!("v{vip}")]) {
                let expected = model.vip(Format::Json, &name, |instance| instance.vip_address.as_deref());
                assert_eq!(text(view.vip(&name, Format::Json)), expected);
            }
            let first = |id: &str| model.instances.keys().find(|key| key.id.as_str() == id);
            for id in (0..40).map(|id| format!("i{id}")) {
                let expected = first(&id).and_then(|key| view.instance(&key.app, &id, Format::Json));
                assert_eq!(view.instance_by_id(&id, Format::Json).map(text), expected.map(text));
            }
        }
    }
}
