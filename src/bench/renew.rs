//! `renew`: the instances are renewed again and again.

use super::drive::{self, Lane};
use super::fleet::Fleet;
use super::request;

pub fn lanes(fleet: &Fleet) -> Vec<Lane> {
    drive::lanes(fleet, |place| {
        let renew = |number| request::renew(fleet.target_of(place), &fleet.documents, number);
        fleet.share(place, fleet.instances).map(renew).collect()
    })
}
