//! From what happened to an instance to what a Eureka server is told of it, by the instance as it is now.

use super::outbox::{Entry, StatusDeed};
use crate::eureka::{BatchAction, OutgoingItem};
use crate::registry::{Keeper, Registration};

/// What is told of an instance, in this order; `held` is how the registry has it. Nothing, if that has become needless:
/// a lease that ran out here runs out there too, and whoever keeps it now renews it.
pub fn items<'r>(entry: &'r Entry, held: Option<&'r Registration>) -> Vec<OutgoingItem<'r>> {
    let mut items = Vec::new();
    let (app, id) = (entry.key.app.as_str(), entry.key.id.as_str());
    let nothing = OutgoingItem {
        action: BatchAction::Cancel,
        app,
        id,
        last_dirty_ms: None,
        status: None,
        overridden_status: None,
        instance: None,
    };
    let told = entry.told;
    // Who cancelled here and is kept by another server now has moved there.
    let is_elsewhere = held.is_some_and(|held| held.lease.keeper == Keeper::Peer);
    if told.cancelled && !is_elsewhere {
        items.push(nothing);
    }
    let Some(held) = held else {
        return items;
    };
    let status = Some(held.status);
    let of_held = OutgoingItem { last_dirty_ms: Some(held.last_dirty_ms), status, ..nothing };
    match told.status {
        Some(StatusDeed::Set) => {
            let status = held.overridden.or(status);
            items.push(OutgoingItem { action: BatchAction::StatusUpdate, status, ..of_held });
        }
        Some(StatusDeed::Removed) => {
            items.push(OutgoingItem { action: BatchAction::DeleteStatusOverride, ..of_held });
        }
        None => {}
    }
    // Last, for it has the status that the client's own word and the override come to.
    if told.registered {
        items.push(OutgoingItem { action: BatchAction::Register, instance: Some(held), ..of_held });
    } else if told.renewed && held.lease.keeper.is_client() {
        let overridden_status = held.overridden;
        items.push(OutgoingItem { action: BatchAction::Heartbeat, overridden_status, ..of_held });
    }
    items
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::eureka::samples;
    use crate::eureka_peers::outbox::{Deed, Outbox};
    use crate::registry::Status;
    use crate::registry::arbitrary::key_of;

    fn entry(deeds: &[Deed]) -> Entry {
        let mut outbox = Outbox::up_to_date_at(0, 0);
        deeds.iter().for_each(|deed| outbox.note(&key_of("DEMO", "d-1"), *deed, 1, Instant::now()));
        outbox.take(1).remove(0)
    }

    fn actions(deeds: &[Deed], held: Option<&Registration>) -> Vec<BatchAction> {
        items(&entry(deeds), held).iter().map(|item| item.action).collect()
    }

    #[test]
    fn what_happened_is_told_by_what_is_there_now() {
        use BatchAction::{Cancel, DeleteStatusOverride, Heartbeat, Register, StatusUpdate};
        let held = samples::demo();
        let of = |deeds: &[Deed]| actions(deeds, Some(&held));
        assert_eq!(of(&[Deed::Registered, Deed::Renewed]), [Register]);
        assert_eq!(of(&[Deed::Renewed]), [Heartbeat]);
        assert_eq!(of(&[Deed::Renewed, Deed::StatusSet]), [StatusUpdate, Heartbeat]);
        assert_eq!(of(&[Deed::StatusSet, Deed::StatusRemoved]), [DeleteStatusOverride]);
        assert_eq!(of(&[Deed::StatusSet, Deed::Registered]), [StatusUpdate, Register]);
        assert_eq!(of(&[Deed::Cancelled, Deed::Registered]), [Cancel, Register]);
        assert_eq!(of(&[Deed::Registered, Deed::Cancelled]), [Cancel]);
    }

    #[test]
    fn of_what_is_gone_only_a_cancellation_is_told() {
        assert_eq!(actions(&[Deed::Registered], None), []);
        assert_eq!(actions(&[Deed::Renewed], None), []);
        assert_eq!(actions(&[Deed::Registered, Deed::Cancelled], None), [BatchAction::Cancel]);
        assert_eq!(actions(&[Deed::Cancelled, Deed::Registered], None), [BatchAction::Cancel]);
    }

    #[test]
    fn what_another_server_keeps_is_not_renewed_from_here() {
        let mut held = samples::demo();
        held.lease.keeper = Keeper::Peer;
        assert_eq!(actions(&[Deed::Renewed], Some(&held)), []);
        // It was cancelled here because it went there.
        assert_eq!(actions(&[Deed::Cancelled], Some(&held)), []);
        // But an operator's word here counts there, and so does new metadata.
        assert_eq!(actions(&[Deed::Renewed, Deed::StatusSet], Some(&held)), [BatchAction::StatusUpdate]);
        assert_eq!(actions(&[Deed::Registered], Some(&held)), [BatchAction::Register]);
    }

    #[test]
    fn statuses_and_times_go_along() {
        let mut held = samples::demo();
        (held.status, held.overridden) = (Status::Down, Some(Status::OutOfService));
        let entry = entry(&[Deed::StatusSet, Deed::Renewed]);
        let items = items(&entry, Some(&held));
        assert_eq!((items[0].status, items[0].overridden_status), (Some(Status::OutOfService), None));
        assert_eq!(
            (items[1].status, items[1].overridden_status),
            (Some(Status::Down), Some(Status::OutOfService))
        );
        assert!(items.iter().all(|item| item.last_dirty_ms == Some(held.last_dirty_ms)));
        assert_eq!((items[1].app, items[1].id), ("DEMO", "d-1"));
    }
}
