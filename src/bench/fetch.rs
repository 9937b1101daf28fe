//! `fetch` and `delta`: what readers ask for.

use super::drive::{self, Lane};
use super::fleet::Fleet;
use super::plan::Resource;
use super::request;

pub fn lanes(fleet: &Fleet, resource: Resource, gzip: bool) -> Vec<Lane> {
    let documents = &fleet.documents;
    drive::lanes(fleet, |place| {
        let target = fleet.target_of(place);
        match resource {
            Resource::Apps => vec![request::read_all(target, gzip)],
            Resource::App => {
                let read = |app| request::read_app(target, documents, documents.first_of(app), gzip);
                fleet.share(place, documents.apps(fleet.instances)).map(read).collect()
            }
            Resource::Instance => {
                let read = |number| request::read_instance(target, documents, number, gzip);
                fleet.share(place, fleet.instances).map(read).collect()
            }
        }
    })
}

pub fn delta_lanes(fleet: &Fleet, gzip: bool) -> Vec<Lane> {
    drive::lanes(fleet, |place| vec![request::delta(fleet.target_of(place), gzip)])
}
