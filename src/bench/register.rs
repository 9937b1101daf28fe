//! `register`: the instances are registered again and again.

use super::drive::{self, Lane};
use super::fleet::Fleet;
use super::request;

pub fn lanes(fleet: &Fleet) -> Vec<Lane> {
    drive::lanes(fleet, |place| {
        let register = |number| request::register(fleet.target_of(place), &fleet.documents, number);
        fleet.share(place, fleet.instances).map(register).collect()
    })
}
