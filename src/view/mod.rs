//! What readers see: the registry encoded, compressed and shared.
//!
//! A [`View`] is one state of the registry, immutable but for renewal times. Its user keeps the
//! current one behind an `ArcSwap` and replaces it by [`View::update`] after each log entry with
//! [visible](View::is_visible) changes. Maps are persistent, so the next view shares with the former
//! all that did not change: an update costs what the change costs, whatever the registry's size.
//!
//! Nothing is encoded before it is read, and nothing is encoded twice. An application's fragment is
//! kept until one of its instances changes; a bulk page is the list of the fragments between a
//! header and a trailer, so after a change it costs one application encoded and one list. The gzip
//! form is joined likewise, from fragments compressed apart, into a single gzip member.
//!
//! Everything that one view says belongs together: delta, `apps__hashcode` and `versions__delta`
//! are of the same log index as the instances, so that a client's reconciliation never mismatches.
//!
//! The renewal time alone moves within a view, as the newest of those that came one of the other is
//! told. Single instances show it as it is; pages of more than one instance show it as of when they
//! were encoded, as Eureka's do, for a renewal must not cost an encoding.
//!
//! Not here: what documents look like ([`crate::eureka`]), what changes ([`crate::registry`]), and
//! which request gets which page.

mod application;
mod delta;
mod envelope;
mod fragment;
mod gzip;
mod instance;
mod page;
mod per_format;
mod pieces;
mod renewable;
#[cfg(test)]
mod tests;
mod update;
mod vip;

pub use application::AppView;
pub use instance::InstanceView;
pub use page::{Chunks, Page};

use std::borrow::Borrow;
use std::sync::Arc;

use imbl::OrdMap;

use crate::eureka::{Format, StatusCounts};
use crate::registry::AppName;
use delta::Delta;
use envelope::Envelope;
use per_format::PerFormat;
use pieces::Piece;
use renewable::Renewable;
use vip::VipIndex;

/// The `versions__delta` of a full fetch, always this in Eureka.
const FULL_VERSION: &str = "1";

/// The two pages that clients poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bulk {
    /// Every instance, whatever its status; applications and instances in ascending order of their
    /// names. `versions__delta` is `1`.
    Full,
    /// The delta's entries in the order of change; applications by their first entry.
    /// `apps__hashcode` is that of the whole registry. `versions__delta` is the index of the last
    /// visible change plus one: it moves whenever the delta does, and is never a full fetch's `1`
    /// once there is anything to see.
    Delta,
}

/// One state of the registry as readers see it. [`View::default`] is the empty one; [`View::of`]
/// makes that of a registry loaded from storage.
#[derive(Debug, Default)]
pub struct View {
    index: u64,
    apps: OrdMap<AppName, Arc<AppView>>,
    vips: VipIndex,
    secure_vips: VipIndex,
    delta: Delta,
    statuses: StatusCounts,
    instances: usize,
    renewable: Renewable,
    pages: BulkPages,
    /// What the full gzip page is put together from, once it is made.
    pieces: PerFormat<Arc<[Piece]>>,
    /// The same of the last view that had one.
    former_pieces: PerFormat<Arc<[Piece]>>,
}

/// One place per [`Bulk`], plain and gzip.
#[derive(Debug, Default)]
struct BulkPages([[PerFormat<Page>; 2]; 2]);

impl BulkPages {
    fn of(&self, bulk: Bulk, gzip: bool) -> &PerFormat<Page> {
        let [full, delta] = &self.0;
        let [plain, packed] = match bulk {
            Bulk::Full => full,
            Bulk::Delta => delta,
        };
        if gzip { packed } else { plain }
    }
}

impl View {
    /// Log index of the last visible change; 0 if there was none. What readers see is a function of
    /// it but for renewal times.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// A bulk page, plain or as one gzip member. The first to ask after a change makes it, and
    /// encodes what no view has encoded yet: a millisecond or so, but for the first page of a large
    /// registry a second, which is not for a thread that others wait on. Whoever asks meanwhile waits
    /// for it.
    pub fn bulk(&self, bulk: Bulk, format: Format, gzip: bool) -> Page {
        self.pages.of(bulk, gzip).get_or_make(format, || self.make_bulk(bulk, format, gzip)).clone()
    }

    /// The same page if it was made before; costs nothing.
    pub fn bulk_if_made(&self, bulk: Bulk, format: Format, gzip: bool) -> Option<Page> {
        self.pages.of(bulk, gzip).get(format).cloned()
    }

    fn make_bulk(&self, bulk: Bulk, format: Format, gzip: bool) -> Page {
        let hash = &self.statuses.hashcode();
        match bulk {
            Bulk::Full => {
                let envelope = Envelope { format, version: FULL_VERSION, hash };
                if !gzip {
                    return envelope.plain(self.applications());
                }
                let former = self.former_pieces.get(format).map_or(&[][..], |former| former);
                let (page, pieces) = envelope.gzip(self.applications(), former);
                self.pieces.get_or_make(format, || pieces.into());
                page
            }
            Bulk::Delta => {
                let version = &self.index.saturating_add(1).to_string();
                let envelope = Envelope { format, version, hash };
                let groups = self.delta.groups().into_iter();
                if gzip { envelope.gzip(groups, &[]).0 } else { envelope.plain(groups) }
            }
        }
    }

    /// An application's document, never compressed; `None` if it has no instance. `app` is in upper
    /// case, as all names of applications are.
    pub fn app(&self, app: &(impl Borrow<str> + ?Sized), format: Format) -> Option<Page> {
        self.application(app).map(|app| app.page(format))
    }

    /// The same document if it was made before; costs nothing.
    pub fn app_if_made(&self, app: &(impl Borrow<str> + ?Sized), format: Format) -> Option<Page> {
        self.application(app)?.page_if_made(format)
    }

    /// An instance's document with its current renewal time, never compressed.
    pub fn instance(&self, app: &(impl Borrow<str> + ?Sized), id: &str, format: Format) -> Option<Page> {
        self.application(app)?.instance(id).map(|instance| instance.page(format))
    }

    /// The document of the instance with this id in the first application that has one, in
    /// ascending order of their names. Each is looked into, as in Eureka: hardly a client asks, and
    /// an index of the ids would take memory for each.
    pub fn instance_by_id(&self, id: &str, format: Format) -> Option<Page> {
        self.applications().find_map(|app| app.instance(id)).map(|instance| instance.page(format))
    }

    /// The instances whose VIP address names `name`, never compressed: an applications envelope with
    /// the `apps__hashcode` of these alone, and `-1` for a version, as Eureka has it. With no such
    /// instance it is an empty envelope.
    pub fn vip(&self, name: &str, format: Format) -> Page {
        self.vips.page(name, format, &self.apps, |of| of.instance.vips().vip_address)
    }

    /// The same for secure VIP addresses.
    pub fn svip(&self, name: &str, format: Format) -> Page {
        self.secure_vips.page(name, format, &self.apps, |of| of.instance.vips().secure_vip_address)
    }

    /// In ascending order of their names.
    pub fn applications(&self) -> impl Iterator<Item = &AppView> {
        self.apps.values().map(|app| &**app)
    }

    pub fn application(&self, app: &(impl Borrow<str> + ?Sized)) -> Option<&AppView> {
        self.apps.get(app.borrow()).map(|app| &**app)
    }

    pub fn application_count(&self) -> usize {
        self.apps.len()
    }

    pub fn instance_count(&self) -> usize {
        self.instances
    }

    /// How many instances have which status.
    pub fn statuses(&self) -> &StatusCounts {
        &self.statuses
    }

    /// Entries that the delta holds.
    pub fn delta_count(&self) -> usize {
        self.delta.entry_count()
    }
}
